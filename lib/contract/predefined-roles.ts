/**
 * The roles that PostgreSQL and RDS bring along, and what membership in each gives: one table for synthesis,
 * deployment, access report and docs/security.md.
 *
 * @see https://www.postgresql.org/docs/current/predefined-roles.html
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Appendix.PostgreSQL.CommonDBATasks.Roles.html
 */
export interface PredefinedRole {
  readonly name: string;

  /** The first major version that has it; undefined where all supported ones do. */
  readonly since?: number;

  /**
   * - `refused`: no user or group role of this library can be a member
   * - `acknowledged`: the app must acknowledge a warning, because its members have rights like those of the admin, or
   *   can stop all sign-ins
   * - `allowed`: listed in docs/security.md with what members can and cannot do
   */
  readonly membership: 'refused' | 'acknowledged' | 'allowed';

  /** What members can do; completes "its members". */
  readonly members: string;

  /** What to do instead; only where membership is refused. */
  readonly remedy?: string;

  /** Id of the warning; only where it must be acknowledged. */
  readonly warning?: string;
}

const WITHOUT = 'leave it out';
const BECOMES_SUPERUSER = 'can become a superuser, as PostgreSQL documents';

export const PREDEFINED_ROLES: readonly PredefinedRole[] = [
  { name: 'pg_checkpoint', since: 15, membership: 'allowed', members: 'can run CHECKPOINT' },
  {
    name: 'pg_create_subscription',
    since: 16,
    membership: 'allowed',
    members: 'can create subscriptions in databases where they have CREATE',
  },
  {
    name: 'pg_database_owner',
    membership: 'refused',
    members: 'are always exactly the owner of the database',
    remedy: 'PostgreSQL refuses other members; leave it out',
  },
  { name: 'pg_execute_server_program', membership: 'refused', members: BECOMES_SUPERUSER, remedy: WITHOUT },
  {
    name: 'pg_maintain',
    since: 17,
    membership: 'acknowledged',
    warning: 'cdk-aurora-iam-auth:memberOfPgMaintain',
    members:
      'can lock every table, those of the system catalog included, so that no role can sign in and no deployment can change one until their session ends',
  },
  {
    name: 'pg_monitor',
    membership: 'allowed',
    members: 'can read all settings and statistics, the statements of other sessions included',
  },
  { name: 'pg_read_all_data', membership: 'allowed', members: 'can read every table that has no row-level security' },
  { name: 'pg_read_all_settings', membership: 'allowed', members: 'can read all settings' },
  {
    name: 'pg_read_all_stats',
    membership: 'allowed',
    members: 'can read all statistics, the statements of other sessions included',
  },
  { name: 'pg_read_server_files', membership: 'refused', members: BECOMES_SUPERUSER, remedy: WITHOUT },
  {
    name: 'pg_signal_autovacuum_worker',
    since: 18,
    membership: 'allowed',
    members: 'can cancel and end autovacuum workers',
  },
  {
    name: 'pg_signal_backend',
    membership: 'allowed',
    members: 'can cancel and end the sessions of every role that is no superuser, those of the provisioner included',
  },
  {
    name: 'pg_stat_scan_tables',
    membership: 'allowed',
    members: 'can run monitoring functions that lock tables for reading',
  },
  {
    name: 'pg_use_reserved_connections',
    since: 16,
    membership: 'allowed',
    members: 'can use the connections that reserved_connections keeps free',
  },
  {
    name: 'pg_write_all_data',
    membership: 'allowed',
    members:
      'can change every table that has no row-level security, and lock every table that is not of the system catalog',
  },
  { name: 'pg_write_server_files', membership: 'refused', members: BECOMES_SUPERUSER, remedy: WITHOUT },
  {
    name: 'rds_ad',
    membership: 'refused',
    members: 'sign in with Kerberos, and AWS says not to combine it with rds_iam, directly or through other roles',
    remedy: 'let a role that is not managed by this library sign in with Kerberos',
  },
  {
    name: 'rds_password',
    membership: 'allowed',
    members:
      'can set passwords and their expiry where rds.restrict_password_commands restricts that, of the roles that they may alter',
  },
  {
    name: 'rds_replication',
    membership: 'allowed',
    members: 'can create and read replication slots, and so every change of rows in the database',
  },
  {
    name: 'rds_superuser',
    membership: 'acknowledged',
    warning: 'cdk-aurora-iam-auth:memberOfRdsSuperuser',
    members: 'have the highest rights that RDS gives in PostgreSQL',
  },
  {
    name: 'rdsadmin',
    membership: 'refused',
    members: 'are superusers, and it belongs to AWS',
    remedy: 'for a DBA who signs in with IAM, use rds_superuser',
  },
];

const BY_NAME = new Map(PREDEFINED_ROLES.map(role => [role.name, role]));

/** A role in which membership is to be acknowledged, and marked wherever it is shown. */
export function strongRole(name: string): PredefinedRole | undefined {
  const role = BY_NAME.get(name);
  return role?.membership === 'acknowledged' ? role : undefined;
}

/**
 * Why membership in a role is refused, as far as its name tells it.
 *
 * @param role name of the role to be a member of
 * @param admins the names of admins that are known
 * @returns the whole message (value, rule, remedy), or undefined
 */
export function membershipProblem(role: string, admins: readonly string[]): string | undefined {
  if (admins.includes(role)) {
    return (
      `membership in ${JSON.stringify(role)} is not allowed: it is the admin of the database, and its members have all its rights; `
      + 'for a DBA who signs in with IAM, use a role with the privileges it needs, or rds_superuser'
    );
  }
  const predefined = BY_NAME.get(role);
  return predefined?.membership === 'refused'
    ? `membership in ${JSON.stringify(role)} is not allowed: its members ${predefined.members}; ${predefined.remedy}`
    : undefined;
}

/** The warning about membership in a role, if it is to be acknowledged. */
export function membershipWarning(
  names: readonly string[],
  group: string,
): { readonly id: string; readonly text: string } | undefined {
  const strong = strongRole(group);
  const who = names.length === 1 ? JSON.stringify(names[0]) : `each of ${names.length} users`;
  return strong?.warning === undefined
    ? undefined
    : {
        id: strong.warning,
        text:
          `${who} is made a member of ${JSON.stringify(group)}: its members ${strong.members}; `
          + `if this is intended, acknowledge it with Annotations.of(user).acknowledgeWarning('${strong.warning}', reason)`,
      };
}
