import {
  type ActAs,
  type Change,
  type ChangeOf,
  type FutureTarget,
  type ObjectName,
  PUBLIC,
  type Target,
} from '../core/change';
import { ownedObjects } from './dependencies';
import { identifier, literal, qualified, withIdentifiers } from './quote';

/** Everything that changes roles, privileges and schemas, as statements. */

/** Who executes them, and where. */
export interface Dialect {
  readonly admin: string;
  /** As in server_version_num: 170010 is 17.10. */
  readonly version: number;
  /** How the admin stands to the roles that it must act as. */
  readonly adminMemberships: ReadonlyMap<string, AdminMembership>;
}

/**
 * - `held`: the admin is a member already, and inherits its rights
 * - `set`: it is a member that does not inherit and may not grant the role, but can act as it (16 and newer)
 * - `none`: it is none, and will be one only for the change
 * - options: it made itself one that passes less on (16 and newer), which is to be as it was
 */
export type AdminMembership = 'held' | 'set' | 'none' | { readonly inherit: boolean; readonly set: boolean };

type Renderer = { readonly [K in Change['kind']]: (change: ChangeOf<K>, dialect: Dialect) => string[] };

// Never SUPERUSER, REPLICATION or BYPASSRLS, not even negated: RDS refuses them to the master. Never PASSWORD or VALID
// UNTIL: rds.restrict_password_commands refuses them, and an IAM user has neither.
const RENDERER: Renderer = {
  createRole: ({ role, roleKind }) => [`CREATE ${roleKind.toUpperCase()} ${identifier(role)} NOLOGIN`],
  renameRole: ({ role, to }) => [`ALTER ROLE ${identifier(role)} RENAME TO ${identifier(to)}`],
  dropRole: ({ role }) => [`DROP ROLE ${identifier(role)}`],
  allowLogin: ({ role }) => [`ALTER USER ${identifier(role)} LOGIN`],
  forbidLogin: ({ role }) => [`ALTER USER ${identifier(role)} NOLOGIN`],
  grantRole: ({ group, roles, options, inherit, admin }, { version }) => {
    const withOptions = hasMembershipOptions(version);
    const grant = `GRANT ${groupName(group)} TO ${identifiers(roles)}${withOptions && (options || inherit) ? ' WITH INHERIT TRUE, SET TRUE' : ''}${admin ? ' WITH ADMIN OPTION' : ''}`;
    // Up to 15 a role inherits from all groups or from none.
    const attributes
      = withOptions || !(options || inherit) ? [] : roles.map(role => `ALTER ROLE ${identifier(role)} INHERIT`);
    return [...attributes, ...options && !withOptions ? [] : [grant]];
  },
  revokeRole: ({ group, roles, grantor, admin }, dialect) =>
    acting({ grantor }, dialect, [
      `REVOKE ${admin ? 'ADMIN OPTION FOR ' : ''}${groupName(group)} FROM ${identifiers(roles)} CASCADE`,
    ]),
  grant: ({ privileges, on, roles, grantable, ...by }, dialect) =>
    acting(by, dialect, [
      `GRANT ${onTarget(privileges, on)} TO ${grantees(roles)}${grantable ? ' WITH GRANT OPTION' : ''}`,
    ]),
  // What the role has passed on goes as well.
  revoke: ({ privileges, on, roles, grantable, ...by }, dialect) =>
    acting(by, dialect, [
      `REVOKE ${grantable ? 'GRANT OPTION FOR ' : ''}${onTarget(privileges, on)} FROM ${grantees(roles)} CASCADE`,
    ]),
  grantFuture: ({ privileges, on, roles, grantable, as }, dialect) =>
    asMember(as, dialect, [
      `${alterDefault(on)} GRANT ${privileges.join(', ')} ON ${on.objects} TO ${identifiers(roles)}${grantable ? ' WITH GRANT OPTION' : ''}`,
    ]),
  revokeFuture: ({ privileges, on, roles, grantable, as }, dialect) =>
    asMember(as, dialect, [
      `${alterDefault(on)} REVOKE ${grantable ? 'GRANT OPTION FOR ' : ''}${privileges.join(', ')} ON ${on.objects} FROM ${identifiers(roles)}`,
    ]),
  setParameter: ({ role, database, parameter, value }) => [
    `ALTER ROLE ${identifier(role)}${database === undefined ? '' : ` IN DATABASE ${identifier(database)}`} `
    + (value === undefined
      ? `RESET ${parameterName(parameter)}`
      : `SET ${parameterName(parameter)} TO ${value.length === 0 ? "''" : [value].flat().map(literal).join(', ')}`),
  ],
  limitConnections: ({ role, limit }) => [`ALTER ROLE ${identifier(role)} CONNECTION LIMIT ${limit}`],
  createSchema: ({ schema, role, as }, dialect) =>
    asMember(as, dialect, [`CREATE SCHEMA ${identifier(schema)} AUTHORIZATION ${identifier(role)}`]),
  dropSchema: ({ schema, as }, dialect) => asMember(as, dialect, [`DROP SCHEMA ${identifier(schema)} RESTRICT`]),
  reassignOwned: ({ role, to, as }, dialect) => {
    const reassign = [`REASSIGN OWNED BY ${identifier(role)} TO ${identifier(to)}`];
    // It must have the rights of both; as the new owner alone, which is a member of the other for the moment.
    return dialect.adminMemberships.get(to) === 'set'
      ? [
          `GRANT ${identifier(role)} TO ${identifier(to)} WITH INHERIT TRUE, SET TRUE`,
          ...inRole(to, reassign),
          `REVOKE ${identifier(role)} FROM ${identifier(to)}`,
        ]
      : as.reduce((statements, acting) => asMember(acting, dialect, statements), reassign);
  },
  // It would drop what the role owns, so that is looked up once more in the same breath.
  dropOwned: ({ role, as }, dialect) => asMember(as, dialect, [`DO ${literal(`
    BEGIN
      IF EXISTS (${ownedObjects(role)}) THEN
        RAISE EXCEPTION 'it owns objects by now' USING ERRCODE = 'dependent_objects_still_exist';
      END IF;
      DROP OWNED BY ${identifier(role)};
    END`)}`]),
};

export function render(change: Change, dialect: Dialect): string[] {
  return (RENDERER[change.kind] as (change: Change, dialect: Dialect) => string[])(change, dialect);
}

/** From 16 on a membership has INHERIT and SET options of its own. */
export function hasMembershipOptions(version: number): boolean {
  return version >= 160000;
}

/**
 * As the grantor itself, which needs USAGE on the schema then; a member of the owner counts as the owner, and keeps
 * rights of its own.
 */
function acting({ as, grantor }: ActAs, dialect: Dialect, statements: string[]): string[] {
  if (grantor === undefined) {
    return asMember(as, dialect, statements);
  }
  return dialect.adminMemberships.get(grantor) === 'set'
    ? inRole(grantor, statements)
    : asMember(grantor, dialect, inRole(grantor, statements));
}

function inRole(role: string, statements: string[]): string[] {
  return [`SET LOCAL ROLE ${identifier(role)}`, ...statements, 'SET LOCAL ROLE NONE'];
}

/** What the role that may do it would execute, in words and on its own: for those who read the reason of a failure. */
export function statementOf(change: Change, dialect: Dialect): string {
  return render({ ...change, as: undefined, grantor: undefined } as Change, dialect).join('; ');
}

/**
 * With the privileges of that role. At the commit the admin must not be a member any more: the role may be one of
 * rds_iam.
 *
 * @see https://www.postgresql.org/docs/current/sql-grant.html
 */
function asMember(
  as: string | undefined,
  { admin, version, adminMemberships }: Dialect,
  statements: string[],
): string[] {
  const before = as === undefined ? 'held' : adminMemberships.get(as) ?? 'none';
  if (as === undefined || before === 'held') {
    return statements;
  }
  if (before === 'set') {
    return inRole(as, statements);
  }
  const [role, member] = [as, admin].map(identifier);
  const back = before === 'none'
    ? `REVOKE ${role} FROM ${member}`
    : `GRANT ${role} TO ${member} WITH INHERIT ${before.inherit}, SET ${before.set}`;
  return [
    `GRANT ${role} TO ${member}${hasMembershipOptions(version) ? ' WITH INHERIT TRUE, SET TRUE' : ''}`,
    ...statements,
    back,
  ];
}

function alterDefault({ creator, schema }: FutureTarget): string {
  return `ALTER DEFAULT PRIVILEGES FOR ROLE ${identifier(creator)}${schema === undefined ? '' : ` IN SCHEMA ${identifier(schema)}`}`;
}

function onTarget(privileges: string[], on: Target): string {
  const words = privileges.join(', ');
  switch (on.type) {
    case 'DATABASE': return `${words} ON DATABASE ${identifier(on.database)}`;
    case 'SCHEMA': return `${words} ON SCHEMA ${identifier(on.schema)}`;
    case 'COLUMN': {
      const columns = identifiers(on.columns);
      return `${privileges.map(privilege => `${privilege} (${columns})`).join(', ')} ON TABLE ${qualified(on.schema, on.table)}`;
    }
    case 'LANGUAGE':
    case 'FOREIGN DATA WRAPPER':
    case 'FOREIGN SERVER':
    case 'TABLESPACE': return `${words} ON ${on.type} ${identifier(on.name)}`;
    case 'PARAMETER': return `${words} ON PARAMETER ${parameterName(on.name)}`;
    case 'LARGE OBJECT': return `${words} ON LARGE OBJECT ${BigInt(on.oid)}`;
    default: return `${words} ON ${on.type} ${on.objects.map(object => objectName(on.schema, object)).join(', ')}`;
  }
}

/** One of an extension has two names, with a dot in between. */
function parameterName(name: string): string {
  return name.split('.').map(identifier).join('.');
}

function objectName(schema: string, { name, args }: ObjectName): string {
  return `${qualified(schema, name)}${args === undefined ? '' : `(${withIdentifiers(args)})`}`;
}

function grantees(roles: string[]): string {
  return roles.map(role => role === PUBLIC ? 'PUBLIC' : identifier(role)).join(', ');
}

function identifiers(names: string[]): string {
  return names.map(identifier).join(', ');
}

/** Reads as in every AWS guide: GRANT rds_iam TO "name". */
function groupName(role: string): string {
  return role === 'rds_iam' ? role : identifier(role);
}
