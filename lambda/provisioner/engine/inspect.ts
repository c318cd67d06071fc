import type { Found } from '../core/identities';
import type { Facts } from '../core/lifecycle';
import { MembershipGraph, type RoleInGraph } from '../core/membership-graph';
import type { Beside, DatabaseState } from '../core/plan-database';
import type { DatabaseOwner, ObservedRole } from '../core/plan-shared';
import { decodeRows } from '../core/registry-rows';
import {
  databaseOwners, type DatabaseQuestion, DATABASES, NO_IDENTITIES, otherShared, reachable, rolesByName, rolesInDatabase,
  rolesWithShared,
} from '../sql/catalog';
import { END_REGISTRY_LOCKERS } from '../sql/registry';
import { CLAIMS, REGISTERED_NAMES, stamp, type Stamp } from '../sql/registry-rows';
import type { Row } from '../sql/row';
import { query } from '../transport/session';
import { refuseOtherBytes } from './encoding';
import type { PlanView } from './plan-view';
import type { Reader } from './reader';
import type { Transaction } from './transaction';

const READ_REGISTRY = {
  attempted: 'read the registry',
  needs: 'to own the schema cdk_aurora_iam_auth in database postgres',
};

const NO_ROWS: Row[] = [];

/**
 * @param wanted names that matter beside those in the registry
 * @param event noted in the registry, once that is read
 */
export async function readFacts(
  transaction: Transaction,
  registryExists: boolean,
  wanted: string[] = [],
  event?: Stamp,
): Promise<Facts> {
  const { view } = transaction;
  const names = view?.roles(wanted) ?? wanted;
  // A plan ends no session.
  const ending = view === undefined ? [query(END_REGISTRY_LOCKERS)] : [];
  const byName = once(view, 'roles by name', [names], () =>
    rolesByName(names, registryExists ? REGISTERED_NAMES : undefined),
  );
  const [databases, roles, rows = NO_ROWS] = registryExists
    ? (await transaction.execute(
        READ_REGISTRY,
        ...ending,
        ...[DATABASES, byName, CLAIMS].map(query),
        ...event === undefined ? [] : [stamp(event)],
      )).slice(ending.length)
    : await transaction.read({ attempted: 'look roles up by name' }, DATABASES, byName);
  const facts = once(view, 'facts', [databases, roles, rows], (): Facts => ({
    ...decodeRows(rows, transaction.server.admin),
    now: rows[0]?.now as number | undefined,
    roles: new Map((roles as { name: string; oid: string }[]).map(({ name, oid }) => [name, oid])),
    databaseOids: new Map((databases as { name: string; oid: string }[]).map(({ name, oid }) => [name, oid])),
    databases: (databases as { name: string; open: boolean }[]).filter(({ open }) => open).map(({ name }) => name),
    closed: (databases as { name: string; open: boolean }[]).filter(({ open }) => !open).map(({ name }) => name),
  }));
  return view?.imagined.facts(facts) ?? facts;
}

export interface Shared {
  readonly roles: ReadonlyMap<string, ObservedRole>;
  /** Of the databases that were asked for and exist. */
  readonly owners: DatabaseOwner[];
  /** Of the groups that were asked for. */
  readonly graph: MembershipGraph;
  /** Rows of the other queries. */
  readonly first: Row[][];
  readonly also: Row[][];
}

export interface SharedQuestion {
  /** Roles of which everything is asked for that they have been granted. */
  readonly exclusive?: string[];
  /** Roles of which is asked in which databases they own or hold something. @default - those that are exclusive */
  readonly dependencies?: string[];
  /** Roles of which is asked where their memberships lead. */
  readonly groups?: string[];
  /** Queries that are asked in the same message, before and after. */
  readonly first?: string[];
  readonly also?: string[];
}

/** What all databases of the server share: roles, and what they have been granted there. */
export async function readShared(
  reader: Reader,
  names: string[],
  databases: string[] = [],
  { exclusive = [], dependencies = exclusive, groups = [], first = [], also = [] }: SharedQuestion = {},
): Promise<Shared> {
  if (names.length + databases.length + groups.length === 0) {
    return { roles: new Map(), owners: [], graph: new MembershipGraph([]), first: [], also: [] };
  }
  const { view } = reader;
  const asked = view?.names({ names, databases, exclusive, groups }) ?? { names, databases, exclusive, groups };
  const attempt = {
    attempted: `read ${names.length === 1 ? `role ${JSON.stringify(names[0])}` : `${names.length} roles`}`,
  };
  const optional = [
    ...asked.exclusive.length > 0 ? [otherShared(asked.exclusive, reader.server.version)] : [],
    ...asked.groups.length > 0 ? [once(view, 'groups', [asked.groups], () => reachable(asked.groups))] : [],
  ];
  // A plan asks one question for all.
  const ofRoles = once(view, 'roles', [asked.names], () =>
    rolesWithShared(asked.names, view === undefined ? dependencies : asked.names),
  );
  const results = await reader.read(attempt, ...first, ofRoles, databaseOwners(asked.databases), ...optional, ...also);
  const [roles, owners, ...more] = results.slice(first.length) as unknown[];
  const others = (asked.exclusive.length > 0 ? more.shift() : undefined) as
    (ObservedRole['others'][number] & { role: string })[] | undefined;
  const reached = (asked.groups.length > 0 ? more.shift() : NO_ROWS) as RoleInGraph[];
  const ofName = once(
    view,
    'shared',
    [roles, others],
    () =>
      new Map(
        (roles as ObservedRole[]).map((role): [string, ObservedRole] => [
          role.role,
          { ...role, others: others?.filter(one => one.role === role.role) ?? [] },
        ]),
      ),
  );
  const read = { roles: ofName, owners: owners as DatabaseOwner[] };
  return {
    ...view?.shared(names, read) ?? read,
    graph: new MembershipGraph(view?.imagined.graph(reached) ?? reached),
    first: results.slice(0, first.length),
    also: more as Row[][],
  };
}

/**
 * What the database of the transaction has for these roles.
 *
 * @param also queries that are asked in the same message
 */
export async function readDatabase(
  transaction: Transaction, question: DatabaseQuestion, also: string[] = [],
): Promise<DatabaseState & { readonly beside: Beside[]; readonly found: Found; readonly also: Row[][] }> {
  const { database, view } = transaction;
  await refuseOtherBytes(transaction, question.roles);
  const asked = view?.question(database, question) ?? question;
  const { names, columns, schemaOids, objectOids } = asked.identities ?? NO_IDENTITIES;
  const sources = [asked.roles, asked.schemas, names, columns, schemaOids, objectOids, asked.everything];
  const text = once(view, `database ${database}`, sources, () => rolesInDatabase(asked));
  const [[row], ...others] = await transaction.read(
    { attempted: `read database ${JSON.stringify(database)}` },
    text,
    ...also,
  );
  const state = row as unknown as DatabaseState & { beside: Beside[]; found: Found };
  return { ...view?.imagined.inDatabase(database, question.roles, state) ?? state, also: others };
}

function once<T>(view: PlanView | undefined, name: string, sources: unknown[], make: () => T): T {
  return view === undefined ? make() : view.once(name, sources, make);
}
