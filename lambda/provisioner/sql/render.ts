import { Change, ChangeOf } from '../change';
import { REGISTRY_SCHEMA } from './catalog';
import { identifier } from './identifier';

/** Everything that changes the database. */

type Renderer = { readonly [K in Change['kind']]: (change: ChangeOf<K>) => string };

// Never SUPERUSER, REPLICATION or BYPASSRLS, not even negated: RDS refuses them to the master. Never PASSWORD or VALID UNTIL:
// rds.restrict_password_commands refuses them, and an IAM user has neither.
const RENDERER: Renderer = {
  createUser: ({ username }) => `CREATE USER ${identifier(username)} NOLOGIN`,
  renameUser: ({ username, to }) => `ALTER ROLE ${identifier(username)} RENAME TO ${identifier(to)}`,
  grantOnDatabase: ({ privilege, database, username }) => `GRANT ${privilege} ON DATABASE ${identifier(database)} TO ${identifier(username)}`,
  revokeOnDatabase: ({ privilege, database, username }) => `REVOKE ${privilege} ON DATABASE ${identifier(database)} FROM ${identifier(username)}`,
  grantRole: ({ role, username }) => `GRANT ${roleName(role)} TO ${identifier(username)}`,
  revokeRole: ({ role, username }) => `REVOKE ${roleName(role)} FROM ${identifier(username)}`,
  allowLogin: ({ username }) => `ALTER USER ${identifier(username)} LOGIN`,
  forbidLogin: ({ username }) => `ALTER USER ${identifier(username)} NOLOGIN`,
  dropUser: ({ username }) => `DROP ROLE ${identifier(username)}`,
};

export function render(change: Change): string {
  return (RENDERER[change.kind] as (change: Change) => string)(change);
}

/** Reads as in every AWS guide: GRANT rds_iam TO "name". */
function roleName(role: string): string {
  return role === 'rds_iam' ? role : identifier(role);
}

/** ('dbus', 1): every provisioner takes this lock in database postgres before it changes roles, memberships or privileges on databases. */
export const LOCK_KEY = [1684174195, 1] as const;
export const LOCK = `SELECT pg_catalog.pg_advisory_xact_lock(${LOCK_KEY.join(', ')})`;

export const BEGIN = 'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE';
export const COMMIT = 'COMMIT';
export const ROLLBACK = 'ROLLBACK';

/** Milliseconds, for this transaction. */
export interface Timeouts {
  readonly lock_timeout?: number;
  readonly statement_timeout?: number;
  readonly idle_in_transaction_session_timeout?: number;
}

export function setLocal(timeouts: Timeouts): string {
  const settings = Object.entries(timeouts).map(([name, milliseconds]) => `pg_catalog.set_config('${name}', '${Math.ceil(milliseconds as number)}', true)`);
  return `SELECT ${settings.join(', ')}`;
}

/** With it, 16 and newer would make the admin an effective member of every role it creates. */
export const NO_SELF_GRANT = "SET LOCAL createrole_self_grant = ''";

export const SAVEPOINT = 'SAVEPOINT attempt';
export const ROLLBACK_TO_SAVEPOINT = 'ROLLBACK TO SAVEPOINT attempt';

/** $1 role oid */
export const END_SESSIONS = 'SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE usesysid = $1::text::oid';

export const CREATE_REGISTRY = [
  `CREATE SCHEMA ${REGISTRY_SCHEMA}`,
  `COMMENT ON SCHEMA ${REGISTRY_SCHEMA} IS 'cdk-aurora-iam-auth: which CloudFormation resource manages which role'`,
  `CREATE TABLE ${REGISTRY_SCHEMA}.managed_role (
    role_oid oid NOT NULL,
    stack text NOT NULL,
    stack_id text NOT NULL,
    logical_id text NOT NULL,
    resource_id text NOT NULL,
    username text NOT NULL,
    declaration jsonb NOT NULL,
    disabled boolean NOT NULL DEFAULT false,
    PRIMARY KEY (role_oid, stack, logical_id))`,
];

export const DROP_REGISTRY = [`DROP TABLE ${REGISTRY_SCHEMA}.managed_role`, `DROP SCHEMA ${REGISTRY_SCHEMA}`];

/** $1 stack id, $2 logical id: what the resource managed before this */
export const FORGET_RESOURCE = `
  DELETE FROM ${REGISTRY_SCHEMA}.managed_role WHERE stack_id = $1 AND logical_id = $2 AND NOT disabled`;

/** Roles that were dropped by hand. */
export const FORGET_DROPPED = `
  DELETE FROM ${REGISTRY_SCHEMA}.managed_role WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE oid = role_oid)`;

/** $1 role oid, $2 stack, $3 logical id */
export const FORGET_CLAIM = `
  DELETE FROM ${REGISTRY_SCHEMA}.managed_role WHERE role_oid = $1::text::oid AND stack = $2 AND logical_id = $3`;

/** $1 username (of the role, and as declared), $2 stack, $3 stack id, $4 logical id, $5 resource id, $6 declaration */
export const RECORD = `
  INSERT INTO ${REGISTRY_SCHEMA}.managed_role (role_oid, username, stack, stack_id, logical_id, resource_id, declaration)
  SELECT oid, $1::text, $2::text, $3::text, $4::text, $5::text, $6::jsonb FROM pg_catalog.pg_roles WHERE rolname = $1::text
  ON CONFLICT (role_oid, stack, logical_id) DO UPDATE
  SET username = excluded.username, stack_id = excluded.stack_id, resource_id = excluded.resource_id, declaration = excluded.declaration, disabled = false`;

/** A role has another name ($1 old, $2 new): so it has in the declarations that name it. */
export const RENAME_IN_DECLARATIONS = `
  UPDATE ${REGISTRY_SCHEMA}.managed_role
  SET declaration = jsonb_set(declaration, '{memberOf}', (
    SELECT jsonb_agg(CASE role WHEN $1::text THEN $2::text ELSE role END) FROM jsonb_array_elements_text(declaration -> 'memberOf') AS role))
  WHERE declaration -> 'memberOf' ? $1::text`;

/** $1 role oid, $2 stack, $3 logical id */
export const KEEP_DISABLED = `
  UPDATE ${REGISTRY_SCHEMA}.managed_role SET disabled = true WHERE role_oid = $1::text::oid AND stack = $2 AND logical_id = $3`;
