import { escapeIdentifier } from 'pg';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';

export interface Kept {
  readonly roles: string[];
  /** Beside `postgres`. */
  readonly databases: string[];
}

/**
 * Drops what a test has left, as the catalogs have it and not as the test remembers it: databases, schemas, what is in
 * schema public, and roles. A test that fails, or ran out of time, leaves nothing to the next one.
 */
export async function dropAllBut(server: AuroraLikeServer, { roles, databases }: Kept): Promise<void> {
  const names = async (query: string, values: unknown[], database?: string) =>
    (await server.sql<{ name: string }>(query, values, database)).map(({ name }) => escapeIdentifier(name));
  const kept = ['postgres', ...databases];
  for (const database of await names(
    'SELECT datname::text AS name FROM pg_database WHERE NOT datistemplate AND datname <> ALL ($1)',
    [['rdsadmin', ...kept]],
  )) {
    await server.sql(`DROP DATABASE ${database} WITH (FORCE)`);
  }
  const left = await names(
    "SELECT rolname::text AS name FROM pg_roles WHERE rolname !~ '^(pg_|rds)' AND rolname <> ALL ($1)",
    [[server.master.username, ...roles]],
  );
  for (const database of kept) {
    for (const schema of await names(
      "SELECT nspname::text AS name FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')",
      [],
      database,
    )) {
      await server.sql(`DROP SCHEMA ${schema} CASCADE`, [], database);
    }
    for (const table of await names(
      "SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'",
      [],
      database,
    )) {
      await server.sql(`DROP TABLE IF EXISTS public.${table} CASCADE`, [], database);
    }
    if (left.length > 0) {
      await server.sql(`DROP OWNED BY ${left.join(', ')} CASCADE`, [], database);
    }
  }
  if (left.length > 0) {
    await server.sql(`DROP ROLE ${left.join(', ')}`);
  }
}
