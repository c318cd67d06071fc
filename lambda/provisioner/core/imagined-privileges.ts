import { isDeepStrictEqual } from 'node:util';
import { distinct } from '../../shared/decode';
import { type ActAs, type Change, type ChangeOf, oneByOne, revokerOf } from './change';
import { withNewName } from './new-name';
import type { DatabaseState } from './plan-database';
import type { FuturePrivilege, HeldPrivilege } from './privilege-changes';

/** How it would be taken back. */
export function heldBy({ as, grantor, through }: ActAs): Pick<Held, 'as' | 'grantor' | 'through'> {
  return { as: as ?? null, grantor: grantor ?? null, through: through ?? null };
}

interface Held {
  readonly privilege: string;
  readonly grantable: boolean;
  readonly as: string | null;
  readonly grantor: string | null;
  readonly through?: string | null;
}

/** Rows of one role after something on one object is given or taken. */
export function privilegesAfter<Row extends Held>(
  rows: Row[],
  change: ChangeOf<'grant' | 'revoke'>,
  isOn: (row: Row) => boolean,
  newRow: (privilege: string) => Row,
): Row[] {
  const { kind, privileges, grantable } = change;
  const way = revokerOf(heldBy(change));
  const isSame = (row: Row) =>
    isOn(row) && privileges.includes(row.privilege) && isDeepStrictEqual(revokerOf(row), way);
  if (kind === 'revoke') {
    return rows.flatMap(row => !isSame(row) ? [row] : grantable ? [{ ...row, grantable: false }] : []);
  }
  const given = privileges.map(privilege => ({ ...newRow(privilege), grantable: grantable === true }));
  const kept = rows.map(row => isSame(row) && grantable ? { ...row, grantable: true } : row);
  return [...kept, ...given.filter(one => !rows.some(row => isSame(row) && row.privilege === one.privilege))];
}

/** What roles hold in one database, after a change. */
export function databaseAfter<State extends DatabaseState>(state: State, change: Change): State {
  switch (change.kind) {
    case 'renameRole': return withNewName(state, change.role, change.to);
    case 'createSchema':
      return {
        ...state,
        schemas: [
          ...state.schemas,
          { schema: change.schema, owner: change.role, as: change.as, options: null, empty: true },
        ],
      };
    case 'dropSchema': return {
      ...state,
      schemas: state.schemas.filter(({ schema }) => schema !== change.schema),
      held: state.held.filter(({ schema }) => schema !== change.schema),
      future: state.future.filter(({ schema }) => schema !== change.schema),
    };
    case 'grant':
    case 'revoke':
      return oneByOne(change).reduce(
        (now, one) => ({ ...now, held: heldAfter(now.held, one as typeof change) }),
        state,
      );
    // With them go default privileges that the role has for what it creates.
    case 'dropOwned':
    case 'dropRole': return { ...state, future: state.future.filter(({ creator }) => creator !== change.role) };
    case 'grantFuture':
    case 'revokeFuture':
      return { ...state, future: change.roles.reduce((rows, role) => futureAfter(rows, role, change), state.future) };
    default: return state;
  }
}

function heldAfter(rows: HeldPrivilege[], change: ChangeOf<'grant' | 'revoke'>): HeldPrivilege[] {
  const { on, roles: [role] } = change;
  const place = placeOf(on);
  if (place === undefined) {
    return rows;
  }
  const isOn = (row: HeldPrivilege) =>
    row.role === role
    && isDeepStrictEqual([row.kind, row.schema, row.name, row.sub], [place.kind, place.schema, place.name, place.sub]);
  return privilegesAfter(rows, change, isOn, privilege => ({
    role,
    ...place,
    privilege,
    grantable: false,
    ours: true,
    ...heldBy(change),
  }));
}

/** What the catalog calls a target of one object; none, if no database has it to itself. */
function placeOf(on: ChangeOf<'grant'>['on']): Pick<HeldPrivilege, 'kind' | 'schema' | 'name' | 'sub'> | undefined {
  switch (on.type) {
    case 'DATABASE':
    case 'TABLESPACE':
    case 'PARAMETER': return undefined;
    case 'SCHEMA': return { kind: on.type, schema: on.schema, name: null, sub: null };
    case 'COLUMN': return { kind: on.type, schema: on.schema, name: on.table, sub: on.columns[0] };
    case 'LARGE OBJECT': return { kind: on.type, schema: null, name: on.oid, sub: null };
    case 'LANGUAGE':
    case 'FOREIGN DATA WRAPPER':
    case 'FOREIGN SERVER': return { kind: on.type, schema: null, name: on.name, sub: null };
    default: return { kind: on.type, schema: on.schema, name: on.objects[0].name, sub: on.objects[0].args ?? null };
  }
}

function futureAfter(
  rows: FuturePrivilege[],
  role: string,
  change: ChangeOf<'grantFuture' | 'revokeFuture'>,
): FuturePrivilege[] {
  const { kind, on: { creator, schema, objects }, privileges, grantable = false } = change;
  const place = { role, creator, schema: schema ?? null, objects };
  const isSame = (row: FuturePrivilege) =>
    privileges.includes(row.privilege)
    && isDeepStrictEqual(
      [row.role, row.creator, row.schema, row.objects],
      [place.role, place.creator, place.schema, place.objects],
    );
  if (kind === 'revokeFuture') {
    return rows.flatMap(row => !isSame(row) ? [row] : grantable ? [{ ...row, grantable: false }] : []);
  }
  const had = (privilege: string) => rows.some(row => isSame(row) && row.privilege === privilege && row.grantable);
  return [
    ...rows.filter(row => !isSame(row)),
    ...distinct(privileges).map(privilege => ({ ...place, privilege, grantable: grantable || had(privilege) })),
  ];
}
