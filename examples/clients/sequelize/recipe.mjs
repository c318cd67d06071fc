import { readFileSync } from 'node:fs';
import { QueryTypes, Sequelize } from 'sequelize';
import { reusedToken } from '../../reused-token.ts';

const { PGHOST: host, PGPORT: port, PGUSER: username, PGDATABASE: database, PGSSLROOTCERT: caFile, CONNECTION_SECONDS } = process.env;
const token = reusedToken({ hostname: host, port: Number(port), username });

const sequelize = new Sequelize({
  dialect: 'postgres',
  host, port: Number(port), username, database,
  dialectOptions: { ssl: { ca: readFileSync(caFile, 'utf8') } }, // verifies the certificate and its name
  hooks: {
    beforeConnect: async (config) => {
      config.password = await token(); // called for each new connection
    },
  },
  // Sequelize has no longest lifetime of a connection: one that is not in use ends.
  pool: { min: 0, idle: Number(CONNECTION_SECONDS ?? 300) * 1000, evict: 100 },
  logging: false,
});

export const query = sql => sequelize.query(sql, { type: QueryTypes.SELECT });
export const close = () => sequelize.close();
