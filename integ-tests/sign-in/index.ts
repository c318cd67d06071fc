import { Client } from 'pg';
import { reusedToken } from '../../examples/reused-token';

const { PGHOST: host = '', PGPORT = '', PGUSER: user = '', PGDATABASE: database } = process.env;
const port = Number(PGPORT);
const password = reusedToken({ hostname: host, port, username: user });

/** Signs in with a token of this function's role, over verified TLS, to what the environment says; answers who it is there. */
export async function handler(): Promise<{ readonly signedInAs: string }> {
  const client = new Client({ host, port, user, database, password, ssl: { rejectUnauthorized: true } });
  await client.connect();
  try {
    const { rows } = await client.query<{ signedInAs: string }>('SELECT session_user::text AS "signedInAs"');
    return rows[0];
  } finally {
    await client.end();
  }
}
