import { App, CfnOutput, Environment, Fn, Stack, Stage } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { CfnDBCluster } from 'aws-cdk-lib/aws-rds';
import { CfnPermissionSet } from 'aws-cdk-lib/aws-sso';
import { Construct } from 'constructs';
import { diffOf, textsOf } from './declared';

/** What two stages with the same names gain, stage by stage. */
function gained(
  declare: (data: Stack, access: Stack) => void,
  environments: readonly [Environment, Environment] = [{}, {}],
): string[] {
  return textsOf(diffOf(() => undefined, (app: App) => {
    ['Dev', 'Prod'].forEach((id, index) => {
      const stage = new Stage(app, id, { env: environments[index] });
      declare(new Stack(stage, 'Data', { stackName: 'data' }), new Stack(stage, 'Access', { stackName: 'access' }));
    });
  })).map(text => text.replaceAll('IAM role ', '').replace('identities with the policy ', 'policy '));
}

const ACCOUNTS = [
  { account: '111111111111', region: 'eu-west-1' },
  { account: '222222222222', region: 'eu-west-1' },
] as const;
const newCluster = (scope: Construct) => new CfnDBCluster(scope, 'Cluster', { engine: 'aurora-postgresql' });
const ada = (id: string) =>
  new iam.PolicyStatement({ actions: ['rds-db:connect'], resources: [`arn:aws:rds-db:*:*:dbuser:${id}/ada`] });
const newRole = (scope: Construct, props: Partial<iam.RoleProps>) =>
  new iam.Role(scope, 'Role', {
    roleName: 'app',
    assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    ...props,
  });
const OTHER = 'signs in as ada, a user that the app does not create there';
const ofBoth = (who: string, does = OTHER) =>
  ['Dev', 'Prod'].map(stage => `+ ${stage}/Data/Cluster: ${stage}/Access/${who}: ${does}`);

describe.each([['accounts that are known', ACCOUNTS], ['no environment', [{}, {}]]] as const)(
  'two stages with the same names, of %s',
  (_, environments) => {
    const signIns = (declare: (data: Stack, access: Stack) => void) =>
      gained(declare, environments).filter(text => text.includes('signs in') && !text.includes('policy'));

    test('a managed policy by its name is that of the stage', () => {
      expect(signIns((data, access) => {
        new iam.ManagedPolicy(data, 'Policy', {
          managedPolicyName: 'connect',
          statements: [ada(newCluster(data).attrDbClusterResourceId)],
        });
        newRole(access, { managedPolicies: [iam.ManagedPolicy.fromManagedPolicyName(access, 'Connect', 'connect')] });
      })).toEqual(ofBoth('Role'));
    });

    test('a permissions boundary by its name is that of the stage', () => {
      expect(signIns((data, access) => {
        const { attrDbClusterResourceId: id } = newCluster(data);
        new iam.ManagedPolicy(data, 'Policy', { managedPolicyName: 'bound', statements: [ada(id)] });
        newRole(access, {
          permissionsBoundary: iam.ManagedPolicy.fromManagedPolicyName(access, 'Bound', 'bound'),
        }).addToPolicy(ada(id));
      })).toEqual(ofBoth('Role'));
    });

    test('a role by its name is that of the stage', () => {
      expect(signIns((data, access) => {
        const { attrDbClusterResourceId: id } = newCluster(data);
        newRole(access, {});
        new iam.CfnRolePolicy(data, 'Policy', {
          policyName: 'p',
          roleName: 'app',
          policyDocument: new iam.PolicyDocument({ statements: [ada(id)] }),
        });
      })).toEqual(ofBoth('Role'));
    });

    test('an export is that of the stage', () => {
      expect(signIns((data, access) => {
        new CfnOutput(data, 'Id', { value: newCluster(data).attrDbClusterResourceId, exportName: 'id' });
        newRole(access, {}).addToPolicy(ada(Fn.importValue('id')));
      })).toEqual(ofBoth('Role'));
    });
  },
);

test('a permission set has the policies of its name in each account', () => {
  const [one, another] = ACCOUNTS;
  expect(textsOf(diffOf(() => undefined, (app) => {
    for (const env of ACCOUNTS) {
      const stack = new Stack(app, `Data${env.account}`, { env });
      new iam.ManagedPolicy(stack, 'Policy', {
        managedPolicyName: 'connect',
        statements: [ada(newCluster(stack).attrDbClusterResourceId)],
      });
    }
    const access = new Stack(app, 'Access', { env: { account: '333333333333', region: 'eu-west-1' } });
    new CfnPermissionSet(access, 'Set', {
      instanceArn: 'arn:aws:sso:::instance/i',
      name: 'Support',
      customerManagedPolicyReferences: [{ name: 'connect' }],
    });
  })).filter(text => text.includes('permission set'))).toEqual(
    [one, another].map(({ account }) => `+ Data${account}/Cluster: permission set Access/Set: ${OTHER}`));
});
