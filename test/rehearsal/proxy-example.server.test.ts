import { connect } from 'node:net';
import { Client, DatabaseError } from 'pg';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { AssemblyStack, CloudAssembly } from '../../rehearsal/cloudformation/cloud-assembly';
import { ResourceDefinition, ResourceState } from '../../rehearsal/cloudformation/template';
import { CANCEL_REQUEST } from '../../rehearsal/gateway/protocol';
import { RdsProxy } from '../../rehearsal/rds-proxy';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { declaredRoles } from '../../rehearsal/rehearse/declared-roles';
import { principalsFor, trySignIns } from '../../rehearsal/rehearse/measure-access';
import { signIn, SignIn } from '../../rehearsal/sign-in';
import { full } from '../full';
import { untilSleeping } from '../lambda/clocks';
import { synthesized } from './synthesized';
import { AT_DATABASE, IAM, resourceOf, signInAs } from './through-proxy';

type Resources = Record<string, ResourceDefinition>;

const PAM = (username: string) => `refused: 28000 PAM authentication failed for user "${username}"`;

let rehearsal: Rehearsal;
beforeAll(async () => rehearsal = await Rehearsal.start());
afterAll(() => rehearsal.close());

const resourceIn = (stack: string, start: string, type?: string) => resourceOf(rehearsal, stack, start, type);
const withToken = (
  target: AuroraLikeServer | RdsProxy,
  role: ResourceState,
  username: string,
  others?: Partial<SignIn>,
  tokenOf?: AuroraLikeServer | RdsProxy,
) => signInAs(rehearsal, target, role, username, others, tokenOf);

full.describe('examples/proxy', () => {
  let assembly: CloudAssembly;
  let stack: AssemblyStack;
  const deploy = async (change: (resources: Resources) => Resources = resources => resources) => {
    const template = { ...stack.template, Resources: change(stack.template.Resources) };
    const { reason } = await rehearsal.deploy(
      Object.create(assembly, { stacks: { value: [{ ...stack, template }] } }) as CloudAssembly,
      'Proxied',
    );
    expect(reason).toBeUndefined();
  };
  const without = (start: string) => (resources: Resources) => {
    const kept = Object.entries(resources).filter(([id]) => !id.startsWith(start));
    expect(kept).toHaveLength(Object.keys(resources).length - 1);
    return Object.fromEntries(kept);
  };
  const database = () => rehearsal.database(resourceIn('Proxied', 'Cluster', 'AWS::RDS::DBCluster'));
  const proxy = () => rehearsal.proxy(resourceIn('Proxied', 'Proxy', 'AWS::RDS::DBProxy'));
  const role = (start: string) => resourceIn('Proxied', start, 'AWS::IAM::Role');

  beforeAll(async () => {
    assembly = await synthesized('examples/proxy/app.ts');
    [stack] = assembly.stacks;
    await deploy();
  });

  test('the function signs in with nothing but its environment, through the proxy', async () => {
    const { properties, attributes } = resourceIn('Proxied', 'Service', 'AWS::Lambda::Function');
    expect((properties.Environment as { Variables: object }).Variables).toEqual({
      PGHOST: proxy().host,
      PGPORT: '5432',
      PGUSER: 'orders',
      PGDATABASE: 'shop',
      PGSSLMODE: 'verify-full',
    });
    expect(proxy().host).toMatch(/^shop\.proxy-c[0-9a-f]{10}\.eu-central-1\.rds\.amazonaws\.com$/);
    database().log.length = proxy().log.length = 0;
    expect(await rehearsal.invoke(attributes.Arn as string, {})).toMatchObject({
      result: { name: 'orders', database: 'shop' },
    });
    expect([proxy().log, database().log]).toEqual([
      ['orders: signed in to the proxy with a token'],
      ['orders: signed in with a token'],
    ]);
  });

  test('who is granted through the proxy signs in there alone, who is granted directly at the cluster alone', async () => {
    expect(await withToken(proxy(), role('Service'), 'orders')).toBe('signed in as orders');
    expect(await withToken(database(), role('Service'), 'orders')).toBe(PAM('orders'));
    expect(await withToken(database(), role('Reports'), 'reports')).toBe('signed in as reports');
    expect(await withToken(proxy(), role('Reports'), 'reports')).toBe(IAM('reports'));
    // Nor does the role of the proxy come in as anybody but the users that go through it.
    expect(await withToken(database(), role('ProxyRole'), 'orders')).toBe('signed in as orders');
    expect(await withToken(database(), role('ProxyRole'), 'reports')).toBe(PAM('reports'));
  });

  test('a token is for one of them', async () => {
    expect(await withToken(proxy(), role('Service'), 'orders', {}, database())).toBe(IAM('orders'));
    expect(proxy().log.at(-1)).toBe(`orders: token is for ${database().host}:5432, this is ${proxy().host}, port 5432`);
    expect(await withToken(database(), role('Reports'), 'reports', {}, proxy())).toBe(PAM('reports'));
  });

  test('the certificate is not one of a database', async () => {
    const { host, port, gatewayPort } = proxy();
    expect(
      await signIn(
        { host, port, gatewayPort, caCertificate: database().caCertificate },
        { username: 'orders', password: 'x', database: 'shop' },
      ),
    ).toMatch(/^failed: unable to verify/);
  });

  test('the database must have IAM authentication on', async () => {
    database().iamAuthentication = false;
    try {
      expect(await withToken(proxy(), role('Service'), 'orders')).toBe(
        AT_DATABASE(
          '28000',
          'PAM authentication failed for user "orders"',
          `a token of ${role('ProxyRole').attributes.Arn as string}`,
        ),
      );
    } finally {
      database().iamAuthentication = true;
    }
  });

  test("without the statement of the proxy's role the proxy does not come in, and says whose sign-in that was", async () => {
    await deploy(without('ProxyRoleDefaultPolicy'));
    expect(await withToken(proxy(), role('Service'), 'orders')).toBe(
      AT_DATABASE(
        '28000',
        'PAM authentication failed for user "orders"',
        `a token of ${role('ProxyRole').attributes.Arn as string}`,
      ),
    );
    expect(database().log.at(-1)).toBe(
      `orders: ${role('ProxyRole').attributes.Arn as string} may not rds-db:connect as orders`,
    );
    // So it is in the table of `npm run rehearse`, too.
    const clients = ['Service', 'Reports'].map(name => ({
      name,
      arn: role(name).attributes.Arn as string,
      credentials: rehearsal.credentialsOf(role(name)),
    }));
    const principals = principalsFor(
      resourceIn('Proxied', 'Proxy', 'AWS::RDS::DBProxy'),
      proxy(),
      clients,
      (arn, action, resource) => rehearsal.allows(arn, action, resource),
    );
    expect(
      await trySignIns(
        proxy(),
        declaredRoles(rehearsal.resources('Proxied'), database().resourceId).filter(({ name }) => name === 'orders'),
        principals,
      ),
    ).toEqual([
      {
        principal: 'Service',
        username: 'orders',
        outcome: 'fails',
        reason: expect.stringMatching(/^refused: 28000 Request returned an error: PAM/) as string,
      },
      { principal: 'Reports', username: 'orders', outcome: 'no' },
    ]);
    await deploy();
    expect(await withToken(proxy(), role('Service'), 'orders')).toBe('signed in as orders');
  });

  test('when the user goes, no role signs in as it', async () => {
    await deploy(without('IamAuthorders'));
    expect(await withToken(proxy(), role('Service'), 'orders')).toBe(
      AT_DATABASE(
        '28P01',
        'password authentication failed for user "orders"',
        `a token of ${role('ProxyRole').attributes.Arn as string}`,
      ),
    );
    await deploy();
    expect(await withToken(proxy(), role('Service'), 'orders')).toBe('signed in as orders');
  });

  test('a request to cancel a query goes through', async () => {
    const { host, gatewayPort, caCertificate } = proxy();
    const password = proxy().token('', 'orders', { credentials: rehearsal.credentialsOf(role('Service')) });
    const client = new Client({
      host: '127.0.0.1',
      port: gatewayPort,
      user: 'orders',
      password,
      database: 'shop',
      ssl: { ca: caCertificate, servername: host },
    });
    await client.connect();
    const query = client.query('SELECT pg_sleep(50)').catch((error: DatabaseError) => error.code);
    await untilSleeping(database(), 'orders');
    const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
    const request = Buffer.alloc(16);
    [16, CANCEL_REQUEST, processID].forEach((number, i) => request.writeUInt32BE(number, 4 * i));
    request.writeInt32BE(secretKey, 12);
    connect(gatewayPort, '127.0.0.1').on('error', () => undefined).write(request);
    expect(await query).toBe('57014');
    await client.end();
  });
});
