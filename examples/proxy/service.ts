/** What runs in the function. What it connects to is in its environment. The proxy's certificate is of Amazon's own CAs, which Node.js knows. */
import { Signer } from '@aws-sdk/rds-signer';
import { Pool } from 'pg';

const { PGHOST: hostname = '', PGPORT: port, PGUSER: username = '' } = process.env;
const signer = new Signer({ hostname, port: Number(port), username });
const pool = new Pool({ password: () => signer.getAuthToken(), ssl: true });

export async function handler() {
  const { rows: [user] } = await pool.query<{ name: string; database: string }>('SELECT current_user AS name, current_database() AS database');
  return user;
}
