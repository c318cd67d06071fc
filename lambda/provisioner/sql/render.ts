import { Acting, Change, ChangeOf, FutureTarget, Target } from '../change';
import { ownedObjects } from './catalog';
import { identifier, literal, qualified } from './quote';

/** Everything that changes roles, privileges and schemas, as statements. */

/** Who executes them, and where. */
export interface Dialect {
  readonly admin: string;
  /** As in server_version_num: 170010 is 17.10. */
  readonly version: number;
  /** How the admin stands to the roles that it must act as. */
  readonly standing: ReadonlyMap<string, Standing>;
}

/**
 * - `held`: the admin is a member already
 * - `none`: it is none, and will be one only for the change
 * - options: it made itself one that passes less on (16 and newer), which is to be as it was
 */
export type Standing = 'held' | 'none' | { readonly inherit: boolean; readonly set: boolean };

type Renderer = { readonly [K in Change['kind']]: (change: ChangeOf<K>, dialect: Dialect) => string[] };

// Never SUPERUSER, REPLICATION or BYPASSRLS, not even negated: RDS refuses them to the master. Never PASSWORD or VALID UNTIL:
// rds.restrict_password_commands refuses them, and an IAM user has neither.
const RENDERER: Renderer = {
  createRole: ({ role, roleKind }) => [`CREATE ${roleKind.toUpperCase()} ${identifier(role)} NOLOGIN`],
  renameRole: ({ role, to }) => [`ALTER ROLE ${identifier(role)} RENAME TO ${identifier(to)}`],
  dropRole: ({ role }) => [`DROP ROLE ${identifier(role)}`],
  allowLogin: ({ role }) => [`ALTER USER ${identifier(role)} LOGIN`],
  forbidLogin: ({ role }) => [`ALTER USER ${identifier(role)} NOLOGIN`],
  grantRole: ({ group, roles, options, admin }, { version }) => options && !hasMembershipOptions(version)
    ? roles.map(role => `ALTER ROLE ${identifier(role)} INHERIT`)
    : [`GRANT ${groupName(group)} TO ${identifiers(roles)}${options ? ' WITH INHERIT TRUE, SET TRUE' : ''}${admin ? ' WITH ADMIN OPTION' : ''}`],
  revokeRole: ({ group, roles, grantor, admin }, dialect) =>
    acting({ grantor }, dialect, [`REVOKE ${admin ? 'ADMIN OPTION FOR ' : ''}${groupName(group)} FROM ${identifiers(roles)} CASCADE`]),
  grant: ({ privileges, on, roles, grantable, ...by }, dialect) =>
    acting(by, dialect, [`GRANT ${onTarget(privileges, on)} TO ${identifiers(roles)}${grantable ? ' WITH GRANT OPTION' : ''}`]),
  // What the role has passed on goes as well.
  revoke: ({ privileges, on, roles, grantable, ...by }, dialect) =>
    acting(by, dialect, [`REVOKE ${grantable ? 'GRANT OPTION FOR ' : ''}${onTarget(privileges, on)} FROM ${identifiers(roles)} CASCADE`]),
  grantFuture: ({ privileges, on, roles, grantable, as }, dialect) =>
    asMember(as, dialect, [`${alterDefault(on)} GRANT ${privileges.join(', ')} ON ${on.objects} TO ${identifiers(roles)}${grantable ? ' WITH GRANT OPTION' : ''}`]),
  revokeFuture: ({ privileges, on, roles, grantable, as }, dialect) =>
    asMember(as, dialect, [`${alterDefault(on)} REVOKE ${grantable ? 'GRANT OPTION FOR ' : ''}${privileges.join(', ')} ON ${on.objects} FROM ${identifiers(roles)}`]),
  createSchema: ({ schema, role, as }, dialect) => asMember(as, dialect, [`CREATE SCHEMA ${identifier(schema)} AUTHORIZATION ${identifier(role)}`]),
  dropSchema: ({ schema, as }, dialect) => asMember(as, dialect, [`DROP SCHEMA ${identifier(schema)} RESTRICT`]),
  reassignOwned: ({ role, to, as }, dialect) =>
    as.reduce((statements, acting) => asMember(acting, dialect, statements), [`REASSIGN OWNED BY ${identifier(role)} TO ${identifier(to)}`]),
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

/** As the grantor itself, which needs USAGE on the schema then; a member of the owner counts as the owner, and keeps rights of its own. */
function acting({ as, grantor }: Acting, dialect: Dialect, statements: string[]): string[] {
  return grantor === undefined
    ? asMember(as, dialect, statements)
    : asMember(grantor, dialect, [`SET LOCAL ROLE ${identifier(grantor)}`, ...statements, 'RESET ROLE']);
}

/** What the role that may do it would execute, in words and on its own: for those who read the reason of a failure. */
export function statementOf(change: Change, dialect: Dialect): string {
  return render({ ...change, as: undefined, grantor: undefined } as Change, dialect).join('; ');
}

/**
 * With the privileges of that role. At the commit the admin must not be a member any more: the role may be one of rds_iam.
 *
 * @see https://www.postgresql.org/docs/current/sql-grant.html
 */
function asMember(as: string | undefined, { admin, version, standing }: Dialect, statements: string[]): string[] {
  const before = as === undefined ? 'held' : standing.get(as) ?? 'none';
  if (as === undefined || before === 'held') {
    return statements;
  }
  const [role, member] = [as, admin].map(identifier);
  const back = before === 'none'
    ? `REVOKE ${role} FROM ${member}`
    : `GRANT ${role} TO ${member} WITH INHERIT ${before.inherit}, SET ${before.set}`;
  return [`GRANT ${role} TO ${member}${hasMembershipOptions(version) ? ' WITH INHERIT TRUE, SET TRUE' : ''}`, ...statements, back];
}

function alterDefault({ creator, schema }: FutureTarget): string {
  return `ALTER DEFAULT PRIVILEGES FOR ROLE ${identifier(creator)}${schema === undefined ? '' : ` IN SCHEMA ${identifier(schema)}`}`;
}

function onTarget(privileges: string[], on: Target): string {
  const words = privileges.join(', ');
  switch (on.type) {
    case 'DATABASE': return `${words} ON DATABASE ${identifier(on.database)}`;
    case 'SCHEMA': return `${words} ON SCHEMA ${identifier(on.schema)}`;
    case 'TABLE':
    case 'SEQUENCE':
    case 'TYPE': return `${words} ON ${on.type} ${on.names.map(name => qualified(on.schema, name)).join(', ')}`;
    case 'COLUMN': {
      const columns = identifiers(on.columns);
      return `${privileges.map(privilege => `${privilege} (${columns})`).join(', ')} ON TABLE ${qualified(on.schema, on.table)}`;
    }
    case 'ROUTINE': return `${words} ON ROUTINE ${on.routines.map(({ name, args }) => `${qualified(on.schema, name)}(${args})`).join(', ')}`;
    case 'LANGUAGE':
    case 'FOREIGN DATA WRAPPER':
    case 'FOREIGN SERVER':
    case 'TABLESPACE': return `${words} ON ${on.type} ${identifier(on.name)}`;
    // One of an extension has two names, with a dot in between.
    case 'PARAMETER': return `${words} ON PARAMETER ${on.name.split('.').map(identifier).join('.')}`;
    case 'LARGE OBJECT': return `${words} ON LARGE OBJECT ${BigInt(on.oid)}`;
  }
}

function identifiers(names: string[]): string {
  return names.map(identifier).join(', ');
}

/** Reads as in every AWS guide: GRANT rds_iam TO "name". */
function groupName(role: string): string {
  return role === 'rds_iam' ? role : identifier(role);
}
