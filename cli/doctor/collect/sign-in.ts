import { Client as PgClient, DatabaseError } from 'pg';
import { Authorities } from './tls';
import { Client, SignIn } from '../observations';
import { Network } from '../world';

const TIMEOUT_MS = 15_000;

/** As the client does it. The certificate is verified in any case: a token is not for any other server. */
export async function trySignIn(
  network: Network,
  { host, port, username, database, sslMode }: Client,
  token: string,
  { ca }: Authorities,
): Promise<SignIn> {
  const client = new PgClient({
    host,
    port,
    user: username,
    password: token,
    database,
    ssl: { ca: [...ca], ...(sslMode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }) },
    stream: () => network.socket(),
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
    application_name: 'cdk-aurora-iam-auth doctor',
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return { outcome: 'in' };
  } catch (error) {
    return error instanceof DatabaseError
      ? { outcome: 'refused', code: error.code ?? '', message: error.message }
      : { outcome: 'failed', message: (error as NodeJS.ErrnoException).code ?? (error as Error).message };
  } finally {
    await client.end().catch(() => undefined);
  }
}
