import { readFileSync } from 'node:fs';
import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { reusedToken } from '../../reused-token.ts';

const { PGHOST: hostname, PGPORT: port, PGUSER: username, PGSSLROOTCERT: caFile, CONNECTION_SECONDS } = process.env;
const token = reusedToken({ hostname, port: Number(port), username });

// The pool is that of node-postgres, and so is all that has to do with tokens.
const pool = new pg.Pool({
  password: token, // called for each new connection
  ssl: { ca: readFileSync(caFile, 'utf8') }, // verifies the certificate and its name
  maxLifetimeSeconds: Number(CONNECTION_SECONDS ?? 1800),
});
pool.on('error', error => console.error(`a connection ended: ${error.message}`)); // else a restart of the server ends the process
const db = drizzle({ client: pool });

export const query = async sql => (await db.execute(sql)).rows;
export const close = () => pool.end();
