import { readFileSync } from 'node:fs';
import { DataSource } from 'typeorm';
import { reusedToken } from '../../reused-token.ts';

const { PGHOST: host, PGPORT: port, PGUSER: username, PGDATABASE: database, PGSSLROOTCERT: caFile, CONNECTION_SECONDS } = process.env;
const token = reusedToken({ hostname: host, port: Number(port), username });

const dataSource = new DataSource({
  type: 'postgres',
  host, port: Number(port), username, database,
  password: token, // called for each new connection
  ssl: { ca: readFileSync(caFile, 'utf8') }, // verifies the certificate and its name
  extra: { maxLifetimeSeconds: Number(CONNECTION_SECONDS ?? 1800) }, // of the pool of node-postgres
  poolErrorHandler: error => console.error(`a connection ended: ${error.message}`),
});

export const query = async (sql) => {
  if (!dataSource.isInitialized) {
    await dataSource.initialize();
  }
  return dataSource.query(sql);
};
export const close = async () => {
  if (dataSource.isInitialized) {
    await dataSource.destroy();
  }
};
