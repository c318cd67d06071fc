import { App, Stack, Token } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { AuroraIamAuth, DatabaseUser, ProvisionerOptions } from '../../lib';
import { attribute, imported, newApp, newCluster, reference, resourcesOf } from './support';

let app: App;
let stack: Stack;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Data');
});

function functionsWith(provisioner: ProvisionerOptions): Record<string, unknown>[] {
  new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack), provisioner }).addUser('app');
  return functionsIn(stack);
}

/** The handler, and CDK's framework. */
const functionsIn = (scope: Stack) => ['index.handler', 'framework.onEvent'].map(handler =>
  Object.values(resourcesOf(scope, 'AWS::Lambda::Function')).map(({ Properties }) => Properties).find(({ Handler }) => Handler === handler)!);

describe('provisioner', () => {
  test.each<[string, () => ProvisionerOptions, object]>([
    ['a log group', () => ({ logGroup: new logs.LogGroup(stack, 'Mine') }), { LoggingConfig: { LogGroup: reference(/^Mine/) } }],
    ['concurrency', () => ({ reservedConcurrentExecutions: 1 }), { ReservedConcurrentExecutions: 1 }],
    ['tracing', () => ({ tracing: lambda.Tracing.PASS_THROUGH }), { TracingConfig: { Mode: 'PassThrough' } }],
    ['a dead-letter queue', () => ({ deadLetterQueue: new sqs.Queue(stack, 'Lost') }), { DeadLetterConfig: { TargetArn: attribute(/^Lost/, 'Arn') } }],
  ])('says %s for both functions', (_, options, expected) => {
    expect(functionsWith(options())).toMatchObject([expected, expected]);
  });

  test('has nothing of it without being told', () => {
    functionsWith({ tracing: lambda.Tracing.DISABLED }).forEach((properties) => {
      ['ReservedConcurrentExecutions', 'TracingConfig', 'DeadLetterConfig'].forEach(property => expect(properties).not.toHaveProperty(property));
    });
  });

  test('has no log groups of its own beside the one that is given', () => {
    functionsWith({ logGroup: new logs.LogGroup(stack, 'Mine') });
    expect(Object.keys(resourcesOf(stack, 'AWS::Logs::LogGroup'))).toEqual([expect.stringMatching(/^Mine/)]);
  });

  test('has the framework in the subnets of the handler, with a group that is let out to port 443 alone', () => {
    const [handler, framework] = functionsWith({ frameworkInVpc: true }).map(({ VpcConfig }) => VpcConfig as { SubnetIds: unknown; SecurityGroupIds: unknown });
    expect(framework.SubnetIds).toEqual(handler.SubnetIds);
    expect(framework.SecurityGroupIds).toEqual([attribute(/^IamAuthProvisionerFrameworkSecurityGroup/, 'GroupId')]);
  });

  test('is the same in other stacks', () => {
    const apps = new Stack(app, 'Apps');
    const iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack), provisioner: { logGroup: new logs.LogGroup(stack, 'Mine'), reservedConcurrentExecutions: 5 } });
    new DatabaseUser(apps, 'User', { iamAuth, username: 'app' });
    expect(functionsIn(apps)).toMatchObject([0, 1].map(() => ({ ReservedConcurrentExecutions: 5, LoggingConfig: { LogGroup: imported(/Mine/) } })));
    expect([stack.dependencies, apps.dependencies]).toEqual([[], [stack]]);
  });

  test.each([0, -1, 1.5])('fails for a concurrency of %d', (reservedConcurrentExecutions) => {
    expect(() => functionsWith({ reservedConcurrentExecutions })).toThrow(new Error(
      `[Data/IamAuth] reservedConcurrentExecutions ${reservedConcurrentExecutions} is not a number of executions from 1 on, and the functions could not run; pass one, or leave it out`,
    ));
  });

  test('takes a concurrency that only the deployment knows', () => {
    expect(functionsWith({ reservedConcurrentExecutions: Token.asNumber({ Ref: 'Concurrency' }) })).toMatchObject([0, 1].map(() => ({ ReservedConcurrentExecutions: { Ref: 'Concurrency' } })));
  });
});
