import { Signer } from '@aws-sdk/rds-signer';
import { Client } from 'pg';

/** Signs in with a token of this function's role, over verified TLS, to what the environment says; answers who it is there. */
export async function handler(): Promise<{ readonly signedInAs: string }> {
  const { PGHOST: host = '', PGPORT: port = '', PGUSER: user = '', PGDATABASE: database } = process.env;
  const signer = new Signer({ hostname: host, port: Number(port), username: user });
  const client = new Client({ host, port: Number(port), user, database, password: () => signer.getAuthToken(), ssl: { rejectUnauthorized: true } });
  await client.connect();
  try {
    const { rows } = await client.query<{ signedInAs: string }>('SELECT session_user::text AS "signedInAs"');
    return rows[0];
  } finally {
    await client.end();
  }
}
