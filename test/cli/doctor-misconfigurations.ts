/** What keeps a client out, one thing at a time: 58 ways, with the cause that doctor must name. */
import { createServer } from 'node:net';
import { AddressInfo } from 'node:net';

import { Client as PgClient } from 'pg';

import { ACCOUNT, CLERK, DoctorSite, REGION, Setup, WITHOUT_SECRET } from './doctor-site';

type Undo = () => unknown;

export interface Misconfiguration {
  readonly name: string;
  /** The cause that is named with all permissions. */
  readonly cause: string;
  /** Changes the set-up, or the site until it is undone. */
  readonly inject: (site: DoctorSite, undo: Undo[]) => Setup | Promise<Setup>;
}

const healthy = (site: DoctorSite) => site.setup();

const withClient = (setup: Setup, client: Partial<Setup['client']>): Setup => ({
  ...setup,
  client: { ...setup.client, ...client },
});

const arnFor = (site: DoctorSite, username: string, { id = site.server.resourceId, region = REGION } = {}) =>
  `arn:aws:rds-db:${region}:${ACCOUNT}:dbuser:${id}/${username}`;

const allow = (Resource: string | string[], others = {}) => ({
  Effect: 'Allow',
  Action: 'rds-db:connect',
  Resource,
  ...others,
});

/** The only statements about signing in that the client has. */
const policy = (name: string, cause: string, statements: (site: DoctorSite) => object[]): Misconfiguration => ({
  name: `policy: ${name}`,
  cause,
  inject: (site, undo) => {
    undo.push(site.changeStatements('SignIn', statements(site)));
    return healthy(site);
  },
});

/** A token that was made elsewhere, with something else in it. */
const token = (name: string, cause: string, change: (site: DoctorSite, setup: Setup) => string): Misconfiguration => ({
  name: `token: ${name}`,
  cause,
  inject: site => ({ ...healthy(site), password: change(site, healthy(site)) }),
});

const sql = (name: string, cause: string, before: string, after: string): Misconfiguration => ({
  name: `database: ${name}`,
  cause,
  inject: async (site, undo) => {
    await site.sql(before);
    undo.push(() => site.sql(after));
    return healthy(site);
  },
});

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000);

/** The clocks of AWS and of the database, as seen from a host whose own is wrong. */
const clock = (name: string, minutesAhead: number): Misconfiguration => ({
  name: `clock: ${name}`,
  cause: 'clock',
  inject: (site, undo) => {
    const { awsEndpoint } = site.rehearsal;
    const [aws, database] = [awsEndpoint.now, site.server.now];
    awsEndpoint.now = site.server.now = () => minutesAgo(minutesAhead);
    undo.push(() => ([awsEndpoint.now, site.server.now] = [aws, database]));
    return healthy(site);
  },
});

/** Another server than the one that the host names. */
async function listen(site: DoctorSite, undo: Undo[], answer: string): Promise<Setup> {
  const server = createServer(socket => socket.on('error', () => undefined).once('data', () => socket.write(answer)));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  undo.push(() => server.close());
  const { client, ...others } = healthy(site);
  return {
    ...others,
    client,
    network: site.network({ [`${client.host}:${client.port}`]: (server.address() as AddressInfo).port }),
  };
}

export const MISCONFIGURATIONS: readonly Misconfiguration[] = [
  policy('missing', 'policy-missing', () => [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }]),
  policy('another user', 'policy-other-user', site => [allow(arnFor(site, 'reports'))]),
  policy('the user in another case', 'policy-case', site => [allow(arnFor(site, 'Orders'))]),
  policy('the id of another cluster', 'policy-other-id', site => [
    allow(arnFor(site, 'orders', { id: 'cluster-ABCDEFGHIJKL01234' })),
  ]),
  policy('the name of the cluster', 'policy-other-id', site => [allow(arnFor(site, 'orders', { id: 'shop' }))]),
  policy('the id of the proxy', 'policy-other-id', site => [
    allow(arnFor(site, 'orders', { id: site.proxy('Proxy').resourceId })),
  ]),
  policy('a wildcard in the name', 'policy-wildcard', site => [allow(arnFor(site, 'orders_*'))]),
  policy('another Region', 'policy-other-location', site => [allow(arnFor(site, 'orders', { region: 'us-east-1' }))]),
  policy('a condition', 'policy-condition', site => [
    allow(arnFor(site, 'orders'), { Condition: { StringEquals: { 'aws:RequestedRegion': REGION } } }),
  ]),
  policy('a deny', 'policy-deny', site => [
    allow(arnFor(site, 'orders')),
    { ...allow(arnFor(site, '*')), Effect: 'Deny' },
  ]),
  {
    name: 'policy: a boundary',
    cause: 'policy-boundary',
    inject: (site, undo) => {
      undo.push(site.setProperty('Client', 'PermissionsBoundary', site.resource('Boundary').physicalId));
      return healthy(site);
    },
  },

  token('another host', 'token-host', (site, setup) => site.token(setup, { host: site.proxy('Proxy').host })),
  token('another port', 'token-port', (site, setup) => site.token(setup, { port: 3306 })),
  token('another Region', 'token-region', (site, setup) => site.token(setup, { region: 'us-east-1' })),
  token('another user', 'token-user', (site, setup) => site.token(setup, { username: 'reports' })),
  token('the user in another case', 'token-case', (site, setup) => site.token(setup, { username: 'Orders' })),
  token('16 minutes old', 'token-expired', (site, setup) => site.token(setup, { at: minutesAgo(16) })),
  token('made for an hour', 'token-expires', (site, setup) => site.token(setup, { expiresInSeconds: 3600 })),
  token('cut off', 'token-form', (site, setup) => site.token(setup).slice(0, 256)),
  token('with https://', 'token-form', (site, setup) => `https://${site.token(setup)}`),
  token('escaped twice', 'token-form', (site, setup) => site.token(setup).replaceAll('%', '%25')),
  token('without the session token', 'token-form', (site, setup) =>
    site.token(setup).replace(/&X-Amz-Security-Token=[^&]*/, ''),
  ),
  token('a password', 'token-password', () => 'the password of orders'),
  {
    name: 'token: AWS_REGION of another Region',
    cause: 'token-region',
    inject: site => withClient(healthy(site), { region: 'us-east-1' }),
  },
  {
    name: "token: a name of one's own",
    cause: 'token-host',
    inject: (site) => {
      const { client, ...others } = healthy(site);
      const network = site.network({ [`db.example.com:${client.port}`]: site.server.gatewayPort });
      return {
        ...others,
        network,
        named: { cluster: 'shop' },
        client: { ...client, host: 'db.example.com', sslMode: 'verify-ca' },
      };
    },
  },
  clock('ten minutes ahead', 10),
  clock('twenty minutes behind', -20),

  {
    name: 'credentials: none',
    cause: 'credentials-none',
    inject: site => ({ ...healthy(site), credentials: undefined }),
  },
  {
    name: 'credentials: expired',
    cause: 'credentials-expired',
    inject: (site) => {
      const credentials = site.rehearsal.credentialsOf(site.resource('Client'));
      site.rehearsal.credentials.expire(credentials);
      return { ...healthy(site), credentials };
    },
  },
  {
    name: 'credentials: unknown to AWS',
    cause: 'credentials-invalid',
    inject: site => ({ ...healthy(site), credentials: { ...site.credentials, accessKeyId: 'ASIA0000000000000000' } }),
  },
  {
    name: 'credentials: another account',
    cause: 'credentials-account',
    inject: site => ({
      ...healthy(site),
      account: ACCOUNT,
      credentials: site.rehearsal.credentials.issue('arn:aws:iam::999988887777:role/Other'),
    }),
  },

  {
    name: 'TLS: another CA',
    cause: 'tls-ca',
    inject: site => withClient(healthy(site), { caFile: site.rehearsal.caFiles.amazon }),
  },
  {
    name: 'TLS: no file of CAs',
    cause: 'tls-ca-file',
    inject: site => withClient(healthy(site), { caFile: '/nowhere/rds.pem' }),
  },
  {
    name: 'TLS: a certificate for another host',
    cause: 'tls-host',
    inject: (site) => {
      const { client, ...others } = healthy(site);
      const password = site.token(healthy(site));
      const network = site.network({ [`db.example.com:${client.port}`]: site.server.gatewayPort });
      return {
        ...others,
        password,
        network,
        named: { cluster: 'shop' },
        client: { ...client, host: 'db.example.com' },
      };
    },
  },
  {
    name: 'TLS: disabled by the client',
    cause: 'tls-disabled',
    inject: site => withClient(healthy(site), { sslMode: 'disable' }),
  },
  {
    name: 'TLS: ended by something between',
    cause: 'tls-not-offered',
    inject: (site, undo) => listen(site, undo, 'N'),
  },

  {
    name: 'network: the security group',
    cause: 'route',
    inject: (site) => {
      const { client, ...others } = healthy(site);
      return {
        ...others,
        client,
        network: site.network({ [`${client.host}:${client.port}`]: undefined as unknown as number }),
      };
    },
  },
  {
    name: 'network: another port',
    cause: 'endpoint-port',
    inject: site => withClient(healthy(site), { port: site.server.port + 1 }),
  },
  {
    name: 'network: the host of a former cluster',
    cause: 'endpoint-host',
    inject: site =>
      withClient(healthy(site), { host: site.server.host.replace(/\.cluster-c\w+\./, '.cluster-c0123456789.') }),
  },

  {
    name: 'database: stopped',
    cause: 'database-status',
    inject: (site, undo) => {
      const condition = site.rehearsal.rdsApi.condition(site.resource('Cluster'));
      condition.status = 'stopped';
      site.server.isAvailable = false;
      undo.push(() => {
        condition.status = 'available';
        site.server.isAvailable = true;
      });
      return healthy(site);
    },
  },
  {
    name: 'database: IAM authentication disabled',
    cause: 'iam-disabled',
    inject: (site, undo) => {
      site.server.iamAuthentication = false;
      undo.push(() => (site.server.iamAuthentication = true));
      return healthy(site);
    },
  },
  {
    name: 'database: IAM authentication pending',
    cause: 'iam-pending',
    inject: (site, undo) => {
      const condition = site.rehearsal.rdsApi.condition(site.resource('Cluster'));
      site.server.iamAuthentication = false;
      condition.pending = { IAMDatabaseAuthenticationEnabled: 'true' };
      undo.push(() => {
        site.server.iamAuthentication = true;
        condition.pending = {};
      });
      return healthy(site);
    },
  },
  sql('no role', 'role-missing', 'ALTER ROLE orders RENAME TO other', 'ALTER ROLE other RENAME TO orders'),
  sql(
    'the role in another case',
    'role-case',
    'ALTER ROLE orders RENAME TO "Orders"',
    'ALTER ROLE "Orders" RENAME TO orders',
  ),
  sql('not in rds_iam', 'role-not-in-rds-iam', 'REVOKE rds_iam FROM orders', 'GRANT rds_iam TO orders'),
  sql('NOLOGIN', 'role-nologin', 'ALTER ROLE orders NOLOGIN', 'ALTER ROLE orders LOGIN'),
  sql(
    'no CONNECT',
    'connect-missing',
    'REVOKE CONNECT ON DATABASE postgres FROM PUBLIC',
    'GRANT CONNECT ON DATABASE postgres TO PUBLIC',
  ),
  sql(
    'the limit of the role',
    'limit-role',
    'ALTER ROLE orders CONNECTION LIMIT 0',
    'ALTER ROLE orders CONNECTION LIMIT -1',
  ),
  sql(
    'the limit of the database',
    'limit-database',
    'ALTER DATABASE postgres CONNECTION LIMIT 0',
    'ALTER DATABASE postgres CONNECTION LIMIT -1',
  ),
  {
    name: 'database: the limit of the server',
    cause: 'limit-server',
    inject: async (site, undo) => {
      const { host, port, master } = site.server;
      const clients = Array.from({ length: 260 }, () => {
        const client = new PgClient({
          host,
          port,
          user: master.username,
          password: master.password,
          database: 'postgres',
          stream: () => site.network().socket(),
        });
        client.on('error', () => undefined);
        return client;
      });
      const connected = (
        await Promise.all(
          clients.map(client =>
            client.connect().then(
              () => client,
              () => undefined,
            ),
          ),
        )
      ).flatMap(client => client ?? []);
      undo.push(() => Promise.all(connected.map(client => client.end())));
      return healthy(site);
    },
  },
  {
    name: 'database: no such database',
    cause: 'database-missing',
    inject: site => withClient(healthy(site), { database: 'Shop' }),
  },
  {
    name: 'database: throttled',
    cause: 'throttled',
    inject: (site, undo) => {
      const { server, rehearsal } = site;
      const instance = site.resource('Instance').physicalId;
      const { authorize } = server;
      server.authorize = () => {
        throw new Error('429 ThrottlingException');
      };
      rehearsal.metrics.set(`IamDbAuthConnectionFailureThrottling ${instance}`, 12);
      undo.push(() => {
        server.authorize = authorize;
        rehearsal.metrics.clear();
      });
      return healthy(site);
    },
  },

  {
    name: 'proxy: clients with passwords',
    cause: 'proxy-scheme',
    inject: (site, undo) => {
      undo.push(
        site.setProperty('Secrets', 'Auth', [
          { AuthScheme: 'SECRETS', IAMAuth: 'DISABLED', SecretArn: site.resource('ClerksSecret').physicalId },
        ]),
      );
      const { settings } = site.proxy('Secrets');
      site.proxy('Secrets').settings = {
        ...settings,
        userNamed: () => ({ clientPassword: 'x', passwordAt: () => 'x', means: 'a password' }),
      };
      undo.push(() => (site.proxy('Secrets').settings = settings));
      return site.setup({ way: 'secrets' });
    },
  },
  {
    name: 'proxy: no grant of its own',
    cause: 'proxy-grant',
    inject: (site, undo) => {
      undo.push(site.changeStatements('ProxySignIn', [allow(arnFor(site, 'reports'))]));
      return site.setup({ way: 'proxy' });
    },
  },
  {
    name: 'proxy: no secret of the user',
    cause: 'proxy-secret',
    inject: (site, undo) => {
      undo.push(site.changeStatements('SignIn', [allow(arnFor(site, '*', { id: site.proxy('Secrets').resourceId }))]));
      return site.setup({ way: 'secrets', username: WITHOUT_SECRET });
    },
  },
  {
    name: 'proxy: a secret that it may not read',
    cause: 'proxy-secret',
    inject: (site, undo) => {
      undo.push(
        site.changeStatements('ProxySecrets', [
          { Effect: 'Allow', Action: 'secretsmanager:DescribeSecret', Resource: '*' },
        ]),
      );
      return site.setup({ way: 'secrets' });
    },
  },
  {
    name: 'proxy: a user with a secret that is in rds_iam',
    cause: 'role-in-rds-iam',
    inject: async (site, undo) => {
      await site.sql(`GRANT rds_iam TO ${CLERK}`);
      undo.push(() => site.sql(`REVOKE rds_iam FROM ${CLERK}`));
      return site.setup({ way: 'secrets' });
    },
  },
  {
    name: 'proxy: the id of the cluster in the policy',
    cause: 'policy-other-id',
    inject: (site, undo) => {
      undo.push(site.changeStatements('SignIn', [allow(arnFor(site, 'orders'))]));
      return site.setup({ way: 'proxy' });
    },
  },
];
