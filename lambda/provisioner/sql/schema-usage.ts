import { json } from './quote';

/** A user that declares privileges on what is in a schema, and none to look into it. */
export interface UserInSchema {
  readonly role: string;
  readonly schema: string;
}

/**
 * Those of them that have no USAGE on the schema: neither of their own, nor through PUBLIC, nor through a role that
 * they are members of, or will be.
 */
export function withoutUsage(users: (UserInSchema & { readonly groups: readonly string[] })[]): string {
  return `
  SELECT w."role", w."schema" FROM jsonb_to_recordset(${json(users)}) AS w("role" text, "schema" text, "groups" jsonb)
  JOIN pg_catalog.pg_roles r ON r.rolname = w."role"::name
  JOIN pg_catalog.pg_namespace n ON n.nspname = w."schema"::name
  WHERE NOT EXISTS (
    SELECT FROM pg_catalog.pg_roles g
    WHERE (pg_has_role(r.oid, g.oid, 'MEMBER') OR g.rolname::text IN (SELECT jsonb_array_elements_text(w."groups")))
      AND has_schema_privilege(g.oid, n.oid, 'USAGE'))
  ORDER BY 1, 2`;
}
