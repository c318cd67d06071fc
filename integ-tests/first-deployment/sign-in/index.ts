import { Client, DatabaseError } from 'pg';

export interface SignIn {
  readonly user: string;
  /** A password, or a token in its place. */
  readonly password: string;
  readonly sql: string;
  /** @default 'shop' */
  readonly database?: string;
}

/** The rows, or what the server or the network said. */
export type SignInAnswer = { readonly rows: Record<string, unknown>[] } | { readonly refused: string };

/** Signs in over verified TLS, and executes one statement. */
export async function handler({ user, password, sql, database = 'shop' }: SignIn): Promise<SignInAnswer> {
  const client = new Client({
    host: process.env.PGHOST,
    port: 5432,
    database,
    user,
    password,
    ssl: true,
    connectionTimeoutMillis: 20_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<Record<string, unknown>>(sql);
    return { rows };
  } catch (error) {
    return {
      refused: error instanceof DatabaseError ? `${error.message} (SQLSTATE ${error.code})` : (error as Error).message,
    };
  } finally {
    await client.end().catch(() => undefined);
  }
}
