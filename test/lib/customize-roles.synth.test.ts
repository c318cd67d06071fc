import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { AuroraIamAuth, ProvisionerOptions } from '../../lib';
import { IRELAND, newApp, newCluster, resourcesOf, vpcOf } from './support';

const PRECREATED = {
  'Data/Service': 'service',
  'Data/IamAuth/Provisioner/HandlerRole': 'provisioner',
  'Data/IamAuth/Provisioner/FrameworkRole': 'framework',
};

/** A stack whose roles others create, with a user as which a role signs in. */
function withRolesOfOthers(options: iam.CustomizeRolesOptions, provisioner: ProvisionerOptions = {}): Stack {
  const stack = new Stack(newApp(), 'Data', { env: IRELAND });
  iam.Role.customizeRoles(stack, options);
  const iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack), provisioner });
  const role = new iam.Role(stack, 'Service', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
  iamAuth.addUser('orders').grantConnect(role);
  return stack;
}

describe('where iam.Role.customizeRoles() leaves the roles to others', () => {
  test.each<[string, ProvisionerOptions]>([
    ['', {}],
    [', with tracing', { tracing: lambda.Tracing.ACTIVE }],
    [', with the framework in the VPC', { frameworkInVpc: true }],
  ])('the provisioner has neither roles nor policies in the template%s', (_, options) => {
    const stack = withRolesOfOthers({ usePrecreatedRoles: PRECREATED }, options);
    expect(Object.keys(resourcesOf(stack, 'AWS::IAM::Role'))).toEqual([]);
    expect(Object.keys(resourcesOf(stack, 'AWS::IAM::ManagedPolicy'))).toEqual([]);
    expect(Object.keys(resourcesOf(stack, 'Custom::RdsIamUser'))).toHaveLength(1);
  });

  test('the report of policies has the statements, and the access report the name of the role', () => {
    const { directory } = (withRolesOfOthers({ usePrecreatedRoles: PRECREATED }).node.root as App).synth();
    const policies = readFileSync(join(directory, 'iam-policy-report.txt'), 'utf8');
    expect(policies).toMatch(/<service>[^<]*rds-db:connect/);
    expect(policies).toMatch(/<provisioner>[^<]*secretsmanager:GetSecretValue/);
    expect(readFileSync(join(directory, 'Data.access.json'), 'utf8')).toMatch(/"name": ?"service"/);
  });

  test('CDK says which roles have no name', () => {
    const stack = withRolesOfOthers({});
    Annotations.fromStack(stack).hasError(
      '/Data/IamAuth/Provisioner/HandlerRole',
      Match.stringLikeRegexp('You must provide a precreated role name'),
    );
  });
});

test('where it only reports the policies, no function is taken for another one with a role', () => {
  const stack = withRolesOfOthers({ preventSynthesis: false });
  const code = lambda.Code.fromInline('.');
  new lambda.Function(stack, 'Other', {
    runtime: lambda.Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code,
    vpc: vpcOf(stack),
  });
  Annotations.fromStack(stack).hasNoWarning('*', Match.anyValue());
});
