import { escapeIdentifier, escapeLiteral } from 'pg';
import { PostgresqlMajor } from './binaries';

/**
 * - `grantable`: the master may grant `rds_iam`, as on Aurora
 * - `notGrantable`: it may not
 * - `absent`: the role does not exist, as on a PostgreSQL that is not RDS
 */
export type RdsIamRole = 'grantable' | 'notGrantable' | 'absent';

/**
 * What the master may do with roles, from 16 on. Up to 15 there is one rule: CREATEROLE is the right to grant any role.
 *
 * - `plain`: as on PostgreSQL. The master has ADMIN OPTION on `rds_iam` and on the roles it creates, and is the
 *   grantor.
 * - `rdsLike`: as reported from RDS. The master needs no ADMIN OPTION, gets none on the roles it creates, and the
 *   grantor is `rdsadmin`. The master is a superuser for that, so no test notices a privilege that it lacks.
 * - `strict`: as `plain`, and a login counts every membership that leads to `rds_iam`: that with ADMIN OPTION alone,
 *   too, as `pg_hba.conf` does on PostgreSQL. Not counted is the ADMIN OPTION on `rds_iam` itself, without which the
 *   master could not grant it.
 */
export type RoleRules = 'plain' | 'rdsLike' | 'strict';

export interface Master {
  readonly username: string;
  readonly password: string;
}

export interface BootstrapOptions {
  readonly major: PostgresqlMajor;
  readonly master: Master;
  readonly rdsIam: RdsIamRole;
  readonly roleRules: RoleRules;
  readonly databases: string[];
}

export interface BootstrapStatement {
  readonly database: 'postgres' | 'template1';
  readonly text: string;
}

/**
 * Statements that make a fresh PostgreSQL look like a new Aurora cluster: the roles of RDS and a master that is no
 * superuser.
 */
export function bootstrap(options: BootstrapOptions): BootstrapStatement[] {
  const { major, master, rdsIam, databases } = options;
  const username = escapeIdentifier(master.username);
  const inPostgres = (text: string) => ({ database: 'postgres' as const, text });
  // Copying files is the faster strategy here, where nothing is synced, and the only one of 14.
  const strategy = major >= 15 ? 'STRATEGY file_copy' : '';
  // From 15 on it belongs to the owner of the database, and not every role may create in it.
  const publicSchema = `ALTER SCHEMA public OWNER TO ${username}`;
  return [
    ...[
      `CREATE ROLE rds_superuser NOLOGIN;
       CREATE ROLE rds_ad NOLOGIN;
       CREATE ROLE rds_password NOLOGIN;
       CREATE ROLE rds_replication NOLOGIN;
       CREATE ROLE rdsrepladmin NOLOGIN NOINHERIT REPLICATION;
       GRANT pg_monitor, pg_signal_backend, rds_password, rds_replication TO rds_superuser WITH ADMIN OPTION`,
      ...(major >= 15
        ? ['GRANT pg_checkpoint, pg_read_all_data, pg_write_all_data TO rds_superuser WITH ADMIN OPTION']
        : []),
      ...major >= 16
        ? [`CREATE ROLE rds_extension NOLOGIN NOINHERIT;
            CREATE ROLE rds_reserved NOLOGIN NOINHERIT;
            GRANT pg_create_subscription, pg_use_reserved_connections TO rds_superuser WITH ADMIN OPTION`]
        : [],
      ...major >= 17 ? ['GRANT pg_maintain TO rds_superuser WITH ADMIN OPTION'] : [],
      ...major >= 18 ? ['GRANT pg_signal_autovacuum_worker TO rds_superuser WITH ADMIN OPTION'] : [],
      `CREATE ROLE ${username} LOGIN NOSUPERUSER INHERIT CREATEDB CREATEROLE NOREPLICATION
         VALID UNTIL 'infinity' PASSWORD ${escapeLiteral(master.password)};
       GRANT rds_superuser TO ${username};
       ALTER DATABASE postgres OWNER TO ${username};
       ALTER DATABASE template1 OWNER TO ${username}`,
      ...major < 15 ? [publicSchema] : [],
      ...rdsIam === 'absent' ? [] : ['CREATE ROLE rds_iam NOLOGIN'],
      ...adminOfRoles(options, username),
    ].map(inPostgres),
    ...major < 15 ? [{ database: 'template1' as const, text: publicSchema }] : [],
    ...[
      `CREATE DATABASE rdsadmin ${strategy}`,
      ...databases.map(name => `CREATE DATABASE ${escapeIdentifier(name)} OWNER ${username} ${strategy}`),
    ].map(inPostgres),
  ];
}

/** Up to 15 CREATEROLE is the right to grant any role; from 16 on it takes the ADMIN option. */
function adminOfRoles({ major, rdsIam, roleRules }: BootstrapOptions, username: string): string[] {
  if (roleRules === 'rdsLike') {
    if (major < 16) {
      throw new Error(`roleRules rdsLike is for PostgreSQL 16 and later, not ${major}`);
    }
    if (rdsIam === 'notGrantable') {
      throw new Error('with roleRules rdsLike the master is a superuser, so rds_iam cannot be notGrantable');
    }
    return [`ALTER ROLE ${username} SUPERUSER`];
  }
  if (roleRules === 'strict' && major < 16) {
    throw new Error(
      `roleRules strict is for PostgreSQL 16 and later, not ${major}: up to 15 every membership counts anyway`,
    );
  }
  if (major >= 16) {
    return rdsIam === 'grantable' ? [`GRANT rds_iam TO ${username} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE`] : [];
  }
  return rdsIam === 'notGrantable' ? [`ALTER ROLE ${username} NOCREATEROLE`] : [];
}

/**
 * Whether a login as $1 is a login with IAM, that is whether it reaches `rds_iam` directly or through other roles.
 * Which memberships with ADMIN OPTION alone lead there, as a creator has them from 16 on, is not documented for RDS.
 */
export function isIamUser(rules: RoleRules): string {
  const counted
    = rules === 'strict' ? "m.roleid <> (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = 'rds_iam')" : 'false';
  return `
WITH RECURSIVE reachable(oid) AS (
  SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1
  UNION
  SELECT m.roleid FROM reachable r JOIN pg_catalog.pg_auth_members m ON m.member = r.oid
  WHERE ${counted} OR NOT (m.admin_option
    AND NOT coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, true)
    AND NOT coalesce((to_jsonb(m) ->> 'set_option')::boolean, true))
)
SELECT 1 FROM reachable JOIN pg_catalog.pg_roles USING (oid) WHERE rolname = 'rds_iam'`;
}
