import { type ObjectKind, objectWord, type ObjectType } from '../../../lib/contract/object-kinds';
import type { ParameterValue, RoleKind } from './state';

/** As the name of a role it means all of them, and PostgreSQL gives it to none. */
export const PUBLIC = 'public';

/** What a privilege is on. Names in one change share their schema. */
export type Target
  = | { readonly type: 'DATABASE'; readonly database: string }
    | { readonly type: 'SCHEMA'; readonly schema: string }
    | { readonly type: ObjectType; readonly schema: string; readonly objects: ObjectName[] }
    | { readonly type: 'COLUMN'; readonly schema: string; readonly table: string; readonly columns: string[] }
    | {
      readonly type: 'LANGUAGE' | 'FOREIGN DATA WRAPPER' | 'FOREIGN SERVER' | 'TABLESPACE' | 'PARAMETER';
      readonly name: string;
    }
    | { readonly type: 'LARGE OBJECT'; readonly oid: string };

export interface ObjectName {
  readonly name: string;
  /** Of a routine, as the server writes them: SQL, not to be quoted again. */
  readonly args?: string;
}

/** Beside what can be declared, what is revoked from an exclusive role or one that is removed. */
export type FutureObjectType = ObjectKind['future'] | 'TYPES' | 'SCHEMAS' | 'LARGE OBJECTS';

/** Objects that a role creates from now on. */
export interface FutureTarget {
  readonly creator: string;
  /** Absent: in all schemas. */
  readonly schema?: string;
  readonly objects: FutureObjectType;
}

/**
 * One step that changes the database. The log is made of these, and so are the statements.
 *
 * - `as`: the role whose rights the admin needs for it, where its own are not enough
 * - `grantor`: the role that has granted it: only as that role it is taken back
 * - `through`: the role whose grant option PostgreSQL uses, because the admin inherits from it
 * - `grantable`: with the grant option, or the grant option alone
 * - `wasGrantable`: what is revoked was held with the grant option
 * - `again`: it is held already, but goes with another change, or with what takes that back
 * - `admin`: the ADMIN option of a membership alone
 */
export type Change
  = | { readonly kind: 'createRole'; readonly role: string; readonly roleKind: RoleKind }
    | { readonly kind: 'renameRole'; readonly role: string; readonly to: string }
    | { readonly kind: 'dropRole'; readonly role: string }
    | { readonly kind: 'allowLogin'; readonly role: string }
    | { readonly kind: 'forbidLogin'; readonly role: string }
  /**
   * `options`: they are members already, but do not inherit. `inherit`: they are none yet, and have the attribute
   * NOINHERIT.
   */
    | {
      readonly kind: 'grantRole';
      readonly group: string;
      readonly roles: string[];
      readonly options?: true;
      readonly inherit?: true;
      readonly admin?: true;
    }
    | {
      readonly kind: 'revokeRole';
      readonly group: string;
      readonly roles: string[];
      readonly grantor?: string;
      readonly admin?: true;
    }
    | ({
      readonly kind: 'grant';
      readonly privileges: string[];
      readonly on: Target;
      readonly roles: string[];
      readonly grantable?: true;
      readonly again?: true;
    } & ActAs)
    | ({
      readonly kind: 'revoke';
      readonly privileges: string[];
      readonly on: Target;
      readonly roles: string[];
      readonly grantable?: true;
      readonly wasGrantable?: true;
    } & ActAs)
    | {
      readonly kind: 'grantFuture';
      readonly privileges: string[];
      readonly on: FutureTarget;
      readonly roles: string[];
      readonly grantable?: true;
      readonly as?: string;
    }
    | {
      readonly kind: 'revokeFuture';
      readonly privileges: string[];
      readonly on: FutureTarget;
      readonly roles: string[];
      readonly grantable?: true;
      readonly wasGrantable?: true;
      readonly as?: string;
    }
  /** `database`: for sessions in that one alone. Without a value it is reset. `was`: what is stored before. */
    | {
      readonly kind: 'setParameter';
      readonly role: string;
      readonly database?: string;
      readonly parameter: string;
      readonly value?: ParameterValue;
      readonly was?: ParameterValue;
    }
  /** -1: no limit. */
    | { readonly kind: 'limitConnections'; readonly role: string; readonly limit: number; readonly was: number }
    | { readonly kind: 'createSchema'; readonly schema: string; readonly role: string; readonly as: string }
    | { readonly kind: 'dropSchema'; readonly schema: string; readonly role: string; readonly as: string }
    | { readonly kind: 'reassignOwned'; readonly role: string; readonly to: string; readonly as: string[] }
    | { readonly kind: 'dropOwned'; readonly role: string; readonly as: string };

export interface ActAs {
  readonly as?: string;
  readonly grantor?: string;
  readonly through?: string;
}

export type ChangeOf<K extends Change['kind']> = Extract<Change, { kind: K }>;

/** The roles whose rights a change needs. */
export function actors(change: Change): string[] {
  const { as, grantor } = change as { readonly as?: string | string[]; readonly grantor?: string };
  return [as ?? [], grantor ?? []].flat();
}

/**
 * How to take back what one role has granted to another: as the grantor, with the rights of the owner, or as the admin
 * itself.
 */
export function revokerOf({
  as,
  grantor,
  through,
}: { readonly [Way in keyof ActAs]: string | null | undefined }): ActAs {
  return grantor ? { grantor } : as ? { as } : through ? { through } : {};
}

/** The roles that a change is made to. */
export function rolesOf(change: Change): string[] {
  return 'roles' in change ? change.roles : [change.role];
}

/** The same for many roles is one change. */
export function merged(changes: Change[]): Change[] {
  const groups = new Map<string, { readonly change: Change; readonly roles: string[] }>();
  for (const change of changes) {
    const { roles = [], ...rest } = change as Extract<Change, { roles: string[] }>;
    const key = JSON.stringify(rest);
    const group = groups.get(key);
    if (group) {
      group.roles.push(...roles);
    } else {
      groups.set(key, { change, roles: [...roles] });
    }
  }
  return [...groups.values()].map(({ change, roles }) => 'roles' in change ? { ...change, roles } : change);
}

/** A change to each of its roles, and on each of its objects, alone. */
export function oneByOne(change: Change): Change[] {
  const byRole = 'roles' in change ? change.roles.map(role => ({ ...change, roles: [role] })) : [change];
  return byRole.flatMap(one =>
    'on' in one && 'type' in one.on ? targetByTarget(one.on).map(on => ({ ...one, on }) as Change) : [one],
  );
}

function targetByTarget(on: Target): Target[] {
  if ('objects' in on) {
    return on.objects.map(object => ({ ...on, objects: [object] }));
  }
  return on.type === 'COLUMN' ? on.columns.map(column => ({ ...on, columns: [column] })) : [on];
}

/** What takes a change back; nothing for what only a removal does, which goes on instead. */
export function inverse(change: Change): Change | undefined {
  switch (change.kind) {
    case 'createRole': return { kind: 'dropRole', role: change.role };
    case 'renameRole': return { kind: 'renameRole', role: change.to, to: change.role };
    case 'allowLogin': return { kind: 'forbidLogin', role: change.role };
    case 'forbidLogin': return { kind: 'allowLogin', role: change.role };
    case 'grantRole':
      return change.options
        ? undefined
        : { kind: 'revokeRole', group: change.group, roles: change.roles, ...(change.admin ? { admin: true } : {}) };
    case 'revokeRole':
      return { kind: 'grantRole', group: change.group, roles: change.roles, ...(change.admin ? { admin: true } : {}) };
    case 'grant': return change.again ? change : { ...change, kind: 'revoke' };
    case 'revoke': return granting({ ...change, kind: 'grant' });
    case 'grantFuture': return { ...change, kind: 'revokeFuture' };
    case 'revokeFuture': return granting({ ...change, kind: 'grantFuture' });
    case 'setParameter': return { ...change, value: change.was, was: change.value };
    case 'limitConnections': return { ...change, limit: change.was, was: change.limit };
    case 'createSchema': return { ...change, kind: 'dropSchema' };
    case 'dropSchema': return { ...change, kind: 'createSchema' };
    case 'dropRole':
    case 'reassignOwned':
    case 'dropOwned': return undefined;
  }
}

/** The changes that take others back, last first. */
export function inverses(changes: Change[]): Change[] {
  return changes.flatMap(change => inverse(change) ?? []).reverse();
}

function granting<C extends ChangeOf<'grant' | 'grantFuture'>>({
  wasGrantable,
  ...change
}: C & { wasGrantable?: true }): Change {
  return (wasGrantable ? { ...change, grantable: true } : change) as Change;
}

/**
 * What a change does, in words: for the log and for the reason of a failure.
 *
 * @param database the one it is made in
 */
export function describe(change: Change, database: string): string {
  return `${inWords(change)}${isLocal(change) ? ` in database ${quoted(database)}` : ''}`;
}

/** What all databases of the server have in common. */
const SHARED: Target['type'][] = ['DATABASE', 'TABLESPACE', 'PARAMETER'];

/** Whether only the database in which it is made sees it. */
function isLocal(change: Change): boolean {
  return 'on' in change
    ? !('type' in change.on && SHARED.includes(change.on.type))
    : ['createSchema', 'dropSchema', 'reassignOwned', 'dropOwned'].includes(change.kind);
}

function inWords(change: Change): string {
  switch (change.kind) {
    case 'createRole': return `create ${change.roleKind} ${quoted(change.role)}`;
    case 'renameRole': return `rename ${quoted(change.role)} to ${quoted(change.to)}`;
    case 'dropRole': return `drop role ${quoted(change.role)}`;
    case 'allowLogin': return `allow user ${quoted(change.role)} to log in`;
    case 'forbidLogin': return `forbid ${quoted(change.role)} to log in`;
    case 'grantRole':
      return `grant role ${quoted(change.group)} to ${list('roles', change.roles)}${change.options || change.inherit ? ' so that its privileges are inherited' : ''}${change.admin ? ' with admin option' : ''}`;
    case 'revokeRole':
      return `revoke ${change.admin ? 'the admin option on ' : ''}role ${quoted(change.group)} from ${list('roles', change.roles)}`;
    case 'grant':
      return `grant ${change.privileges.join(', ')} on ${describeTarget(change.on)} to ${list('roles', change.roles)}${change.grantable ? ' with grant option' : ''}${change.again ? ' again' : ''}`;
    case 'revoke':
      return `revoke ${change.grantable ? 'the grant option for ' : ''}${change.privileges.join(', ')} on ${describeTarget(change.on)} from ${list('roles', change.roles)}`;
    case 'grantFuture':
      return `grant ${change.privileges.join(', ')} on ${describeFuture(change.on)} to ${list('roles', change.roles)}${change.grantable ? ' with grant option' : ''}`;
    case 'revokeFuture':
      return `revoke ${change.grantable ? 'the grant option for ' : ''}${change.privileges.join(', ')} on ${describeFuture(change.on)} from ${list('roles', change.roles)}`;
    case 'setParameter':
      return (
        `${change.value === undefined ? 'reset' : 'set'} ${change.parameter} of ${quoted(change.role)}`
        + `${change.database === undefined ? '' : ` for database ${quoted(change.database)}`}${change.value === undefined ? '' : ` to ${[change.value].flat().map(quoted).join(', ')}`}`
      );
    case 'limitConnections':
      return change.limit < 0
        ? `remove the connection limit of ${quoted(change.role)}`
        : `limit ${quoted(change.role)} to ${change.limit} connections`;
    case 'createSchema': return `create schema ${quoted(change.schema)} owned by ${quoted(change.role)}`;
    case 'dropSchema': return `drop the empty schema ${quoted(change.schema)} of ${quoted(change.role)}`;
    case 'reassignOwned': return `hand over what ${quoted(change.role)} owns to ${quoted(change.to)}`;
    case 'dropOwned': return `take back whatever else depends on ${quoted(change.role)}, which owns nothing`;
  }
}

function describeTarget(on: Target): string {
  switch (on.type) {
    case 'DATABASE': return `database ${quoted(on.database)}`;
    case 'SCHEMA': return `schema ${quoted(on.schema)}`;
    case 'COLUMN': return `${list('columns', on.columns)} of table ${quoted(on.table)} in schema ${quoted(on.schema)}`;
    case 'LANGUAGE':
    case 'FOREIGN DATA WRAPPER':
    case 'FOREIGN SERVER':
    case 'TABLESPACE':
    case 'PARAMETER': return `${on.type.toLowerCase()} ${quoted(on.name)}`;
    case 'LARGE OBJECT': return `large object ${on.oid}`;
    default: {
      const names = on.objects.map(({ name }) => name);
      return `${list(`${objectWord(on.type)}s`, names)} in schema ${quoted(on.schema)}`;
    }
  }
}

function describeFuture({ creator, schema, objects }: FutureTarget): string {
  return `${objects.toLowerCase()} that ${quoted(creator)} creates in ${schema === undefined ? 'all schemas' : `schema ${quoted(schema)}`}`;
}

const NAMED_ONE_BY_ONE = 3;

function list(plural: string, names: string[]): string {
  const kind = plural === 'roles' ? '' : `${plural.slice(0, names.length === 1 ? -1 : undefined)} `;
  return names.length <= NAMED_ONE_BY_ONE
    ? `${kind}${names.map(name => plural === 'roles' && name === PUBLIC ? 'PUBLIC' : quoted(name)).join(', ')}`
    : `${names.length} ${plural} (${names.slice(0, NAMED_ONE_BY_ONE).map(quoted).join(', ')}, ...)`;
}

function quoted(name: string): string {
  return JSON.stringify(name);
}
