import { recordsIn } from '../../cli/doctor/collect/rds-log';
import { declaredUsers } from '../../cli/doctor/declared-user';
import { diagnose } from '../../cli/doctor/diagnosis';
import { Observations, PolicyDocuments, PolicyFacts, Seen, Simulation } from '../../cli/doctor/observations';
import { doctorOptionsOf, environmentOf } from '../../cli/doctor/options';
import { explainPolicy } from '../../cli/doctor/policy-explanation';
import { written } from '../../cli/doctor/doctor';
import { redact } from '../../cli/doctor/redact';
import { insideCommand, textReport } from '../../cli/doctor/report';
import { hostFacts } from '../../cli/doctor/target';
import { AssemblyStack } from '../../rehearsal/cloudformation/cloud-assembly';

describe('the name of a host', () => {
  test.each([
    [
      'shop.cluster-c9akciq32rgm.eu-central-1.rds.amazonaws.com',
      { kind: 'cluster', identifier: 'shop', region: 'eu-central-1' },
    ],
    [
      'SHOP.cluster-C9AKCIQ32RGM.eu-central-1.rds.amazonaws.com',
      { kind: 'cluster', identifier: 'shop', region: 'eu-central-1' },
    ],
    [
      'shop.cluster-ro-c9akciq32rgm.us-gov-west-1.rds.amazonaws.com',
      { kind: 'reader', identifier: 'shop', region: 'us-gov-west-1' },
    ],
    ['any.cluster-custom-c9akciq32rgm.eu-central-1.rds.amazonaws.com', { kind: 'custom', region: 'eu-central-1' }],
    [
      'shop-1.c9akciq32rgm.eu-central-1.rds.amazonaws.com',
      { kind: 'instance', identifier: 'shop-1', region: 'eu-central-1' },
    ],
    [
      'shop.proxy-c9akciq32rgm.eu-central-1.rds.amazonaws.com',
      { kind: 'proxy', identifier: 'shop', region: 'eu-central-1' },
    ],
    [
      'ro.endpoint.proxy-c9akciq32rgm.eu-central-1.rds.amazonaws.com',
      { kind: 'proxy', identifier: undefined, region: 'eu-central-1' },
    ],
    [
      'shop.cluster-c9akciq32rgm.rds.cn-north-1.amazonaws.com.cn',
      { kind: 'cluster', identifier: 'shop', region: 'cn-north-1' },
    ],
    ['db.example.com', { kind: 'other' }],
    ['localhost', { kind: 'other' }],
    ['shop.cluster-c9akciq32rgm.eu-central-1.rds.amazonaws.com.example.com', { kind: 'other' }],
  ])('%s', (host, facts) => {
    expect(hostFacts(host)).toEqual(facts);
  });
});

describe('what is written', () => {
  test('has no secret, also not escaped, and no parameter of a token', () => {
    const secrets = ['a/secret+key==', 'x'];
    expect(
      redact(
        `a/secret+key== ${encodeURIComponent(secrets[0])} x host:5432/?Action=connect&X-Amz-Signature=0123&X-Amz-Security-Token=abc ASIAEXAMPLE1234567`,
        secrets,
      ),
    ).toBe('*** *** x host:5432/?Action=connect&***&*** ***');
  });

  /** A line of its own, one in colour, one that runs backwards, and marks of Markdown and HTML. */
  const HOSTILE = 'x\nok        role          all is well\u001b[32m\u009b31m\u202e\u2028<b>`';

  test('has names as they are, but none that is a line of its own or changes the terminal', () => {
    const client = { ...seen().client, username: HOSTILE, database: HOSTILE };
    const limit = { max: 0, used: 0 };
    const observations = seen({
      client,
      catalog: {
        value: {
          roles: [{ name: HOSTILE.toUpperCase(), canLogIn: true, isInRdsIam: true, isInRdsAd: false, limit }],
          database: null,
          server: limit,
        },
      },
      signIn: { outcome: 'refused', code: '28P01', message: `password authentication failed for user "${HOSTILE}"` },
      route: { failed: HOSTILE },
      log: { unseen: HOSTILE },
    });
    const clean = textReport(diagnose(seen()), seen(), true, false).split('\n').length;
    for (const verbose of [true, false]) {
      const text = textReport(diagnose(observations), observations, verbose, false);
      expect(text.replaceAll('\n', '')).not.toMatch(/\p{C}|\p{Zl}|\p{Zp}/u);
      expect(text.split('\n').filter(line => /^ok +role/.test(line))).toEqual([]);
      expect(text.split('\n').length).toBeLessThanOrEqual(clean + 5); // a cause, its fix, and where to go on
    }
    const json = written({ ...observations, secrets: [] }, { json: true, verbose: true });
    expect(json.replaceAll('\n', '')).not.toMatch(/\p{C}|\p{Zl}|\p{Zp}/u);
    expect((JSON.parse(json) as { client: { username: string } }).client.username).toBe(HOSTILE);
  });

  test('has the command for a host inside, quoted for sh', () => {
    expect(
      insideCommand({
        host: 'h',
        port: 5432,
        username: "o'neil",
        database: 'my shop',
        sslMode: 'verify-full',
        inside: false,
      }),
    ).toBe(
      "PGHOST=h PGPORT=5432 PGUSER='o'\\''neil' PGDATABASE='my shop' PGSSLMODE=verify-full npx cdk-aurora-iam-auth-cli doctor --env --inside",
    );
  });
});

const ARN = 'arn:aws:rds-db:eu-central-1:111122223333:dbuser:cluster-A/orders';
const UNSEEN = { unseen: 'needs x:Y' };

function explained(simulation: Partial<Simulation> | undefined, documents: PolicyDocuments | undefined): string {
  const facts: PolicyFacts = {
    principal: 'arn:aws:iam::111122223333:role/path/Service',
    action: 'rds-db:connect',
    resource: ARN,
    simulation: simulation ? { value: { decision: 'allowed', missingContext: [], ...simulation } } : UNSEEN,
    documents: documents ? { value: documents } : UNSEEN,
  };
  const { state, cause, found } = explainPolicy(facts);
  return `${cause ?? state}: ${found}`;
}

const statements = (...Statement: object[]): PolicyDocuments => ({
  policies: [{ name: 'p', document: { Version: '2012-10-17', Statement: Statement as never } }],
});
const allow = (Resource: string, others = {}) => ({ Effect: 'Allow', Action: 'rds-db:connect', Resource, ...others });
const deny = (Resource: string, others = {}) => ({ ...allow(Resource, others), Effect: 'Deny' });

describe('a policy is explained', () => {
  test.each([
    ['by the simulator', {}, undefined, 'ok: IAM allows role Service rds-db:connect, simulated'],
    ['by its documents', undefined, statements(allow(ARN)), 'ok: the policies of role Service allow rds-db:connect'],
    ['by neither', undefined, undefined, 'unknown: needs x:Y'],
    [
      'by an implicit denial alone',
      { decision: 'implicitDeny' as const },
      undefined,
      `policy-not-allowed: no policy of role Service allows rds-db:connect on ${ARN}`,
    ],
    [
      'by an explicit denial alone',
      { decision: 'explicitDeny' as const },
      undefined,
      'policy-deny: a policy of role Service denies rds-db:connect',
    ],
    [
      'by a boundary alone',
      { decision: 'implicitDeny' as const, boundaryAllows: false },
      undefined,
      'policy-boundary: the permissions boundary of role Service does not allow rds-db:connect',
    ],
    [
      'by the organization',
      { decision: 'implicitDeny' as const, organizationAllows: false },
      statements(allow(ARN)),
      'policy-organization: a service control policy of the organization does not allow rds-db:connect for role Service',
    ],
    [
      'by what the simulator misses',
      { decision: 'implicitDeny' as const, missingContext: ['aws:SourceIp'] },
      undefined,
      'policy-condition: a policy of role Service allows rds-db:connect with a condition on aws:SourceIp alone',
    ],
    [
      'as without effect, though the simulator lets its condition hold',
      {},
      statements(allow(ARN, { Condition: { Bool: { 'aws:SecureTransport': 'true' } } })),
      'policy-condition: policy p of role Service allows rds-db:connect with a condition on aws:SecureTransport alone, and RDS evaluates no condition of it',
    ],
    [
      'as undecided with a policy variable',
      undefined,
      statements(allow('arn:aws:rds-db:eu-central-1:111122223333:dbuser:cluster-A/${aws:PrincipalTag/user}')),
      'unknown: policies of role Service have policy variables, which are not evaluated here',
    ],
    [
      'as undecided with a conditional denial',
      undefined,
      statements(allow(ARN), deny(ARN, { Condition: { Bool: { 'aws:SecureTransport': 'false' } } })),
      'unknown: policy p of role Service denies rds-db:connect with a condition, which is not evaluated here',
    ],
    [
      'as the simulator says, where documents know less',
      {},
      statements(),
      'ok: IAM allows role Service rds-db:connect, simulated',
    ],
    [
      'with escapes that stand for themselves',
      undefined,
      statements(allow(ARN.replace('orders', '${*}'))),
      'policy-other-user: policy p of role Service is about user ${*}, and not orders',
    ],
    [
      'by a boundary that denies',
      undefined,
      {
        ...statements(allow(ARN)),
        boundary: { name: 'b', document: { Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }, deny(ARN)] } },
      },
      'policy-boundary: the permissions boundary b of role Service does not allow rds-db:connect',
    ],
    [
      'by all but one action',
      undefined,
      statements({ Effect: 'Allow', NotAction: 's3:*', NotResource: 'arn:aws:s3:::x' }),
      'ok: the policies of role Service allow rds-db:connect',
    ],
  ])('%s', (_, simulation, documents, expected) => {
    expect(explained(simulation, documents)).toBe(expected);
  });
});

describe('the log of RDS', () => {
  const now = new Date('2026-11-30T04:10:00Z');
  const at = (minutes: number) => new Date(now.getTime() - minutes * 60_000);
  const records = (...texts: string[]) =>
    recordsIn(
      texts.map((text, index) => ({ at: at(index), text })),
      'orders',
      now,
      at(0.5),
    );

  test('is read for records about the user, latest first, and tells error and identity alone', () => {
    expect(
      records(
        '403 NotAuthorized user orders: arn:aws:iam::111122223333:role/Service is not authorized, token=secret',
        'ExpiredToken for "orders"',
      ),
    ).toEqual([
      {
        error: 'NotAuthorized',
        identity: 'arn:aws:iam::111122223333:role/Service',
        minutesAgo: 0,
        isOfThisSignIn: true,
      },
      { error: 'ExpiredToken', identity: undefined, minutesAgo: 1, isOfThisSignIn: false },
    ]);
  });

  test.each([
    'ExpiredToken for orders2',
    'ExpiredToken for my-orders',
    'orders: something else',
    'NotAuthorized: arn:aws:iam::111122223333:role/orders as other',
  ])('has nothing about it in %j', (text) => {
    expect(records(text)).toEqual([]);
  });
});

describe('options', () => {
  test.each([
    [['a', 'b'], 'expected one user, not a b; --help says more'],
    [['a', '--env'], '--env takes the user from PGUSER, so leave out a'],
    [
      ['--env', '--cluster', 'a', '--proxy', 'b'],
      '--cluster and --proxy: the client connects to one of them; name that one',
    ],
  ])('%j are refused', (args, message) => {
    expect(() => doctorOptionsOf(args)).toThrow(message);
  });

  const variables = { PGHOST: 'h', PGUSER: 'u' };
  test.each([
    [{ PGHOST: 'h' }, 'PGUSER is not set, which is the user to sign in as'],
    [{ ...variables, PGHOST: '' }, 'PGHOST is not set'],
    [{ ...variables, PGPORT: '0' }, 'PGPORT 0 is not a number from 1 to 65535'],
    [{ ...variables, PGPORT: '65536' }, 'PGPORT 65536 is not a number from 1 to 65535'],
    [{ ...variables, PGPORT: '5432;x' }, 'PGPORT 5432;x is not a number'],
    [
      { ...variables, PGSSLMODE: 'on' },
      'PGSSLMODE on is none of disable, allow, prefer, require, verify-ca, verify-full; set it to verify-full',
    ],
  ])('variables %j are refused', (env, message) => {
    expect(() => environmentOf(env)).toThrow(message);
  });

  test('variables that are not set are those of libpq, with verified TLS', () => {
    expect(environmentOf({ ...variables, PGPORT: '65535' })).toMatchObject({
      host: 'h',
      port: 65_535,
      username: 'u',
      database: 'u',
      sslMode: 'verify-full',
    });
  });
});

describe('a declared user', () => {
  const stack = (Database: unknown, others = {}) =>
    ({
      name: 'Shop',
      id: 'Shop',
      nested: {},
      template: {
        Resources: { Orders: { Type: 'Custom::RdsIamUser', Properties: { Username: 'orders', Database, ...others } } },
      },
    }) as unknown as AssemblyStack;
  const found = (ResourceId: unknown) =>
    declaredUsers({ stacks: [stack({ ResourceId })] }, 'orders').map(({ resourceId }) => resourceId);

  test.each([
    [{ 'Fn::GetAtt': ['Cluster', 'DBClusterResourceId'] }, { of: 'resource', kind: 'cluster', logicalId: 'Cluster' }],
    [{ 'Fn::GetAtt': 'Instance.DbiResourceId' }, { of: 'resource', kind: 'instance', logicalId: 'Instance' }],
    [{ 'Fn::ImportValue': 'Database:Id' }, { of: 'export', name: 'Database:Id' }],
    ['cluster-ABC', { of: 'text', text: 'cluster-ABC' }],
    [{ Ref: 'Parameter' }, { of: 'nothing known' }],
  ])('whose database is %j', (value, expected) => {
    expect(found(value)).toEqual([expected]);
  });

  test('is found exactly as spelled, in lists and in nested stacks', () => {
    const nested = { ...stack({}), nested: { Inner: stack({}) } } as AssemblyStack;
    expect(declaredUsers({ stacks: [nested] }, 'orders')).toHaveLength(2);
    expect(declaredUsers({ stacks: [nested] }, 'Orders')).toEqual([]);
    const list = {
      ...nested,
      nested: {},
      template: {
        Resources: {
          Users: { Type: 'Custom::RdsIamUsers', Properties: { Usernames: ['a', 'orders'], Privileges: { shop: {} } } },
        },
      },
    } as unknown as AssemblyStack;
    expect(declaredUsers({ stacks: [list] }, 'orders')).toMatchObject([{ logicalId: 'Users', database: 'shop' }]);
  });
});

const NOTHING: Seen<never> = { unseen: 'needs x:Y' };
const seen = (others: Partial<Observations> = {}): Observations => ({
  client: { host: 'h', port: 5432, username: 'orders', database: 'shop', sslMode: 'verify-full', inside: false },
  hostKind: 'other',
  database: NOTHING,
  addresses: NOTHING,
  route: NOTHING,
  tls: NOTHING,
  clockAheadSeconds: NOTHING,
  caller: NOTHING,
  isTokenOfCaller: false,
  now: new Date(0),
  policy: NOTHING,
  proxyGrant: NOTHING,
  proxySecrets: NOTHING,
  catalog: NOTHING,
  log: NOTHING,
  throttled: NOTHING,
  signIn: { outcome: 'not tried', reason: 'x' },
  ...others,
});

describe('a diagnosis', () => {
  test('of which nothing is known names no cause', () => {
    expect(diagnose(seen()).cause).toBeUndefined();
  });

  test.each([
    [300, undefined],
    [301, 'clock'],
    [-900, undefined],
    [-901, 'clock'],
  ])('of a clock that is %i s ahead names %s', (value, cause) => {
    expect(diagnose(seen({ clockAheadSeconds: { value } })).cause?.cause).toBe(cause);
  });

  test('has the first cause in bold, and the later ones not', () => {
    const observations = seen({ clockAheadSeconds: { value: 1000 }, caller: { refused: 'none' } });
    const text = textReport(diagnose(observations), observations, false, true);
    expect(
      text
        .split('\n')
        .filter(line => line.startsWith('\u001b[1m'))
        .map(line => line.slice(4, 27).trim()),
    ).toEqual(['cause     clock', 'Cause: the clock of thi', 'Fix:   synchronize the']);
  });

  test('of a sign-in that passes names none, whatever else was seen', () => {
    const { cause, signedIn, steps } = diagnose(
      seen({ clockAheadSeconds: { value: 1000 }, signIn: { outcome: 'in' } }),
    );
    expect({ cause, signedIn }).toEqual({ cause: undefined, signedIn: true });
    expect(steps.find(({ step }) => step === 'clock')).toMatchObject({
      state: 'unknown',
      found: expect.stringMatching(/; the sign-in passes anyway$/) as string,
    });
  });

  test.each([
    ['28000', 'PAM authentication failed for user "orders"', undefined],
    [
      '28000',
      'The IAM authentication failed for the role orders. Check the IAM token for this role and try again.',
      undefined,
    ],
    [
      '28000',
      'pg_hba.conf rejects connection for host "10.0.0.1", user "orders", database "shop", no encryption',
      'tls-disabled',
    ],
    ['28000', 'role "orders" is not permitted to log in', 'role-nologin'],
    ['28000', 'Request returned an error: PAM authentication failed for user "orders"', 'proxy-login'],
    [
      '28000',
      'This RDS proxy has no credentials for the role orders. Check the credentials for this role and try again.',
      'proxy-secret',
    ],
    ['53300', 'The IAM authentication failed because of too many competing requests.', 'throttled'],
    ['28P01', 'The password that was provided for the role orders is wrong.', 'proxy-scheme'],
    ['28P01', 'password authentication failed for user "orders"', 'not-asked-for-token'],
    ['3D000', 'database "shop" does not exist', 'database-missing'],
    ['42501', 'permission denied for database "shop"', 'connect-missing'],
    ['53300', 'too many connections for role "orders"', 'limit-role'],
    ['53300', 'too many connections for database "for role"', 'limit-database'],
    ['53300', 'remaining connection slots are reserved for roles with the SUPERUSER attribute', 'limit-server'],
    ['57P03', 'the database system is starting up', 'database-status'],
    ['99999', 'something new', undefined],
  ])('of a refusal with %s %s alone names %s', (code, message, cause) => {
    expect(diagnose(seen({ signIn: { outcome: 'refused', code, message } })).cause?.cause).toBe(cause);
  });
});
