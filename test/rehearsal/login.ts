import { Client, ClientConfig, DatabaseError } from 'pg';

/** `in`, or SQLSTATE and message of the refusal. */
export async function login(config: ClientConfig): Promise<string> {
  const client = new Client(config);
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ user: string }>('SELECT current_user AS user');
    return rows[0].user === config.user ? 'in' : `in as ${rows[0].user}`;
  } catch (error) {
    return error instanceof DatabaseError ? `${error.code} ${error.message}` : (error as Error).message;
  } finally {
    await client.end().catch(() => undefined);
  }
}
