import { escapeIdentifier, escapeLiteral } from 'pg';
import { PostgresqlMajor } from './binaries';

/**
 * - `grantable`: the master may grant `rds_iam`, as on Aurora
 * - `notGrantable`: it may not
 * - `absent`: the role does not exist, as on a PostgreSQL that is not RDS
 */
export type RdsIamRole = 'grantable' | 'notGrantable' | 'absent';

export interface Master {
  readonly username: string;
  readonly password: string;
}

export interface BootstrapOptions {
  readonly major: PostgresqlMajor;
  readonly master: Master;
  readonly rdsIam: RdsIamRole;
  readonly databases: string[];
}

/** Statements that make a fresh PostgreSQL look like a new Aurora cluster: the roles of RDS and a master that is no superuser. */
export function bootstrap({ major, master, rdsIam, databases }: BootstrapOptions): string[] {
  const username = escapeIdentifier(master.username);
  return [
    `CREATE ROLE rds_superuser NOLOGIN;
     CREATE ROLE rds_ad NOLOGIN;
     CREATE ROLE rds_password NOLOGIN;
     CREATE ROLE rds_replication NOLOGIN;
     CREATE ROLE rdsrepladmin NOLOGIN NOINHERIT REPLICATION;
     GRANT pg_monitor, pg_signal_backend, pg_checkpoint, pg_read_all_data, pg_write_all_data,
       rds_password, rds_replication TO rds_superuser WITH ADMIN OPTION`,
    ...major >= 16
      ? [`CREATE ROLE rds_extension NOLOGIN NOINHERIT;
          CREATE ROLE rds_reserved NOLOGIN NOINHERIT;
          GRANT pg_create_subscription, pg_use_reserved_connections TO rds_superuser WITH ADMIN OPTION`]
      : [],
    ...major >= 17 ? ['GRANT pg_maintain TO rds_superuser WITH ADMIN OPTION'] : [],
    `CREATE ROLE ${username} LOGIN NOSUPERUSER INHERIT CREATEDB CREATEROLE NOREPLICATION
       VALID UNTIL 'infinity' PASSWORD ${escapeLiteral(master.password)};
     GRANT rds_superuser TO ${username};
     ALTER DATABASE postgres OWNER TO ${username};
     ALTER DATABASE template1 OWNER TO ${username}`,
    ...rdsIam === 'absent' ? [] : ['CREATE ROLE rds_iam NOLOGIN'],
    // Up to 15 CREATEROLE is the right to grant any role; from 16 on it takes the ADMIN option.
    ...rdsIam === 'grantable' && major >= 16 ? [`GRANT rds_iam TO ${username} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE`] : [],
    ...rdsIam === 'notGrantable' && major < 16 ? [`ALTER ROLE ${username} NOCREATEROLE`] : [],
    // Copying files is the faster strategy here, where nothing is synced.
    'CREATE DATABASE rdsadmin STRATEGY file_copy',
    ...databases.map(name => `CREATE DATABASE ${escapeIdentifier(name)} OWNER ${username} STRATEGY file_copy`),
  ];
}

/**
 * Whether a login as $1 is a login with IAM, that is whether it reaches `rds_iam` directly or through other roles.
 * Left out is the ADMIN-only membership that a creator has from 16 on: it makes nobody a member on RDS.
 */
export const IS_IAM_USER = `
WITH RECURSIVE reachable(oid, path) AS (
  SELECT oid, ARRAY[rolname::text] FROM pg_catalog.pg_roles WHERE rolname = $1
  UNION ALL
  SELECT m.roleid, r.path || g.rolname::text
  FROM reachable r
  JOIN pg_catalog.pg_auth_members m ON m.member = r.oid
  JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
  WHERE NOT g.rolname = ANY (r.path)
    AND NOT (m.admin_option
      AND NOT coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, true)
      AND NOT coalesce((to_jsonb(m) ->> 'set_option')::boolean, true))
)
SELECT 1 FROM reachable WHERE path[cardinality(path)] = 'rds_iam' LIMIT 1`;
