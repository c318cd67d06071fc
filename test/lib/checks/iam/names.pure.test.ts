import { SynthesizedApp } from '../../../../lib/checks/app/synthesized-app';
import type { Rule } from '../../../../lib/checks/rule';
import { connectWildcard } from '../../../../lib/checks/rules/connect-wildcard';
import { proxyCannotConnect } from '../../../../lib/checks/rules/proxy-cannot-connect';

interface Stage {
  readonly account: string;
  readonly folder: string;
  readonly resources: object;
}

/** Where a rule finds something, as in `dev/Policy`. */
function found(rule: Rule, ...stages: Stage[]): string[] {
  const app = new SynthesizedApp(stages.map(({ account, folder, resources }) => ({
    file: `/cdk.out/${folder}/Data.template.json`,
    stack: { name: 'Data', environment: `aws://${account}/eu-west-1`, folder: `/cdk.out/${folder}` },
    body: { Resources: resources as never },
  })));
  return app.resources.filter(resource => Array.isArray(rule.check(resource)) && rule.check(resource).length > 0)
    .map(({ logicalId, template: { stack } }) => `${stack.folder.replace('/cdk.out/', '')}/${logicalId}`);
}

const dev = (resources: object, account = '111111111111'): Stage => ({ account, folder: 'dev', resources });
const prod = (resources: object, account = '222222222222'): Stage => ({ account, folder: 'prod', resources });
const managed = (Statement: object) => ({
  Type: 'AWS::IAM::ManagedPolicy',
  Properties: { ManagedPolicyName: 'Shared', PolicyDocument: { Version: '2012-10-17', Statement } },
});
const WIDE = managed({ Effect: 'Allow', Action: '*', Resource: '*' });
const BY_NAME = { 'Fn::Sub': 'arn:aws:iam::${AWS::AccountId}:policy/Shared' };
const role = (more: object) => ({ Type: 'AWS::IAM::Role', Properties: { RoleName: 'app', ...more } });
const bounded = (PermissionsBoundary: unknown = BY_NAME) => ({ Policy: WIDE, Role: role({ PermissionsBoundary }) });

describe('a managed policy that is a permissions boundary alone is no finding', () => {
  test('in stages with the same names', () => {
    expect(found(connectWildcard, dev(bounded()), prod(bounded()))).toEqual([]);
    expect(found(connectWildcard, dev(bounded(), 'unknown-account'), prod(bounded(), 'unknown-account'))).toEqual([]);
  });

  test('in a branch', () => {
    expect(
      found(connectWildcard, dev(bounded({ 'Fn::If': ['C', { Ref: 'Policy' }, { Ref: 'AWS::NoValue' }] }))),
    ).toEqual([]);
    expect(
      found(connectWildcard, dev(bounded({ 'Fn::If': ['C', BY_NAME, 'arn:aws:iam::aws:policy/ReadOnlyAccess'] }))),
    ).toEqual([]);
  });

  test('but one of another account does not make it one', () => {
    expect(
      found(connectWildcard, dev({ Policy: WIDE }), prod({ Role: role({ PermissionsBoundary: BY_NAME }) })),
    ).toEqual(['dev/Policy']);
    expect(
      found(connectWildcard, dev({ ...bounded(), Other: role({ ManagedPolicyArns: [BY_NAME] }) }), prod(bounded())),
    ).toEqual(['dev/Policy']);
  });

  test('and that of a permission set is one of whichever account', () => {
    const PermissionsBoundary = { CustomerManagedPolicyReference: { Name: 'Shared' } };
    const Set = { Type: 'AWS::SSO::PermissionSet', Properties: { PermissionsBoundary } };
    expect(found(connectWildcard, dev({ Policy: WIDE }), prod({ Set }))).toEqual([]);
  });
});

test('a role has the managed policy of its own stage', () => {
  const Statement = {
    Effect: 'Allow',
    Action: 'rds-db:connect',
    Resource: { 'Fn::Sub': 'arn:aws:rds-db:eu-west-1:1:dbuser:${Cluster.DBClusterResourceId}/ada' },
  };
  const resources = {
    Cluster: { Type: 'AWS::RDS::DBCluster', Properties: { Engine: 'aurora-postgresql' } },
    Proxy: {
      Type: 'AWS::RDS::DBProxy',
      Properties: { DefaultAuthScheme: 'IAM_AUTH', RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] } },
    },
    Group: {
      Type: 'AWS::RDS::DBProxyTargetGroup',
      Properties: { DBProxyName: { Ref: 'Proxy' }, DBClusterIdentifiers: [{ Ref: 'Cluster' }] },
    },
    Role: role({ ManagedPolicyArns: [BY_NAME] }),
    Policy: managed(Statement),
  };
  expect(found(proxyCannotConnect, dev(resources), prod(resources))).toEqual([]);
  expect(found(proxyCannotConnect, dev({ ...resources, Policy: managed([]) }), prod(resources))).toEqual(['dev/Proxy']);
  const byRole = { ...managed(Statement), Properties: { ...managed(Statement).Properties, Roles: ['app'] } };
  const attached = { ...resources, Role: role({}), Policy: byRole };
  expect(found(proxyCannotConnect, dev(attached), prod(attached))).toEqual([]);
});
