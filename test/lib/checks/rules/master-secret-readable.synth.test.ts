import { CfnParameter, Fn, SecretValue, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { IConstruct } from 'constructs';
import { AdminCredentials, AuroraIamAuth, ConnectGrants } from '../../../../lib';
import { SynthesizedApp } from '../../../../lib/checks/app/synthesized-app';
import { TemplateBody } from '../../../../lib/checks/app/template';
import { masterSecretReadable } from '../../../../lib/checks/rules/master-secret-readable';
import { IRELAND, logicalIdOf, newCluster, templateOf, vpcOf } from '../../support';
import { answer, answerTo, newStack, resource } from '../support';

const policyOf = ({ node }: IConstruct) => node.tryFindChild('DefaultPolicy') ?? node.findChild('Policy');
const newRole = (stack: Stack, id = 'Role', service = 'ecs-tasks.amazonaws.com') => new iam.Role(stack, id, { assumedBy: new iam.ServicePrincipal(service) });

/** A cluster with a user, and a role that may do something. */
function withUser(props: Partial<rds.DatabaseClusterProps> = {}) {
  const stack = newStack();
  const cluster = newCluster(stack, 'Cluster', props);
  const iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster });
  iamAuth.addUser('orders');
  return { stack, cluster, iamAuth, role: newRole(stack) };
}

/** A template to which each test adds a policy of the role. */
interface Base {
  readonly body: TemplateBody;
  readonly role: string;
  readonly secret: unknown;
}

const baseOf = ({ stack, cluster, role }: Pick<ReturnType<typeof withUser>, 'stack' | 'cluster' | 'role'>): Base =>
  ({ secret: stack.resolve(cluster.secret!.secretArn) as unknown, body: templateOf(stack).toJSON(), role: logicalIdOf(role) });

let base: Base;
beforeAll(() => base = baseOf(withUser()));

function reads(Resource: unknown, statement: object = { Action: 'secretsmanager:GetSecretValue' }, { body, role } = base) {
  const It = { Type: 'AWS::IAM::Policy', Properties: { Roles: [{ Ref: role }], PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Resource, ...statement }] } } };
  const stack = { name: 'Data', environment: 'aws://111111111111/eu-west-1', folder: '/cdk.out' };
  const app = new SynthesizedApp([{ file: '/cdk.out/Data.template.json', stack, body: { Resources: { ...body.Resources, It } } }]);
  return answerTo(masterSecretReadable, app.resources.at(-1)!);
}

const SECRETS = 'arn:aws:secretsmanager:eu-west-1:111111111111:secret';

describe('IamAuth-MasterSecretReadable', () => {
  test('is not about an app in which no identity signs in with IAM', () => {
    const stack = newStack();
    const role = newRole(stack);
    newCluster(stack, 'Cluster').secret!.grantRead(role);
    expect(answer(masterSecretReadable, policyOf(role))).toBe('NOT_APPLICABLE');
  });

  test('is not about policies without GetSecretValue', () => {
    expect(reads('*', { Action: 's3:GetObject' })).toBe('NOT_APPLICABLE');
  });

  test('finds a workload that reads the secret of a cluster with users', () => {
    const { cluster, role } = withUser();
    cluster.secret!.grantRead(role);
    expect(answer(masterSecretReadable, policyOf(role))).toEqual([{
      id: expect.stringMatching(/^<ClusterSecret\w+>$/) as unknown,
      description: expect.stringMatching(/^Role\w+ may read the secret <ClusterSecret\w+>, with which one signs in to Cluster\w+ as its admin: IAM authentication and the privileges of users do not bind who has that password$/) as unknown,
      location: 'Properties/PolicyDocument/Statement/0',
    }]);
  });

  test('finds it where the users are only granted', () => {
    const stack = newStack();
    const [role, other] = [newRole(stack), newRole(stack, 'Other')];
    const cluster = newCluster(stack, 'Cluster', { iamAuthentication: true });
    ConnectGrants.fromCluster(cluster).connect(other, 'orders');
    cluster.grantDataApiAccess(role);
    expect(answer(masterSecretReadable, policyOf(role))).toHaveLength(1);
  });

  test.each([
    ['everything', '*'],
    ['every secret', `${SECRETS}:*`],
    ['every secret of the account', { 'Fn::Sub': 'arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:*' }],
    ['everything in Secrets Manager', 'arn:aws:secretsmanager:*'],
  ])('finds a wildcard: %s', (_, Resource) => {
    expect(reads(Resource)).toMatchObject([{ id: expect.stringMatching(/^<ClusterSecret\w+>$/) as unknown }]);
  });

  test.each([
    ['all actions', { Action: '*' }],
    ['all but others', { NotAction: ['iam:*'] }],
    ['actions with a pattern', { Action: 'secretsmanager:Get*' }],
  ])('finds it by %s', (_, statement) => {
    expect(reads('*', statement)).toMatchObject([{ id: expect.stringMatching(/^<ClusterSecret\w+>$/) as unknown }]);
  });

  test('finds it in all that are not excepted', () => {
    const but = (NotResource: unknown) => reads(undefined, { Action: 'secretsmanager:GetSecretValue', NotResource });
    expect(but(`${SECRETS}:other-AbCdEf`)).toMatchObject([{ id: expect.stringMatching(/^<Cluster/) as unknown }]);
    expect(but(base.secret)).toBe('COMPLIANT');
    expect(but({ Ref: 'Open' })).toMatchObject([{ id: expect.stringMatching(/^unknown <Cluster/) as unknown }]);
  });

  test('finds a policy of AWS, and a policy that no identity has yet', () => {
    const { stack, role } = withUser();
    role.addManagedPolicy(iam.ManagedPolicy.fromAwsManagedPolicyName('SecretsManagerReadWrite'));
    const nobodys = new iam.ManagedPolicy(stack, 'Nobodys', { statements: [new iam.PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: ['*'] })] });
    expect(answer(masterSecretReadable, role)).toMatchObject([{ description: expect.stringContaining('as its admin, by the policy SecretsManagerReadWrite of AWS: ') as unknown }]);
    expect(answer(masterSecretReadable, nobodys)).toMatchObject([{ description: expect.stringContaining('each identity with this policy may read') as unknown }]);
  });

  test('finds it from another stack, whose secret is an import', () => {
    const { stack, cluster } = withUser();
    const service = new Stack(stack.node.root, 'Service', { env: IRELAND });
    const role = newRole(service);
    cluster.secret!.grantRead(role);
    expect(answer(masterSecretReadable, policyOf(role))).toMatchObject([{ id: expect.stringMatching(/^<ClusterSecret\w+>$/) as unknown }]);
  });

  test('finds the secret that RDS manages', () => {
    const stack = newStack();
    const cluster = newCluster(stack, 'Cluster');
    const database = cluster.node.defaultChild as rds.CfnDBCluster;
    Object.assign(database, { manageMasterUserPassword: true, masterUserPassword: undefined, masterUsername: 'postgres' });
    new AuroraIamAuth(stack, 'IamAuth', { cluster }).addUser('orders');
    const [role, other] = [newRole(stack), newRole(stack, 'Other')];
    role.addToPolicy(new iam.PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [database.attrMasterUserSecretSecretArn] }));
    other.addToPolicy(new iam.PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [`${SECRETS}:shop/*`] }));
    expect(answer(masterSecretReadable, policyOf(role))).toMatchObject([{ id: expect.stringMatching(/^<Cluster\w+\.MasterUserSecret\.SecretArn>$/) as unknown }]);
    expect(answer(masterSecretReadable, policyOf(other))).toBe('COMPLIANT');
  });

  test.each([
    ['its name', 'shop/admin', 'shop/admin'],
    ['its ARN', `${SECRETS}:shop/admin-AbCdEf`, `${SECRETS}:shop/admin-AbCdEf`],
  ])('finds a secret of another app, which the cluster has by %s', (_, secretId, what) => {
    const stack = newStack();
    const cluster = newCluster(stack, 'Cluster', { credentials: rds.Credentials.fromPassword('postgres', SecretValue.secretsManager(secretId, { jsonField: 'password' })), iamAuthentication: true });
    (cluster.node.defaultChild as rds.CfnDBCluster).manageMasterUserPassword = false;
    ConnectGrants.fromCluster(cluster).connect(newRole(stack, 'Other'), 'orders');
    const role = newRole(stack);
    role.addToPolicy(new iam.PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [`${SECRETS}:shop/*`] }));
    expect(answer(masterSecretReadable, policyOf(role))).toMatchObject([{ id: what }]);
  });

  test('finds a secret that was imported by its name', () => {
    const stack = newStack();
    const secret = secretsmanager.Secret.fromSecretNameV2(stack, 'Imported', 'shop/admin');
    new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack, 'Cluster', { credentials: rds.Credentials.fromSecret(secret) }) }).addUser('orders');
    const role = newRole(stack);
    const read = (name: string) => reads(`${SECRETS}:${name}`, undefined, { body: templateOf(stack).toJSON(), role: logicalIdOf(role), secret: undefined });
    expect(read('shop/*')).toMatchObject([{ id: expect.stringMatching(/^arn:.*:secret:shop\/admin$/) as unknown }]);
    expect(read('shop/app-*')).toBe('COMPLIANT');
  });

  test('finds the secret of the admin of an imported cluster', () => {
    const stack = newStack();
    const cluster = rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Cluster', {
      clusterIdentifier: 'shop', clusterResourceIdentifier: 'cluster-ABC', clusterEndpointAddress: 'shop', port: 5432, securityGroups: [newCluster(stack, 'Other').connections.securityGroups[0]],
    });
    const secret = secretsmanager.Secret.fromSecretCompleteArn(stack, 'Admin', `${SECRETS}:shop/admin-AbCdEf`);
    new AuroraIamAuth(stack, 'IamAuth', { cluster, vpc: vpcOf(stack), admin: AdminCredentials.fromSecret(secret) }).addUser('orders');
    const [role, other] = [newRole(stack), newRole(stack, 'AnotherRole')];
    secret.grantRead(role);
    other.addToPolicy(new iam.PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [`${SECRETS}:shop/app-??????`] }));
    expect(answer(masterSecretReadable, policyOf(role))).toMatchObject([{ id: `${SECRETS}:shop/admin-AbCdEf`, description: expect.stringContaining('signs in to cluster-ABC as its admin') as unknown }]);
    expect(answer(masterSecretReadable, policyOf(other))).toBe('COMPLIANT');
  });

  describe('of a secret with a name', () => {
    let named: Base;
    beforeAll(() => {
      const stack = newStack();
      const secret = new rds.DatabaseSecret(stack, 'Secret', { username: 'postgres', secretName: 'shop/admin' });
      const cluster = newCluster(stack, 'Cluster', { credentials: rds.Credentials.fromSecret(secret) });
      new AuroraIamAuth(stack, 'IamAuth', { cluster }).addUser('orders');
      named = baseOf({ stack, cluster, role: newRole(stack) });
    });
    const readsNamed = (name: string) => reads(`${SECRETS}:${name}`, undefined, named);

    test.each(['shop/admin', 'shop/admin-??????', 'shop/*'])('finds %s', (name) => {
      expect(readsNamed(name)).toMatchObject([{ id: expect.stringMatching(/^<Secret/) as unknown }]);
    });

    test('cannot tell of an ARN that may be its', () => {
      expect(readsNamed('shop/admin-a1B2c3')).toMatchObject([{ id: expect.stringMatching(/^unknown <Secret/) as unknown }]);
    });

    test.each(['shop/adm', 'shop/app-*', 'admin-*', 'shop/app-a1B2c3'])('has nothing against %s', (name) => {
      expect(readsNamed(name)).toBe('COMPLIANT');
    });
  });

  test('has nothing against who must read it: what creates the users, rotates the password, or is RDS itself', () => {
    const { stack, cluster, iamAuth } = withUser();
    const rotation = new lambda.Function(stack, 'Rotation', { runtime: lambda.Runtime.NODEJS_24_X, handler: 'i.h', code: lambda.Code.fromInline('.') });
    cluster.secret!.addRotationSchedule('Schedule', { rotationLambda: rotation });
    cluster.secret!.grantRead(rotation);
    const proxy = newRole(stack, 'Proxy', 'rds.amazonaws.com');
    cluster.secret!.grantRead(proxy);
    for (const role of [rotation.role!, proxy, iamAuth.node.findChild('Provisioner').node.findChild('HandlerRole')]) {
      expect(answer(masterSecretReadable, policyOf(role))).toBe('COMPLIANT');
    }
  });

  describe('in the policy of the secret itself', () => {
    const ask = (grant: (secret: secretsmanager.ISecret) => void) => {
      const { cluster } = withUser();
      grant(cluster.secret!);
      return answer(masterSecretReadable, cluster.secret!.node.findChild('Policy'));
    };
    const allow = (...principals: iam.IPrincipal[]) => (secret: secretsmanager.ISecret) =>
      void secret.addToResourcePolicy(new iam.PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: ['*'], principals }));

    test.each([
      ['another account', new iam.AccountPrincipal('222222222222'), 'arn:<Partition>:iam::222222222222:root'],
      ['anybody', new iam.StarPrincipal(), '*'],
      ['a service', new iam.ServicePrincipal('ecs.amazonaws.com'), 'ecs.amazonaws.com'],
      ['a role of another app', new iam.ArnPrincipal('arn:aws:iam::111111111111:role/app'), 'arn:aws:iam::111111111111:role/app'],
    ])('finds %s', (_, principal, reader) => {
      expect(ask(allow(principal))).toMatchObject([{
        id: expect.stringMatching(/^<ClusterSecret\w+>$/) as unknown, description: expect.stringContaining(`${reader} may read the secret`) as unknown, location: 'Properties/ResourcePolicy/Statement/0',
      }]);
    });

    test('has nothing against its own account, which gives no identity anything, nor against RDS', () => {
      expect(ask(allow(new iam.AccountPrincipal('111111111111'), new iam.AccountRootPrincipal(), new iam.ServicePrincipal('rds.amazonaws.com')))).toBe('COMPLIANT');
    });

    test('has nothing against what creates the users, and finds another role of the app', () => {
      const { cluster, iamAuth } = withUser();
      allow(iamAuth.node.findChild('Provisioner').node.findChild('HandlerRole') as iam.Role)(cluster.secret!);
      expect(answer(masterSecretReadable, cluster.secret!.node.findChild('Policy'))).toBe('COMPLIANT');

      const other = withUser();
      allow(other.role)(other.cluster.secret!);
      expect(answer(masterSecretReadable, other.cluster.secret!.node.findChild('Policy'))).toHaveLength(1);
    });

    test('is not about what is denied, and has nothing against the policy of another secret', () => {
      expect(ask(secret => secret.denyAccountRootDelete())).toBe('NOT_APPLICABLE');
      const { stack } = withUser();
      const own = new secretsmanager.Secret(stack, 'Own');
      allow(new iam.StarPrincipal())(own);
      expect(answer(masterSecretReadable, own.node.findChild('Policy'))).toBe('COMPLIANT');
    });
  });

  test('has nothing against other secrets', () => {
    const it = withUser();
    const own = new secretsmanager.Secret(it.stack, 'Own');
    own.grantRead(it.role);
    expect(answer(masterSecretReadable, policyOf(it.role))).toBe('COMPLIANT');
    expect(reads([`${SECRETS}:shop/*`, 'arn:aws:s3:::bucket/*', `${SECRETS}:other-AbCdEf`])).toBe('COMPLIANT');
  });

  test.each([
    ['a parameter', { Ref: 'Open' }],
    ['an import', { 'Fn::ImportValue': 'Elsewhere' }],
    ['the end of a name', { 'Fn::Sub': `${SECRETS}:\${Open}` }],
    ['a pattern that may be of a name that CloudFormation makes', `${SECRETS}:Cluster*`],
  ])('cannot tell: %s', (_, Resource) => {
    expect(reads(Resource)).toEqual([{
      id: expect.stringMatching(/^unknown <ClusterSecret\w+>$/) as unknown,
      description: expect.stringMatching(/^whether Role\w+ may read the secret <ClusterSecret\w+>, with which one signs in to Cluster\w+ as its admin, is known at the deployment only$/) as unknown,
      location: 'Properties/PolicyDocument/Statement/0',
    }]);
  });

  test('cannot tell of a document that is a parameter', () => {
    const { stack } = withUser();
    new CfnParameter(stack, 'Open');
    expect(answer(masterSecretReadable, resource(stack, 'It', 'AWS::IAM::UserPolicy', { UserName: 'ada', PolicyDocument: Fn.ref('Open') }))).toMatchObject([{
      id: expect.stringMatching(/^unknown <ClusterSecret\w+>$/) as unknown, description: expect.stringContaining('whether ada may read the secret <ClusterSecret') as unknown,
    }]);
  });
});
