import { readFileSync } from 'node:fs';
import postgres from 'postgres';
import { reusedToken } from '../../reused-token.ts';

const { PGHOST: hostname, PGPORT: port, PGUSER: username, PGSSLROOTCERT: caFile, CONNECTION_SECONDS } = process.env;
const token = reusedToken({ hostname, port: Number(port), username });

// Host, port, user and database are those of PGHOST, PGPORT, PGUSER and PGDATABASE.
const sql = postgres({
  password: token, // called for each new connection
  ssl: { ca: readFileSync(caFile, 'utf8'), servername: hostname }, // verifies the certificate and its name
  max_lifetime: Number(CONNECTION_SECONDS ?? 1800),
});

export const query = statement => sql.unsafe(statement);
export const close = () => sql.end();
