import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { ResourceDefinition, ResourceState } from '../../rehearsal/cloudformation/template';
import { RdsProxy } from '../../rehearsal/rds-proxy';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { signIn, SignIn } from '../../rehearsal/sign-in';
import { full } from '../full';
import { assemblyOf, cluster, instance, policy, policyDocument } from './fixtures/app';
import { AT_DATABASE, IAM, resourceOf, signInAs } from './through-proxy';

type Resources = Record<string, ResourceDefinition>;

let rehearsal: Rehearsal;
beforeAll(async () => rehearsal = await Rehearsal.start());
afterAll(() => rehearsal.close());

const resourceIn = (stack: string, start: string, type?: string) => resourceOf(rehearsal, stack, start, type);
const withToken = (target: AuroraLikeServer | RdsProxy, role: ResourceState, username: string, others?: Partial<SignIn>, tokenOf?: AuroraLikeServer | RdsProxy) =>
  signInAs(rehearsal, target, role, username, others, tokenOf);

full.describe('AWS::RDS::DBProxy', () => {
  const trusting = (service: string): ResourceDefinition => ({
    Type: 'AWS::IAM::Role',
    Properties: { AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: service } }] } },
  });
  const proxy = (name: string, properties = {}): ResourceDefinition => ({
    Type: 'AWS::RDS::DBProxy',
    Properties: {
      DBProxyName: name, EngineFamily: 'POSTGRESQL', DefaultAuthScheme: 'IAM_AUTH', RequireTLS: true,
      RoleArn: { 'Fn::GetAtt': ['ProxyRole', 'Arn'] }, VpcSubnetIds: [{ Ref: 'Subnet' }], ...properties,
    },
  });
  const classic = (name: string, IAMAuth: string | undefined, secrets: string[], properties = {}) =>
    proxy(name, { DefaultAuthScheme: undefined, Auth: secrets.map(id => ({ AuthScheme: 'SECRETS', IAMAuth, SecretArn: { Ref: id } })), ...properties });
  const target = (proxyId: string, properties: object): ResourceDefinition =>
    ({ Type: 'AWS::RDS::DBProxyTargetGroup', Properties: { DBProxyName: { Ref: proxyId }, TargetGroupName: 'default', ...properties } });
  const secretOf = (username: string): ResourceDefinition =>
    ({ Type: 'AWS::SecretsManager::Secret', Properties: { SecretString: JSON.stringify({ username, password: `secret of ${username}` }) } });
  const user = (resourceId: unknown, username: string) =>
    ({ 'Fn::Join': ['', ['arn:aws:rds-db:eu-central-1:111122223333:dbuser:', resourceId, `/${username}`]] });
  const idOf = (proxyId: string) => ({ 'Fn::Select': [6, { 'Fn::Split': [':', { 'Fn::GetAtt': [proxyId, 'DBProxyArn'] }] }] });
  const ofCluster = { 'Fn::GetAtt': ['Cluster', 'DBClusterResourceId'] };
  const onCluster = { DBClusterIdentifiers: [{ Ref: 'Cluster' }] };
  const base: Resources = {
    Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.0.0.0/16' } },
    Subnet: { Type: 'AWS::EC2::Subnet', Properties: { VpcId: { Ref: 'Vpc' } } },
    ProxyRole: trusting('rds.amazonaws.com'),
    Client: trusting('lambda.amazonaws.com'),
  };

  const deploy = (stacks: Record<string, Resources>, name: string) =>
    rehearsal.deploy(assemblyOf(Object.fromEntries(Object.entries(stacks).map(([stack, Resources]) => [stack, { Resources }]))), name);
  const at = (id: string) => rehearsal.proxy(resourceIn('Shop', id, 'AWS::RDS::DBProxy'));
  const client = () => resourceIn('Shop', 'Client');
  const database = () => rehearsal.database(resourceIn('Shop', 'Cluster'));

  const shop: Resources = {
    ...base,
    ...cluster({ Port: 6543 }),
    Carol: secretOf('carol'),
    Alice: secretOf('alice'),
    Proxy: proxy('Orders'),
    Group: target('Proxy', onCluster),
    Tokens: classic('tokens', 'REQUIRED', ['Carol', 'Alice']),
    TokensGroup: target('Tokens', onCluster),
    Passwords: classic('passwords', undefined, ['Carol'], { RequireTLS: false }),
    PasswordsGroup: target('Passwords', onCluster),
    ReadSecrets: policy('ProxyRole', 'secretsmanager:GetSecretValue', '*'),
    SignIn: policy('ProxyRole', 'rds-db:connect', user(ofCluster, 'alice')),
    Clients: {
      Type: 'AWS::IAM::Policy',
      Properties: {
        PolicyName: 'p', Roles: [{ Ref: 'Client' }],
        PolicyDocument: policyDocument('rds-db:connect', [...['alice', 'bob', 'carol'].map(name => user(idOf('Proxy'), name)), user(idOf('Tokens'), '*')] as never),
      },
    },
  };

  beforeAll(async () => {
    expect(await deploy({ Shop: shop }, 'Shop')).toMatchObject({ status: 'CREATE_COMPLETE' });
    await database().sql(`CREATE ROLE alice LOGIN PASSWORD 'secret of alice'; CREATE ROLE bob LOGIN; GRANT rds_iam TO alice, bob;
      CREATE ROLE carol LOGIN PASSWORD 'secret of carol'; CREATE ROLE dora LOGIN PASSWORD 'secret of dora'`);
  });

  test('has the attributes of AWS', () => {
    const { physicalId, attributes } = resourceIn('Shop', 'Proxy', 'AWS::RDS::DBProxy');
    expect({ physicalId, attributes }).toEqual({
      physicalId: 'Orders',
      attributes: {
        DBProxyArn: expect.stringMatching(/^arn:aws:rds:eu-central-1:111122223333:db-proxy:prx-0[0-9a-f]{16}$/) as string,
        Endpoint: expect.stringMatching(/^orders\.proxy-c[0-9a-f]{10}\.eu-central-1\.rds\.amazonaws\.com$/) as string,
        VpcId: resourceIn('Shop', 'Vpc').physicalId,
      },
    });
    expect(resourceIn('Shop', 'Group').attributes.TargetGroupArn).toMatch(/^arn:aws:rds:eu-central-1:111122223333:target-group:prx-tg-0[0-9a-f]{16}$/);
  });

  const PROXY_ROLE = () => resourceIn('Shop', 'ProxyRole').attributes.Arn as string;
  const NO_CREDENTIALS = (username: string) => `refused: 28000 This RDS proxy has no credentials for the role ${username}. Check the credentials for this role and try again.`;

  describe('with end-to-end IAM', () => {
    test('answers on 5432, whatever the port of the database is', async () => {
      expect([at('Proxy').port, database().port]).toEqual([5432, 6543]);
      expect(await withToken(at('Proxy'), client(), 'alice')).toBe('signed in as alice');
    });

    test('does not sign in to the database as whom its role may not, or as who is no member of rds_iam', async () => {
      expect(await withToken(at('Proxy'), client(), 'bob')).toBe(AT_DATABASE('28000', 'PAM authentication failed for user "bob"', `a token of ${PROXY_ROLE()}`));
      expect(await withToken(at('Proxy'), client(), 'carol')).toBe(AT_DATABASE('28P01', 'password authentication failed for user "carol"', `a token of ${PROXY_ROLE()}`));
    });

    test('takes nothing without TLS, no password, and no token for another proxy', async () => {
      expect(await withToken(at('Proxy'), client(), 'alice', { tls: false })).toBe('refused: 28000 This RDS Proxy requires TLS connections.');
      expect(await signIn(at('Proxy'), { username: 'alice', password: 'secret of alice', database: 'shop' })).toBe(IAM('alice'));
      expect(await withToken(at('Proxy'), client(), 'alice', {}, at('Tokens'))).toBe(IAM('alice'));
    });

    test('says what the database does not like about the session', async () => {
      expect(await withToken(at('Proxy'), client(), 'alice', { database: 'none' })).toBe(AT_DATABASE('3D000', 'database "none" does not exist', `a token of ${PROXY_ROLE()}`));
    });

    test('does not answer for a database that is not available', async () => {
      database().isAvailable = false;
      try {
        expect(await withToken(at('Proxy'), client(), 'alice')).toBe('refused: 08006 Timed-out waiting to acquire database connection.');
      } finally {
        database().isAvailable = true;
      }
    });
  });

  describe('with passwords', () => {
    test('takes a token and signs in with the password of the secret, which a member of rds_iam cannot', async () => {
      expect(await withToken(at('Tokens'), client(), 'carol')).toBe('signed in as carol');
      const secret = resourceIn('Shop', 'Alice').physicalId;
      expect(await withToken(at('Tokens'), client(), 'alice')).toBe(AT_DATABASE('28000', 'PAM authentication failed for user "alice"', `the password of ${secret}`));
    });

    test('takes the password where it does not ask for tokens', async () => {
      const signInAs = (username: string, password: string, tls = true) => signIn(at('Passwords'), { username, password, database: 'shop', tls });
      expect(await signInAs('carol', 'secret of carol')).toBe('signed in as carol');
      expect(await signInAs('carol', 'secret of carol', false)).toBe('signed in as carol');
      expect(await signInAs('carol', 'secret of alice')).toBe('refused: 28P01 The password that was provided for the role carol is wrong.');
      expect(await signInAs('alice', 'secret of alice')).toBe(NO_CREDENTIALS('alice'));
    });

    test('knows the users of its secrets alone, and those only while its role may read them', async () => {
      expect(await withToken(at('Tokens'), client(), 'dora')).toBe(NO_CREDENTIALS('dora'));
      const { ReadSecrets, ...others } = shop;
      expect(ReadSecrets).toBeDefined();
      expect(await deploy({ Shop: others }, 'Shop')).toMatchObject({ status: 'UPDATE_COMPLETE' });
      expect(await withToken(at('Tokens'), client(), 'carol')).toBe(NO_CREDENTIALS('carol'));
      expect(await deploy({ Shop: shop }, 'Shop')).toMatchObject({ status: 'UPDATE_COMPLETE' });
    });

    test('takes a token in TLS alone', async () => {
      const settings = at('Tokens').settings;
      at('Tokens').settings = { ...settings, requireTls: false };
      expect(await withToken(at('Tokens'), client(), 'carol', { tls: false })).toBe('refused: 28000 IAM is allowed only with SSL connections.');
      at('Tokens').settings = settings;
    });
  });

  test('is updated in place, and replaced when it gets another name', async () => {
    const before = at('Tokens');
    expect(await deploy({ Shop: { ...shop, Tokens: proxy('tokens'), Proxy: proxy('Renamed') } }, 'Shop')).toMatchObject({ status: 'UPDATE_COMPLETE' });
    expect(at('Tokens')).toBe(before);
    expect(await withToken(at('Tokens'), client(), 'alice')).toBe('signed in as alice');
    expect(at('Proxy').host).toMatch(/^renamed\.proxy-/);
    expect(await withToken(at('Proxy'), client(), 'alice')).toBe('signed in as alice');
    expect(await deploy({ Shop: shop }, 'Shop')).toMatchObject({ status: 'UPDATE_COMPLETE' });
    expect(await withToken(at('Tokens'), client(), 'carol')).toBe('signed in as carol');
  });

  test('is in another stack than its database, which may be an instance', async () => {
    const data = { ...instance({ DBInstanceIdentifier: 'data' }) };
    const apps = {
      ...base,
      Proxy: proxy('apps'),
      Group: target('Proxy', { DBInstanceIdentifiers: ['Data'] }),
      SignIn: policy('ProxyRole', 'rds-db:connect', '*'),
      Clients: policy('Client', 'rds-db:connect', user(idOf('Proxy'), 'alice')),
    };
    expect(await deploy({ Apps: apps, Data: data }, 'Data')).toMatchObject({ status: 'CREATE_COMPLETE' });
    await rehearsal.database(resourceIn('Data', 'Instance')).sql('CREATE ROLE alice LOGIN; GRANT rds_iam TO alice');
    expect(await deploy({ Apps: apps, Data: data }, 'Apps')).toMatchObject({ status: 'CREATE_COMPLETE' });
    const resource = resourceIn('Apps', 'Proxy', 'AWS::RDS::DBProxy');
    const its = rehearsal.proxy(resource);
    expect(await withToken(its, resourceIn('Apps', 'Client'), 'alice')).toBe('signed in as alice');
    expect(await withToken(its, client(), 'alice')).toBe(IAM('alice'));
    expect(await rehearsal.destroy('Apps')).toMatchObject({ status: 'DELETE_COMPLETE' });
    expect(() => rehearsal.proxy(resource)).toThrow(new Error(`no proxy ${its.resourceId} exists`));
    expect(await rehearsal.destroy('Data')).toMatchObject({ status: 'DELETE_COMPLETE' });
  });

  const UNDECIDED = 'refused: XX000 the rehearsal cannot decide about this login: ';

  test.each<[string, object, string]>([
    ['allows no sign-in by a condition', { Condition: { DateLessThan: { 'aws:CurrentTime': '2999-01-01T00:00:00Z' } } }, IAM('alice')],
    ['does not decide by a policy variable, which AWS says nothing of', { Resource: user(idOf('Proxy'), '${aws:PrincipalTag/user}') }, UNDECIDED],
  ])('%s', async (_, changes, expected) => {
    const PolicyDocument = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'rds-db:connect', Resource: user(idOf('Proxy'), 'alice'), ...changes }] };
    const Clients = { Type: 'AWS::IAM::Policy', Properties: { PolicyName: 'p', Roles: [{ Ref: 'Client' }], PolicyDocument } };
    expect(await deploy({ Shop: { ...shop, Clients } }, 'Shop')).toMatchObject({ status: 'UPDATE_COMPLETE' });
    const answer = await withToken(at('Proxy'), client(), 'alice');
    expect(answer.startsWith(expected)).toBe(true);
    expect(at('Proxy').log.join('\n')).toContain(expected === UNDECIDED
      ? 'RDS Proxy supports no condition keys, so what a policy with aws:PrincipalTag/user does there is not known; narrow the resource instead'
      : 'not evaluated by RDS: refused');
    expect(await deploy({ Shop: shop }, 'Shop')).toMatchObject({ status: 'UPDATE_COMPLETE' });
  });

  test('does not decide for a role of another app', async () => {
    const RoleArn = 'arn:aws:iam::111122223333:role/other';
    expect(await deploy({ Shop: { ...shop, Proxy: proxy('Orders', { RoleArn }) } }, 'Shop')).toMatchObject({ status: 'UPDATE_COMPLETE' });
    expect(await withToken(at('Proxy'), client(), 'alice')).toBe(`${UNDECIDED}${RoleArn}, the role of the proxy, is in no rehearsed stack, so its policies are not known`);
    expect(await deploy({ Shop: shop }, 'Shop')).toMatchObject({ status: 'UPDATE_COMPLETE' });
  });

  const BOTH = 'a proxy with both DefaultAuthScheme IAM_AUTH and Auth is not rehearsed: AWS does not say which of them counts for a user that has a secret; leave one out';
  const ENTRY = (what: string) => `an entry in Auth of a proxy with ${what} is not rehearsed: use AuthScheme SECRETS, IAMAuth DISABLED or REQUIRED, and SecretArn`;
  const GROUP = (count: number) => `a target group default with ${count} databases is not rehearsed: there is one of each proxy, default, with one cluster or instance`;

  test.each<[string, Resources, string]>([
    ['the name of another', { Proxy: proxy('orders') }, 'a proxy orders exists already in eu-central-1, and their names are unique in an account and Region; give this one a dbProxyName of its own'],
    ['another engine', { Proxy: proxy('p', { EngineFamily: 'MYSQL' }) }, 'a proxy with EngineFamily MYSQL is not rehearsed: use POSTGRESQL'],
    ['a role of another service', { ProxyRole: { ...trusting('lambda.amazonaws.com'), Properties: { RoleName: 'r', ...trusting('lambda.amazonaws.com').Properties } }, Proxy: proxy('p') },
      "the role of the proxy, r, may not be assumed by rds.amazonaws.com, so the proxy could do nothing with it; make it with assumedBy: new iam.ServicePrincipal('rds.amazonaws.com')"],
    ['two schemes', { Proxy: proxy('p', { Auth: [{ SecretArn: 's' }] }) }, BOTH],
    ['no scheme', { Proxy: proxy('p', { DefaultAuthScheme: 'NONE' }) },
      'a proxy with DefaultAuthScheme NONE and 0 entries in Auth is not what RDS takes: set DefaultAuthScheme to IAM_AUTH, or name a secret in Auth'],
    ['the IAMAuth of another engine', { Proxy: proxy('p', { DefaultAuthScheme: 'NONE', Auth: [{ AuthScheme: 'SECRETS', IAMAuth: 'ENABLED', SecretArn: 's' }] }) }, ENTRY('AuthScheme SECRETS and IAMAuth ENABLED')],
    ['no secret', { Proxy: proxy('p', { DefaultAuthScheme: 'NONE', Auth: [{ AuthScheme: 'SECRETS' }] }) }, ENTRY('AuthScheme SECRETS and IAMAuth DISABLED and no SecretArn')],
    ['a target that is not there', { Proxy: proxy('p'), Group: target('Proxy', { DBClusterIdentifiers: ['none'] }) }, 'no database arn:aws:rds:eu-central-1:111122223333:cluster:none exists'],
    ['no target', { Proxy: proxy('p'), Group: target('Proxy', {}) }, GROUP(0)],
    ['two targets', { Proxy: proxy('p'), Group: target('Proxy', { DBInstanceIdentifiers: ['a', 'b'] }) }, GROUP(2)],
    ['a target group of another proxy', { Group: { ...target('Subnet', {}), Properties: { DBProxyName: 'none', TargetGroupName: 'default', DBInstanceIdentifiers: ['a'] } } }, 'no proxy none exists in eu-central-1'],
  ])('is refused with %s', async (_, resources, message) => {
    const { status, reason } = await deploy({ Wrong: { ...base, ...resources } }, 'Wrong');
    expect({ status, reason }).toEqual({ status: 'ROLLBACK_COMPLETE', reason: expect.stringMatching(/^(Proxy|Group) \(AWS::RDS::DBProxy(TargetGroup)?\): /) as string });
    expect(reason!.replace(/^.*?\): /, '')).toBe(message);
  });
});
