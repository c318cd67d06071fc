/** What runs in the function. What it connects to is in its environment. The proxy's certificate is of Amazon's own CAs, which Node.js knows. */
import { Pool } from 'pg';
import { reusedToken } from '../reused-token';

const { PGHOST: hostname = '', PGPORT: port, PGUSER: username = '' } = process.env;
const pool = new Pool({ password: reusedToken({ hostname, port: Number(port), username }), ssl: true });

export async function handler() {
  const { rows: [user] } = await pool.query<{ name: string; database: string }>('SELECT current_user AS name, current_database() AS database');
  return user;
}
