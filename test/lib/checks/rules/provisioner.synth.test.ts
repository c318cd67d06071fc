import { App, CfnParameter, Stack } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as rds from 'aws-cdk-lib/aws-rds';
import { AdminCredentials, AuroraIamAuth, SqlTransport } from '../../../../lib';
import { readCloudAssembly } from '../../../../lib/checks/app/cloud-assembly';
import { masterPasswordModifiable } from '../../../../lib/checks/rules/master-password-modifiable';
import { provisionerInvocable } from '../../../../lib/checks/rules/provisioner-invocable';
import { provisionerWildcard } from '../../../../lib/checks/rules/provisioner-wildcard';
import { IRELAND, newCluster, vpcOf } from '../../support';
import { answer, answerTo, findingsIn, newStack, reportOf, resource, templatesOf } from '../support';

function withUser() {
  const stack = newStack();
  const cluster = newCluster(stack, 'Cluster');
  const iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster });
  iamAuth.addUser('orders');
  const provisioner = iamAuth.node.findChild('Provisioner');
  const handler = provisioner.node.findChild('Handler') as lambda.Function;
  const role = new iam.Role(stack, 'App', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') });
  return { stack, cluster, provisioner, handler, role, policy: () => role.node.findChild('DefaultPolicy') };
}

const allow = (role: iam.Role, action: string, resource = '*') =>
  role.addToPolicy(new iam.PolicyStatement({ actions: [action], resources: [resource] }));
const matching = (pattern: RegExp) => expect.stringMatching(pattern) as unknown;

test('finds a role that may invoke a provisioner, and says what it is', () => {
  const { handler, role, policy } = withUser();
  handler.grantInvoke(role);
  expect(answer(provisionerInvocable, policy())).toEqual([
    {
      id: matching(/^<IamAuthProvisionerHandler\w+>$/),
      description: matching(
        /^App\w+ may call lambda:InvokeFunction on IamAuthProvisionerHandler\w+, which creates users with the rights of the admin$/,
      ),
      location: 'Properties/PolicyDocument/Statement/0',
    },
  ]);
});

test('finds a role that may invoke one that answers CloudFormation itself', () => {
  const stack = newStack();
  const iamAuth = new AuroraIamAuth(stack, 'IamAuth', {
    cluster: newCluster(stack),
    transport: SqlTransport.dataApi(),
  });
  iamAuth.addUser('orders');
  const role = new iam.Role(stack, 'App', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') });
  (iamAuth.node.findChild('Provisioner').node.findChild('DataApiHandler') as lambda.Function).grantInvoke(role);
  expect(answer(provisionerInvocable, role.node.findChild('DefaultPolicy'))).toMatchObject([
    { id: matching(/^<IamAuthProvisionerDataApiHandler/) },
  ]);
});

test('finds a version and an alias of it', () => {
  const { stack, handler, role, policy } = withUser();
  handler.currentVersion.grantInvoke(role);
  const other = new iam.Role(stack, 'Other', { assumedBy: new iam.AccountRootPrincipal() });
  new lambda.Alias(stack, 'Alias', { aliasName: 'live', version: handler.currentVersion }).grantInvoke(other);
  expect(answer(provisionerInvocable, policy())).toMatchObject([{ id: matching(/^<IamAuthProvisionerHandler\w+>$/) }]);
  expect(answer(provisionerInvocable, other.node.findChild('DefaultPolicy'))).toMatchObject([
    { id: matching(/^<IamAuthProvisionerHandler\w+>$/) },
  ]);
});

test('does not mind the aliases that carry out no event, unless they are of the framework', () => {
  const { stack, handler, provisioner } = withUser();
  const framework = provisioner.node.findChild('Provider').node.findChild('framework-onEvent') as lambda.Function;
  const policyFor = (id: string, aliasName: string, { latestVersion: version }: lambda.Function) => {
    const role = new iam.Role(stack, id, { assumedBy: new iam.AccountRootPrincipal() });
    new lambda.Alias(stack, `Alias for ${id}`, { aliasName, version }).grantInvoke(role);
    return role.node.findChild('DefaultPolicy');
  };
  const narrow = ['plan', 'drift', 'expiry'].map(aliasName => policyFor(aliasName, aliasName, handler));
  const wide = policyFor('framework', 'plan', framework);
  expect(narrow.map(policy => answer(provisionerInvocable, policy))).toEqual(['COMPLIANT', 'COMPLIANT', 'COMPLIANT']);
  expect(answer(provisionerInvocable, wide)).toMatchObject([{ id: matching(/^<IamAuthProvisionerProviderframework/) }]);
});

test('finds it from another stack', () => {
  const { stack, handler } = withUser();
  const role = new iam.Role(new Stack(stack.node.root, 'Service', { env: IRELAND }), 'Other', {
    assumedBy: new iam.AccountRootPrincipal(),
  });
  allow(role, 'lambda:UpdateFunctionCode', handler.functionArn);
  expect(answer(provisionerInvocable, role.node.findChild('DefaultPolicy'))).toMatchObject([
    { id: matching(/^<IamAuthProvisionerHandler/) },
  ]);
});

test('finds a permission, and says whose', () => {
  const { handler } = withUser();
  handler.addPermission('Events', { principal: new iam.ServicePrincipal('events.amazonaws.com') });
  expect(answer(provisionerInvocable, handler.node.findChild('Events'))).toMatchObject([
    {
      description: matching(/^AWS::Lambda::Permission lets events\.amazonaws\.com call IamAuthProvisionerHandler/),
      location: 'Properties/FunctionName',
    },
  ]);
});

test.each([
  ['lambda:InvokeFunction', 'found'],
  ['lambda:InvokeFunctionUrl', 'found'],
  ['lambda:UpdateFunctionCode', 'found'],
  ['lambda:AddPermission', 'found'],
  ['lambda:*', 'found'],
  ['*', 'found'],
  ['lambda:GetFunction', 'passed over'],
  ['lambda:GetFunctionConfiguration', 'passed over'],
  ['lambda:ListTags', 'passed over'],
])('a permission for %s is %s: only those to call or to change a function are', (Action, what) => {
  const { stack, handler } = withUser();
  const permission = resource(stack, 'Permission', 'AWS::Lambda::Permission', {
    Action,
    FunctionName: handler.functionName,
    Principal: '111122223333',
  });
  expect(answer(provisionerInvocable, permission)).toEqual(what === 'found'
    ? [{
        id: matching(/^<IamAuthProvisionerHandler/),
        description: matching(/^AWS::Lambda::Permission lets 111122223333 call IamAuthProvisionerHandler/),
        location: 'Properties/FunctionName',
      }]
    : 'COMPLIANT');
});

test.each<[string, (iamAuth: AuroraIamAuth, stack: Stack) => unknown]>([
  ['to plan, of a role of another account',
    (iamAuth, stack) =>
      iamAuth.grantPlan(iam.Role.fromRoleArn(stack, 'Pipeline', 'arn:aws:iam::444455556666:role/pipeline'))],
  ['to compare at the times of a schedule',
    iamAuth => iamAuth.checkDrift({ schedule: events.Schedule.cron({ hour: '6' }) })],
])('a permission %s is for an alias that carries out no event, and no finding', (_name, use) => {
  const stack = newStack();
  const iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) });
  iamAuth.addUser('orders');
  use(iamAuth, stack);
  const { app } = readCloudAssembly(templatesOf(stack.node.root as App));
  const permissions = app.ofType('AWS::Lambda::Permission');
  expect(permissions).toHaveLength(1);
  expect(answerTo(provisionerInvocable, permissions[0])).toBe('COMPLIANT');
});

test('a permission for an action that is known to the deployment alone cannot be told', () => {
  const { stack, handler } = withUser();
  const { valueAsString: Action } = new CfnParameter(stack, 'Action');
  const permission = resource(stack, 'Permission', 'AWS::Lambda::Permission', { Action, FunctionName: handler.functionName, Principal: '111122223333' });
  expect(answer(provisionerInvocable, permission)).toMatchObject([
    { id: matching(/^unknown <IamAuthProvisionerHandler/),
      description: matching(/^whether AWS::Lambda::Permission lets 111122223333 call/) },
  ]);
});

test.each([
  ['NONE', 'any caller that has its URL'],
  ['AWS_IAM', 'each principal with lambda:InvokeFunctionUrl'],
  [undefined, 'callers that its AuthType admits'],
])('says of a URL with AuthType %s who may call it', (AuthType, who) => {
  const { stack, handler } = withUser();
  const url = resource(stack, 'Url', 'AWS::Lambda::Url', {
    AuthType: AuthType ?? new CfnParameter(stack, 'AuthType').valueAsString, TargetFunctionArn: handler.functionArn,
  });
  expect(answer(provisionerInvocable, url)).toMatchObject([
    {
      id: matching(/^<IamAuthProvisionerHandler/),
      description: matching(new RegExp(`^AWS::Lambda::Url lets ${who} call IamAuthProvisionerHandler`)),
    },
  ]);
});

test('says of an event source whose it is, or that it is not named', () => {
  const { stack, handler } = withUser();
  const source = (id: string, properties: Record<string, unknown>) =>
    resource(stack, id, 'AWS::Lambda::EventSourceMapping', { FunctionName: handler.functionName, ...properties });
  const [queue, kafka] = [
    source('Queue', { EventSourceArn: 'arn:aws:sqs:eu-west-1:111122223333:work' }),
    source('Kafka', { SelfManagedEventSource: {} }),
  ];
  expect(answer(provisionerInvocable, queue)).toMatchObject([
    { description: matching(/^AWS::Lambda::EventSourceMapping lets arn:aws:sqs:eu-west-1:111122223333:work call/) },
  ]);
  expect(answer(provisionerInvocable, kafka)).toMatchObject([
    { description: matching(/^AWS::Lambda::EventSourceMapping lets a self-managed event source call/) },
  ]);
});

test('finds the function that enables IAM authentication of an imported cluster', () => {
  const stack = newStack();
  const cluster = rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Cluster', {
    clusterIdentifier: 'shop',
    clusterResourceIdentifier: 'cluster-ABC',
    clusterEndpointAddress: 'shop',
    port: 5432,
    securityGroups: [newCluster(stack, 'Other').connections.securityGroups[0]],
  });
  new AuroraIamAuth(stack, 'IamAuth', { cluster, vpc: vpcOf(stack), admin: AdminCredentials.fromIam('admin') }).addUser(
    'orders',
  );
  const role = new iam.Role(stack, 'App', { assumedBy: new iam.AccountRootPrincipal() });
  allow(role, 'lambda:*');
  expect(answer(provisionerWildcard, role.node.findChild('DefaultPolicy'))).toMatchObject([{ id: '*' }]);
});

test('has nothing against the roles of the library, nor of a function that rotates the secret', () => {
  const { stack, cluster, provisioner } = withUser();
  const rotation = new lambda.Function(stack, 'Rotation', {
    runtime: lambda.Runtime.NODEJS_24_X,
    handler: 'i.h',
    code: lambda.Code.fromInline('.'),
  });
  cluster.secret!.addRotationSchedule('Schedule', { rotationLambda: rotation });
  cluster.secret!.grantWrite(rotation);
  const policies = [rotation.role!, ...['HandlerRole', 'FrameworkRole'].map(id => provisioner.node.findChild(id))].map(
    role => role.node.tryFindChild('DefaultPolicy') ?? role.node.findChild('Policy'),
  );
  for (const policy of policies) {
    for (const rule of [provisionerInvocable, masterPasswordModifiable, provisionerWildcard]) {
      expect(['NOT_APPLICABLE', 'COMPLIANT']).toContain(answer(rule, policy));
    }
  }
});

test('finds a role that may set the password of a master, and says by what', () => {
  const { cluster, role, policy } = withUser();
  cluster.secret!.grantWrite(role);
  allow(role, 'rds:ModifyDBCluster', (cluster.node.defaultChild as rds.CfnDBCluster).attrDbClusterArn);
  expect(answer(masterPasswordModifiable, policy())).toEqual([
    {
      id: matching(/^<ClusterSecret\w+>$/),
      description: matching(
        /^App\w+ may call secretsmanager:PutSecretValue, secretsmanager:UpdateSecret on <ClusterSecret\w+>, and so set, or get at, the password of the master of Cluster\w+$/,
      ),
      location: matching(/Statement\/0$/),
    },
    {
      id: matching(/^<Cluster\w+>$/),
      description: matching(
        /^App\w+ may call rds:ModifyDBCluster on <Cluster\w+>, and so set, or get at, the password of the master of Cluster\w+$/,
      ),
      location: matching(/Statement\/1$/),
    },
  ]);
});

test('warns of a wildcard once for each statement, however much it covers, and does not fail the synthesis', () => {
  const { stack, role } = withUser();
  role.addToPolicy(
    new iam.PolicyStatement({ actions: ['lambda:*', 'rds:*', 'secretsmanager:Put*'], resources: ['*'] }),
  );
  const report = reportOf(stack.node.root as App);
  expect(report).toMatchObject({
    success: true,
    violations: [
      {
        ruleName: 'IamAuth-ProvisionerWildcard[*]',
        severity: 'warning',
        fix: 'name the resources that the statement is for',
        description: matching(
          /^App\w+ may call or change <IamAuthProvisioner\w+>, which creates users with the rights of the admin, and 3 more of the kind: lambda:InvokeFunction, .*, secretsmanager:PutResourcePolicy are allowed on \*$/,
        ),
      },
    ],
  });
});

test('is not about an app without users', () => {
  const stack = newStack();
  newCluster(stack, 'Cluster');
  const role = new iam.Role(stack, 'App', { assumedBy: new iam.AccountRootPrincipal() });
  allow(role, 'lambda:*');
  expect(findingsIn(stack.node.root as App).filter(id => !id.includes('AuthenticationOff'))).toEqual([]);
});
