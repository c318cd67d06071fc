import { CfnParameter, Fn, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { ConnectGrants, IamAuthChecks } from '../../../../lib';
import { connectCondition } from '../../../../lib/checks/rules/connect-condition';
import { newCluster } from '../../support';
import { answer, newStack, quietApp, reportOf, resource } from '../support';

const ARN = 'arn:aws:rds-db:eu-west-1:111111111111:dbuser:cluster-A/orders';
const TIME = { DateLessThan: { 'aws:CurrentTime': '2999-01-01T00:00:00Z' } };

function ask(statement: object) {
  const stack = newStack();
  new CfnParameter(stack, 'Open');
  const PolicyDocument = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'rds-db:connect', Resource: ARN, ...statement }],
  };
  return answer(connectCondition, resource(stack, 'It', 'AWS::IAM::ManagedPolicy', { PolicyDocument }));
}

describe('IamAuth-ConnectCondition', () => {
  test.each([
    ['another action with a condition', { Action: 's3:*', Condition: TIME }],
    ['another action of RDS', { Action: 'rds:*', Condition: TIME }],
    ['what is excepted', { Action: undefined, NotAction: ['rds-db:*'], Condition: TIME }],
  ])('is not about %s', (_, statement) => {
    expect(ask(statement)).toBe('NOT_APPLICABLE');
  });

  test.each([
    ['no condition', {}],
    ['an empty condition', { Condition: {} }],
    ['an empty operator', { Condition: { StringEquals: {} } }],
  ])('has nothing against %s', (_, statement) => {
    expect(ask(statement)).toBe('COMPLIANT');
  });

  const under = (keys: string, on = ARN) =>
    `rds-db:connect is allowed on ${on} under a condition on ${keys}, and IAM database authentication supports no condition keys: `
    + 'expect the statement to let no identity sign in';
  const shown = ARN;
  test.each<[string, object, string, string]>([
    ['a window of time', { Condition: TIME }, shown, under('aws:CurrentTime')],
    ['several keys, each once',
      { Condition: { StringEquals: { 'aws:PrincipalTag/a': 'b', 'aws:PrincipalOrgID': 'o' },
        StringLike: { 'aws:PrincipalTag/a': '*' } } },
      shown, under('aws:PrincipalTag/a, aws:PrincipalOrgID')],
    ['a key that AWS lists', { Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }, shown,
      under('aws:SourceIp')],
    ['a condition that only the deployment knows', { Condition: { 'Fn::If': ['Some', TIME, { Ref: 'AWS::NoValue' }] } },
      shown, under('Fn::If')],
    ['all actions of the service', { Action: 'RDS-DB:*', Condition: TIME }, shown, under('aws:CurrentTime')],
    ['all actions', { Action: '*', Resource: '*', Condition: TIME }, '*', under('aws:CurrentTime', '*')],
    ['all but other actions', { Action: undefined, NotAction: 'iam:*', Resource: '*', Condition: TIME }, '*',
      under('aws:CurrentTime', '*')],
    ['a statement that denies', { Effect: 'Deny', Condition: TIME }, shown,
      `rds-db:connect is denied on ${ARN} under a condition on aws:CurrentTime, and IAM database authentication supports no condition keys: expect it to deny nothing, or everything`],
  ])('finds %s', (_, statement, id, description) => {
    expect(ask(statement)).toEqual([{ id, description, location: 'Properties/PolicyDocument/Statement/0' }]);
  });

  test('cannot tell of an action that only the deployment knows', () => {
    expect(ask({ Action: Fn.ref('Open'), Condition: TIME })).toMatchObject([{ id: `unknown ${shown}` }]);
  });

  test.each([
    ['inline', 'AWS::IAM::Role', 'Policies', (document: object) => [{ PolicyName: 'p', PolicyDocument: document }]],
    ['of a permission set', 'AWS::SSO::PermissionSet', 'InlinePolicy', (document: object) => document],
    ['of AWS SAM', 'AWS::Serverless::Function', 'Policies', (document: object) => [document]],
    ['that a custom resource writes', 'Custom::AWS', 'Create',
      (document: object) => JSON.stringify({ PolicyDocument: JSON.stringify(document) })],
  ])('reads a policy %s', (_, type, property, policy) => {
    const document = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'rds-db:connect', Resource: ARN, Condition: TIME }],
    };
    expect(answer(connectCondition, resource(newStack(), 'It', type, { [property]: policy(document) }))).toMatchObject([
      { description: under('aws:CurrentTime') },
    ]);
  });

  test('has nothing against what this library makes, a tag in the resource included', () => {
    const stack = newStack();
    const role = new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
    const grants = ConnectGrants.fromCluster(newCluster(stack, 'Cluster', { iamAuthentication: true }));
    grants.connect(role, 'orders');
    grants.connectAsPrincipalTag(role, 'DatabaseUser');
    expect(answer(connectCondition, role.node.findChild('DefaultPolicy'))).toBe('COMPLIANT');
  });

  test('finds what is added to a grant of this library', () => {
    const stack = newStack();
    const role = new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
    const statement = ConnectGrants.fromCluster(
      newCluster(stack, 'Cluster', { iamAuthentication: true }),
    ).connectStatement('orders');
    statement.addCondition('DateLessThan', TIME.DateLessThan);
    role.addToPolicy(statement);
    expect(answer(connectCondition, role.node.findChild('DefaultPolicy'))).toMatchObject([
      { description: expect.stringContaining('under a condition on aws:CurrentTime') as unknown },
    ]);
  });

  test('is a warning, which does not fail the synthesis', () => {
    const app = quietApp();
    const stack = new Stack(app, 'Data');
    resource(stack, 'It', 'AWS::IAM::ManagedPolicy', {
      PolicyDocument: { Statement: { Effect: 'Allow', Action: 'rds-db:connect', Resource: ARN, Condition: TIME } },
    });
    expect(new IamAuthChecks().ruleIds).toContain('IamAuth-ConnectCondition');
    expect(reportOf(app)).toMatchObject({
      success: true,
      violations: [{ ruleName: `IamAuth-ConnectCondition[${ARN}]`, severity: 'warning' }],
    });
  });
});
