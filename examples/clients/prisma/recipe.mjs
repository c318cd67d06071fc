import { readFileSync } from 'node:fs';
import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from './generated/client.ts';
import { reusedToken } from '../../reused-token.ts';

const { PGHOST: host, PGPORT: port, PGUSER: user, PGDATABASE: database, PGSSLROOTCERT: caFile, CONNECTION_SECONDS } = process.env;
const token = reusedToken({ hostname: host, port: Number(port), username: user });

// The adapter has a pool of node-postgres, and takes its options. A URL, as in DATABASE_URL, cannot hold a function.
const adapter = new PrismaPg({
  host, port: Number(port), user, database,
  password: token, // called for each new connection
  ssl: { ca: readFileSync(caFile, 'utf8') }, // verifies the certificate and its name
  maxLifetimeSeconds: Number(CONNECTION_SECONDS ?? 1800),
});
const prisma = new PrismaClient({ adapter });

export const query = sql => prisma.$queryRawUnsafe(sql);
export const close = () => prisma.$disconnect();
