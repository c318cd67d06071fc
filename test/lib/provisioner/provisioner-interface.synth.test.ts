import { readFileSync } from 'node:fs';
import { App, Duration, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import {
  AuroraIamAuth, type AuroraIamAuthProps, DatabaseRole, DatabaseUser, DatabaseUsers, SqlTransport,
} from '../../../lib';
import {
  attribute, logicalIdOf, newApp, newCluster, onlyResourceOf, reference, resourcesOf, vpcOf, waitsFor,
} from '../support';

let app: App;
let stack: Stack;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Data');
});

function iamAuthWith(props: Partial<AuroraIamAuthProps> = {}): AuroraIamAuth {
  return new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack), ...props });
}

const functionsIn = (scope: Stack) => scope.node.findAll().filter(child => child instanceof lambda.CfnFunction);

const TRANSPORTS: [string, Partial<AuroraIamAuthProps>, string][] = [
  ['over a connection', {}, 'Handler'],
  ['through the Data API', { transport: SqlTransport.dataApi() }, 'DataApiHandler'],
];

describe.each(TRANSPORTS)('the provisioner %s', (_, props, id) => {
  test('has the function that executes the SQL, and the log group of its functions', () => {
    const iamAuth = iamAuthWith(props);
    iamAuth.addUser('app');
    const { provisioner } = iamAuth;
    expect(logicalIdOf(provisioner.function)).toMatch(new RegExp(`^IamAuthProvisioner${id}[0-9A-F]{8}$`));
    expect(stack.resolve(provisioner.logGroup.logGroupName)).toEqual(reference(/^IamAuthProvisionerLogs/));
  });

  test('counts failed invocations of that function', () => {
    const metric = iamAuthWith(props).provisioner.metricErrors({ statistic: 'max' });
    expect(stack.resolve(metric.toMetricConfig().metricStat)).toMatchObject({
      namespace: 'AWS/Lambda',
      metricName: 'Errors',
      statistic: 'Maximum',
      dimensions: [{ name: 'FunctionName', value: reference(new RegExp(`^IamAuthProvisioner${id}`)) }],
    });
  });

  test('tells how long that function took', () => {
    const metric = iamAuthWith(props).provisioner.metricDuration();
    expect(stack.resolve(metric.toMetricConfig().metricStat)).toMatchObject({
      namespace: 'AWS/Lambda', metricName: 'Duration', statistic: 'Average',
    });
  });

  test('counts events that failed by the lines of its log, with one filter however often it is asked', () => {
    const iamAuth = iamAuthWith(props);
    iamAuth.addUser('app');
    iamAuth.provisioner.metricFailures({ period: Duration.minutes(1) });
    const metric = iamAuth.provisioner.metricFailures();
    expect(stack.resolve(metric.toMetricConfig().metricStat)).toMatchObject({
      namespace: 'cdk-aurora-iam-auth',
      metricName: 'Failures',
      statistic: 'Sum',
      dimensions: [{ name: 'FunctionName', value: reference(new RegExp(`^IamAuthProvisioner${id}`)) }],
    });
    expect(onlyResourceOf(stack, 'AWS::Logs::MetricFilter').Properties).toMatchObject({
      FilterPattern: '{ $.notice = "failed" }',
      LogGroupName: reference(/^IamAuthProvisionerLogs/),
      MetricTransformations: [{
        MetricNamespace: 'cdk-aurora-iam-auth',
        MetricName: 'Failures',
        MetricValue: '1',
        Dimensions: [{ Key: 'FunctionName', Value: '$.function' }],
      }],
    });
  });

  test('is created when it is asked for, and used by the users that come later', () => {
    const iamAuth = iamAuthWith(props);
    expect(functionsIn(stack)).toEqual([]);
    const { provisioner } = iamAuth;
    expect(iamAuth.addUser('app').provisioner).toBe(provisioner);
    expect(iamAuth.addUsers('Team', { usernames: ['ann'] }).provisioner).toBe(provisioner);
    expect(iamAuth.addRole('readers').provisioner).toBe(provisioner);
    expect(iamAuth.provisioner).toBe(provisioner);
    expect(functionsIn(stack)).toHaveLength(id === 'Handler' ? 2 : 1);
  });

  test('has the log group that it was given', () => {
    const logGroup = new logs.LogGroup(stack, 'Own');
    expect(iamAuthWith({ ...props, provisioner: { logGroup } }).provisioner.logGroup).toBe(logGroup);
  });
});

test('users in another stack have the provisioner of that stack, which is not the one of the AuroraIamAuth', () => {
  const iamAuth = iamAuthWith();
  const apps = new Stack(app, 'Apps');
  const { provisioner } = new DatabaseUser(apps, 'User', { iamAuth, username: 'app' });
  expect(Stack.of(provisioner.function)).toBe(apps);
  expect(new DatabaseUsers(apps, 'Users', { iamAuth, usernames: ['ann'] }).provisioner).toBe(provisioner);
  expect(new DatabaseRole(apps, 'Role', { iamAuth, roleName: 'readers' }).provisioner).toBe(provisioner);
  expect(functionsIn(stack)).toEqual([]);
  expect(Stack.of(iamAuth.provisioner.function)).toBe(stack);
});

test('is refused where no user of its database is in its stack', () => {
  const iamAuth = iamAuthWith();
  const apps = new Stack(app, 'Apps');
  new DatabaseUser(apps, 'User', { iamAuth, username: 'app' });
  expect(iamAuth.provisioner).toBe(iamAuth.provisioner);
  const message
    = 'provisioner of Data/IamAuth is asked for, and no user or group role of this database is in stack Data, '
      + 'so that it would have the rights of the admin for nothing; '
      + 'take the one of a user in another stack, user.provisioner, or leave it out';
  expect(() => app.synth()).toThrow(`[Data/IamAuth] ${message}`);
  expect(iamAuth.node.validate()).toEqual([message]);
});

describe('connections', () => {
  test('let the function into an endpoint, and a user waits for the rule', () => {
    const iamAuth = iamAuthWith();
    const endpoint = vpcOf(stack).addInterfaceEndpoint('Endpoint', {
      service: ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER, open: false,
    });
    endpoint.connections.allowDefaultPortFrom(iamAuth.provisioner);
    const user = iamAuth.addUser('app');
    const [rule] = Object.entries(resourcesOf(stack, 'AWS::EC2::SecurityGroupIngress'))
      .filter(([, { Properties }]) => Properties.FromPort === 443).map(([id, { Properties }]) => ({ id, Properties }));
    expect(rule.Properties).toMatchObject({
      GroupId: attribute(/Endpoint/, 'GroupId'), SourceSecurityGroupId: attribute(
        /^IamAuthProvisionerSecurityGroup/,
        'GroupId',
      ), ToPort: 443,
    });
    expect(waitsFor(stack, logicalIdOf(user))).toContain(rule.id);
  });

  test('are an error through the Data API', () => {
    const { provisioner } = iamAuthWith({ transport: SqlTransport.dataApi() });
    expect(() => provisioner.connections).toThrow(new Error(
      '[Data/IamAuth/Provisioner] connections is not available: transport is SqlTransport.dataApi(), so that the '
      + 'function runs in no VPC and has no security groups; '
      + 'leave out the network rule, or transport',
    ));
  });
});

test('the samples of docs/operations.md are the ones that are compiled, and their alarm is about the function', () => {
  const examples = [...readFileSync('lib/provisioner-interface.ts', 'utf8').matchAll(/@example\n([^]*?)\n *\*\//g)];
  const compiled = examples.map(([, sample]) => sample.replace(/^ *\* ?/gm, ''));
  expect(compiled).toHaveLength(2);
  const docs = readFileSync('docs/operations.md', 'utf8');
  compiled.forEach(sample => expect(docs).toContain(`\`\`\`ts\n${sample}\n\`\`\``));

  const iamAuth = iamAuthWith();
  iamAuth.addUser('app');
  iamAuth.provisioner.metricFailures().createAlarm(
    stack,
    'ProvisionerFailed',
    { threshold: 1, evaluationPeriods: 1 },
  );
  expect(onlyResourceOf(stack, 'AWS::CloudWatch::Alarm').Properties).toMatchObject({
    MetricName: 'Failures',
    Namespace: 'cdk-aurora-iam-auth',
    Dimensions: [{ Name: 'FunctionName', Value: reference(/^IamAuthProvisionerHandler/) }],
  });
});
