import { objectWord, type ObjectType } from '../../../lib/contract/object-kinds';
import {
  type ActAs, type Change, type FutureObjectType, type FutureTarget, type ObjectName, revokerOf, type Target,
} from './change';

/** Privileges in one database, as the catalogs have them, and the changes that give and take them. */

/** A privilege on something, identified as GRANT does. */
export interface Right {
  readonly kind: string;
  readonly schema: string | null;
  readonly name: string | null;
  /** Column, or arguments. */
  readonly sub: string | null;
  readonly privilege: string;
}

export interface Granted extends Right {
  /**
   * By the owner, the admin, or a role that the admin inherits from: PostgreSQL records the role whose grant option it
   * has used.
   */
  readonly ours: boolean;
  readonly as: string | null;
  readonly grantor: string | null;
  readonly through?: string | null;
}

export interface HeldPrivilege extends Granted {
  readonly role: string;
  readonly grantable: boolean;
}

export interface FuturePrivilege {
  readonly role: string;
  readonly creator: string;
  readonly schema: string | null;
  readonly objects: FutureObjectType;
  readonly privilege: string;
  readonly grantable: boolean;
}

/** A privilege that the admin, or a role that it inherits from, holds with the grant option. */
export interface GrantOption {
  readonly privilege: string;
  /** On this column alone. */
  readonly column: string | null;
  /** The role that holds it; null: the admin itself. */
  readonly through: string | null;
}

/**
 * How to grant: with the grant option of the admin or of a role that it inherits from, where it cannot become the
 * owner; else as the owner.
 */
export function granting(
  { as, options }: { readonly as: string | null; readonly options?: GrantOption[] | null },
  privilege: string,
  column: string | null = null,
): ActAs {
  const option = options?.find(one => one.privilege === privilege && (one.column === null || one.column === column));
  return option === undefined ? revokerOf({ as }) : option.through === null ? {} : { through: option.through };
}

interface Option {
  readonly grantable?: true;
  readonly wasGrantable?: true;
  readonly again?: true;
}

/** As few statements as can be: objects with the same privileges to change share one. */
export function changesOf<R extends Right>(
  kind: 'grant' | 'revoke',
  role: string,
  rights: R[],
  actor: (right: R) => ActAs,
  option: Option = {},
): Change[] {
  const byObject = new Map<string, { right: R; acting: ActAs; privileges: string[] }>();
  for (const right of rights) {
    const acting = actor(right);
    const key = JSON.stringify([right.kind, right.schema, right.name, right.sub, acting]);
    const entry = byObject.get(key) ?? { right, acting, privileges: [] };
    entry.privileges.push(right.privilege);
    byObject.set(key, entry);
  }
  const groups = new Map<string, { rights: R[]; acting: ActAs; privileges: string[] }>();
  for (const { right, acting, privileges } of byObject.values()) {
    const sorted = [...new Set(privileges)].sort();
    const key = JSON.stringify([right.kind, right.schema, notShared(right), acting, sorted]);
    const group = groups.get(key) ?? { rights: [], acting, privileges: sorted };
    group.rights.push(right);
    groups.set(key, group);
  }
  return [...groups.values()].map(group => ({
    kind, privileges: group.privileges, on: targetOf(group.rights), roles: [role], ...option, ...group.acting,
  }));
}

/** What of its name must be the same for a right to share a statement. */
function notShared({ kind, name, sub }: Right): unknown {
  if (kind === 'COLUMN') {
    return name;
  }
  return objectWord(kind) === undefined ? [name, sub] : null;
}

function targetOf(rights: Right[]): Target {
  const [{ kind, schema, name }] = rights;
  switch (kind) {
    case 'SCHEMA': return { type: 'SCHEMA', schema: schema! };
    case 'COLUMN': return { type: 'COLUMN', schema: schema!, table: name!, columns: rights.map(({ sub }) => sub!) };
    case 'LARGE OBJECT': return { type: kind, oid: name! };
    case 'LANGUAGE':
    case 'FOREIGN DATA WRAPPER':
    case 'FOREIGN SERVER': return { type: kind, name: name! };
    default: return { type: kind as ObjectType, schema: schema!, objects: rights.map(objectOf) };
  }
}

function objectOf({ name, sub }: Right): ObjectName {
  return { name: name!, ...sub === null ? {} : { args: sub } };
}

export function futureChanges(
  kind: 'grantFuture' | 'revokeFuture',
  role: string,
  rights: FuturePrivilege[],
  option: Pick<Option, 'grantable' | 'wasGrantable'> = {},
): Change[] {
  const groups = new Map<string, { on: FutureTarget; privileges: string[] }>();
  for (const { creator, schema, objects, privilege } of rights) {
    const on = { creator, objects, ...schema === null ? {} : { schema } };
    const key = JSON.stringify(on);
    const group = groups.get(key) ?? { on, privileges: [] };
    group.privileges.push(privilege);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ on, privileges }) => ({
    kind,
    privileges: [...new Set(privileges)].sort(),
    on,
    roles: [role],
    ...option,
    as: on.creator,
  }));
}

export function revokesOf(role: string, held: HeldPrivilege[]): Change[] {
  const ordered = inOrder(held);
  return [
    ...changesOf('revoke', role, ordered.filter(({ grantable }) => !grantable), revokerOf),
    ...changesOf('revoke', role, ordered.filter(({ grantable }) => grantable), revokerOf, { wasGrantable: true }),
  ];
}

export function futureRevokes(role: string, held: FuturePrivilege[]): Change[] {
  const ordered = inOrder(held);
  return [
    ...futureChanges('revokeFuture', role, ordered.filter(({ grantable }) => !grantable)),
    ...futureChanges('revokeFuture', role, ordered.filter(({ grantable }) => grantable), { wasGrantable: true }),
  ];
}

/** What an order depends on, in the order of their weight. */
const FIELDS = [
  'kind',
  'creator',
  'schema',
  'name',
  'sub',
  'objects',
  'database',
  'group',
  'member',
  'privilege',
  'as',
  'grantor',
  'through',
];

/**
 * What is taken back, in an order that depends on names alone: that of the catalog is another one where names are
 * planned that are not in it yet, and depends on the language of the server.
 */
export function inOrder<Row extends object>(rows: readonly Row[]): Row[] {
  const keyed = rows.map(row => ({
    row,
    key: JSON.stringify(FIELDS.map(field => (row as { [field: string]: unknown })[field] ?? null)),
  }));
  return keyed.sort((a, b) => a.key < b.key ? -1 : Number(a.key > b.key)).map(({ row }) => row);
}
