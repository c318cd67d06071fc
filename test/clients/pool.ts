import { readFileSync } from 'node:fs';
import { LookupFunction, Socket } from 'node:net';
import { Signer } from '@aws-sdk/rds-signer';
import { DatabaseError, Pool, PoolConfig } from 'pg';
import { reusedToken } from '../../examples/reused-token';
import { Credentials } from '../../rehearsal/iam/credentials';
import { Client, DATABASE, PAM_REFUSED, SIGNED_IN, Site, STATEMENT, USERNAME } from './client';
import { later } from './clock';

/** A pool of node-postgres with tokens of `@aws-sdk/rds-signer`, for longer than a token is good. */
export const pool: Client = {
  name: 'pool',
  packages: [],

  find() {
    const versionOf = (name: string) =>
      (JSON.parse(readFileSync(require.resolve(`${name}/package.json`), 'utf8')) as { version: string }).version;
    return Promise.resolve(['pg', '@aws-sdk/rds-signer'].map(name => `${name} ${versionOf(name)}`).join(', '));
  },

  async check(site) {
    const operator = site.operator();
    const { server: { host: hostname, port, region } } = site;
    const renewed = newPool(
      site,
      reusedToken({ hostname, port, region, username: USERNAME }, () => Promise.resolve(operator)),
    );
    const fixed = newPool(site, await signerOf(site, operator).getAuthToken());
    const visitor = signerOf(site, site.visitor());
    const refused = newPool(site, () => visitor.getAuthToken());
    try {
      site.report('node-postgres, pool with a token that is reused and renewed', SIGNED_IN, await ask(renewed));
      site.report('node-postgres, pool with one token', SIGNED_IN, await ask(fixed));
      site.report('node-postgres, role without the grant', PAM_REFUSED, await ask(refused));
      await later(16, async () => {
        site.report('16 minutes later, connection that is still open', SIGNED_IN, await ask(fixed));
        await endConnections(site, [renewed, fixed]);
        site.report('and a new one, pool with a renewed token', SIGNED_IN, await ask(renewed));
        site.report('and a new one, pool with one token', PAM_REFUSED, await ask(fixed));
      });
    } finally {
      await Promise.all([renewed, fixed, refused].map(one => one.end()));
    }
  },
};

function signerOf({ server: { host: hostname, port, region } }: Site, credentials: Credentials): Signer {
  return new Signer({ hostname, port, region, credentials, username: USERNAME });
}

/** One connection, which is kept for as long as the server keeps it. */
function newPool({ server, address }: Site, password: PoolConfig['password']): Pool {
  const { host, port, caCertificate: ca } = server;
  const pool = new Pool({
    host, port, user: USERNAME, database: DATABASE, password, ssl: { ca }, max: 1, idleTimeoutMillis: 0,
    stream: () => new RedirectedSocket(address),
  });
  return pool.on('error', () => undefined);
}

async function ask(pool: Pool): Promise<string> {
  try {
    const { rows } = await pool.query<[string]>({ text: STATEMENT, rowMode: 'array' });
    return rows[0][0];
  } catch (error) {
    return `${error instanceof DatabaseError ? 'refused' : 'failed'}: ${(error as Error).message}`;
  }
}

/** As a restart or a failover does. Resolves when the pools have noticed. */
async function endConnections({ server }: Site, pools: Pool[]): Promise<void> {
  const removed = Promise.all(pools.filter(({ totalCount }) => totalCount > 0).map(
    pool => new Promise(resolve => pool.once('remove', resolve))));
  await server.sql('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [USERNAME]);
  await removed;
}

/** Resolves every name to one address. */
class RedirectedSocket extends Socket {
  constructor(private readonly target: string) {
    super();
  }

  override connect(...[port, host]: unknown[]): this {
    const lookup: LookupFunction = (_hostname, _options, callback) =>
      callback(null, [{ address: this.target, family: 4 }]);
    return super.connect({ port: port as number, host: host as string, lookup });
  }
}
