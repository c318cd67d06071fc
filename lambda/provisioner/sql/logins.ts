import { IN_RDS_IAM, WITH_TOKEN } from './memberships';
import { textArray } from './quote';

/**
 * Roles that can log in, and members of rds_iam, those of AWS among them: others could have their names. Not those of
 * PostgreSQL itself, whose prefix no other role can have. Whether a role has a password, only a superuser can see.
 */
export const LOGINS = `
  WITH RECURSIVE ${IN_RDS_IAM}
  SELECT r.rolname::text AS role, r.rolcanlogin AS "canLogin", ${WITH_TOKEN} AS "withToken",
         r.rolsuper AS "isSuperuser",
         r.rolcreaterole AS "createsRoles", r.rolvaliduntil::text AS "validUntil"
  FROM pg_catalog.pg_roles r
  WHERE (r.rolcanlogin OR r.oid IN (SELECT oid FROM iam)) AND r.rolname !~ '^pg_' AND r.rolname <> 'rds_iam'
  ORDER BY 1`;

/** Of these roles, those that can log in. */
export function withLogin(roleOids: string[]): string {
  return `SELECT r.oid::text AS oid FROM pg_catalog.pg_roles r WHERE r.oid = ANY (${textArray(roleOids)}::oid[]) AND r.rolcanlogin`;
}

/**
 * Of these roles, those that can log in or have sessions. Without a login no membership in rds_iam lets a client in, by
 * whichever grantor.
 */
export function withAccess(roleOids: string[]): string {
  return `
  SELECT r.oid::text AS oid FROM pg_catalog.pg_roles r
  WHERE r.oid = ANY (${textArray(roleOids)}::oid[])
    AND (r.rolcanlogin OR EXISTS (SELECT FROM pg_catalog.pg_stat_activity a WHERE a.usesysid = r.oid)) ORDER BY 1`;
}
