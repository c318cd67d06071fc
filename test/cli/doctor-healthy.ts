/** Set-ups in which a client signs in, or would from another host: as different as they may be. */
import { Random } from '../lambda/random';
import { ACCOUNT, CLERK, DoctorSite, READ_PERMISSIONS, REGION, Setup, USERNAMES, Way } from './doctor-site';

type Undo = () => unknown;

export interface Healthy {
  readonly setup: Setup;
  /** Whether the sign-in can be tried from here. */
  readonly isReachable: boolean;
  readonly summary: string;
}

const quoted = (name: string) => `"${name}"`;
const escaped = (username: string) => username.replace(/[*?$]/g, character => `\${${character}}`);

export async function healthy(site: DoctorSite, random: Random, undo: Undo[]): Promise<Healthy> {
  const way = random.one<Way>(['cluster', 'cluster', 'proxy', 'secrets']);
  const username = way === 'secrets' ? CLERK : random.one(USERNAMES);
  const sslMode = random.one(['verify-full', 'verify-full', 'verify-ca', 'require'] as const);
  const isReachable = random.chance(0.7);
  const setup = site.setup({
    way,
    username,
    sslMode,
    inside: isReachable && random.chance(0.5),
    region: random.one([undefined, REGION]),
  });
  const traits = [
    random.chance(0.5) && permissions(site, random, undo),
    random.chance(0.5) && policies(site, random, undo, way, username),
    random.chance(0.3) && boundary(site, undo),
    random.chance(0.3) && (await catalog(site, random, undo, username)),
    random.chance(0.3) && surroundings(site, random, undo),
    random.chance(0.3) && clock(site, random, undo),
  ]
    .filter(Boolean)
    .join(', ');
  return {
    setup: elsewhere(site, random, isReachable, withToken(site, random, setup, way)),
    isReachable,
    summary: `${username} through ${way}, ${sslMode}, ${traits}`,
  };
}

/** Not all of what doctor asks for is allowed. */
function permissions(site: DoctorSite, random: Random, undo: Undo[]): string {
  const some = random.some(READ_PERMISSIONS);
  undo.push(site.changeStatements('Doctor', [{ Effect: 'Allow', Action: [...some, 's3:ListBucket'], Resource: '*' }]));
  return `${some.length} permissions`;
}

/** Other statements that allow it as well. */
function policies(site: DoctorSite, random: Random, undo: Undo[], way: Way, username: string): string {
  const id = way === 'cluster' ? site.server.resourceId : site.proxy(way === 'proxy' ? 'Proxy' : 'Secrets').resourceId;
  const arn = (resourceId: string, name: string) => `arn:aws:rds-db:${REGION}:${ACCOUNT}:dbuser:${resourceId}/${name}`;
  const allowing = random.one([
    arn(id, escaped(username)),
    arn('*', escaped(username)),
    arn(id, '*'),
    arn('*', '*'),
    `arn:aws:rds-db:*:${ACCOUNT}:dbuser:${id}/${escaped(username)}`,
  ]);
  const action = random.one(['rds-db:connect', 'rds-db:*', 'RDS-DB:Connect']);
  const others = random.some([
    { Effect: 'Deny', Action: 'rds-db:connect', Resource: arn('cluster-OTHER', '*') },
    { Effect: 'Deny', Action: 's3:*', Resource: '*' },
    { Effect: 'Allow', Action: 'rds-db:connect', Resource: arn(id, 'somebody') },
    ...(way === 'cluster'
      ? [
          {
            Effect: 'Allow',
            Action: 'rds-db:connect',
            Resource: arn(id, escaped(username)),
            Condition: { Bool: { 'aws:SecureTransport': 'true' } },
          },
        ]
      : []),
  ]);
  undo.push(
    site.changeStatements(
      'SignIn',
      random.shuffled([{ Effect: 'Allow', Action: action, Resource: allowing }, ...others]),
    ),
  );
  return `${action} on ${allowing}`;
}

function boundary(site: DoctorSite, undo: Undo[]): string {
  undo.push(
    site.changeStatements('Boundary', [{ Effect: 'Allow', Action: '*', Resource: '*' }]),
    site.setProperty('Client', 'PermissionsBoundary', site.resource('Boundary').physicalId),
  );
  return 'a boundary';
}

/** More in the database than is needed. */
async function catalog(site: DoctorSite, random: Random, undo: Undo[], username: string): Promise<string> {
  const other = username === username.toUpperCase() ? username.toLowerCase() : username.toUpperCase();
  const [text, before, after] = random.one([
    [
      'a limit',
      `ALTER ROLE ${quoted(username)} CONNECTION LIMIT 50`,
      `ALTER ROLE ${quoted(username)} CONNECTION LIMIT -1`,
    ],
    ['another case', `CREATE ROLE ${quoted(other)}`, `DROP ROLE ${quoted(other)}`],
    [
      'a limit of the database',
      'ALTER DATABASE postgres CONNECTION LIMIT 90',
      'ALTER DATABASE postgres CONNECTION LIMIT -1',
    ],
  ]);
  await site.sql(before);
  undo.push(() => site.sql(after));
  return text;
}

/** What happens to others, or happened before. */
function surroundings(site: DoctorSite, random: Random, undo: Undo[]): string {
  const { rehearsal, server } = site;
  const pending = rehearsal.rdsApi.condition(site.resource('Cluster'));
  return random.one([
    () => {
      rehearsal.metrics.set(`IamDbAuthConnectionFailureThrottling ${site.resource('Instance').physicalId}`, 3);
      undo.push(() => rehearsal.metrics.clear());
      return 'throttled others';
    },
    () => {
      server.refusals.push(
        ...USERNAMES.map(username => ({
          at: new Date(Date.now() - 120_000),
          username,
          reason: random.one(['token expired', 'x may not rds-db:connect as y', 'ThrottlingException']),
        })),
      );
      undo.push(() => (server.refusals.length = 0));
      return 'refusals before';
    },
    () => {
      undo.push(site.setProperty('Cluster', 'EnableCloudwatchLogsExports', []));
      return 'no log';
    },
    () => {
      pending.pending = random.one([{ EngineVersion: '17.9' }, { IAMDatabaseAuthenticationEnabled: 'false' }] as Record<
        string,
        string
      >[]);
      undo.push(() => (pending.pending = {}));
      return 'pending modifications';
    },
  ])();
}

/** A clock that is wrong, and still good enough. */
function clock(site: DoctorSite, random: Random, undo: Undo[]): string {
  const { awsEndpoint } = site.rehearsal;
  const seconds = random.one([-200, -30, 30, 200]);
  const clocks = [awsEndpoint, site.server, site.proxy('Proxy'), site.proxy('Secrets')];
  const before = clocks.map(({ now }) => now);
  clocks.forEach(each => (each.now = () => new Date(Date.now() - seconds * 1000)));
  undo.push(() => clocks.forEach((each, index) => (each.now = before[index])));
  return `${seconds} s ahead`;
}

/** PGPASSWORD, made here or with other credentials of the role; sometimes for a name of one's own. */
function withToken(site: DoctorSite, random: Random, setup: Setup, way: Way): Setup {
  if (random.chance(0.5)) {
    return setup;
  }
  const credentials = random.one([site.credentials, site.rehearsal.credentialsOf(site.resource('Client'))]);
  const password = site.token(setup, { credentials, at: new Date(Date.now() - random.one([0, 60, 600]) * 1000) });
  if (random.chance(0.7) || setup.client.sslMode === 'verify-full') {
    return { ...setup, password };
  }
  const { host } = setup.client;
  const named = way === 'cluster' ? { cluster: 'shop' } : { proxy: way === 'proxy' ? 'tokens' : 'secrets' };
  const target = way === 'cluster' ? site.server : site.proxy(way === 'proxy' ? 'Proxy' : 'Secrets');
  return {
    ...setup,
    password,
    named: random.one([named, {}]),
    network: site.network({ 'localhost:6543': target.gatewayPort }),
    client: { ...setup.client, host: 'localhost', port: 6543, inside: host === '' },
  };
}

/** Without a route, or even without an address, and without one who tells of the catalog. */
function elsewhere(site: DoctorSite, random: Random, isReachable: boolean, setup: Setup): Setup {
  const catalog = random.one([site.catalog, site.closedCatalog, undefined]);
  if (isReachable) {
    return { ...setup, catalog };
  }
  const { host, port } = setup.client;
  const network = site.network({ [`${host}:${port}`]: undefined as unknown as number });
  const lookup = random.one([
    (name: string) => network.lookup(name),
    () => Promise.reject(Object.assign(new Error('not found'), { code: 'ENOTFOUND' })),
  ]);
  return {
    ...setup,
    catalog,
    network: { ...network, lookup: host => lookup(host), socket: () => network.socket() },
    client: { ...setup.client, inside: false },
  };
}
