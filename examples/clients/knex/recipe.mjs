import { readFileSync } from 'node:fs';
import knex from 'knex';
import { reusedToken } from '../../reused-token.ts';

const { PGHOST: host, PGPORT: port, PGUSER: user, PGDATABASE: database, PGSSLROOTCERT: caFile, CONNECTION_SECONDS } = process.env;
const token = reusedToken({ hostname: host, port: Number(port), username: user });

const db = knex({
  client: 'pg',
  connection: {
    host, port: Number(port), user, database,
    password: token, // called for each new connection: knex hands it to node-postgres
    ssl: { ca: readFileSync(caFile, 'utf8') }, // verifies the certificate and its name
  },
  pool: { min: 0, maxConnectionLifetimeMillis: Number(CONNECTION_SECONDS ?? 1800) * 1000 },
});

export const query = async sql => (await db.raw(sql)).rows;
export const close = () => db.destroy();
