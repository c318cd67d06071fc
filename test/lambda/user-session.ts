import { Client, ClientConfig } from 'pg';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';

const clients: Client[] = [];

/** A session as a user of the application, who signs in with a token. */
export async function userSession(
  server: AuroraLikeServer,
  user: string,
  config: Partial<ClientConfig> = {},
): Promise<Client> {
  const password = server.token('application', user);
  const client = new Client({
    host: server.host,
    port: server.port,
    user,
    password,
    database: 'shop',
    ssl: true,
    ...config,
  });
  clients.push(client);
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

export const isOpen = (client: Client) => client.query('SELECT 1').then(() => true, () => false);

/** After each test. */
export const closeSessions = () => Promise.all(clients.splice(0).map(client => client.end().catch(() => undefined)));
