import { CfnParameter, Mixins, Stack } from 'aws-cdk-lib';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { ClusterIamAuthEnabled } from '../../../lib';
import { ENGINE, newApp, newCluster, onlyResourceOf, templateOf, vpcOf } from '../support';

const AFTERWARDS
  = 'unless it is true no user can sign in with IAM; apply ClusterIamAuthEnabled or set iamAuthentication: true, and let nothing change it afterwards';

let stack: Stack;
beforeEach(() => {
  stack = new Stack(newApp(), 'Data');
});

function isOn(): unknown {
  return onlyResourceOf(stack, 'AWS::RDS::DBCluster').Properties.EnableIAMDatabaseAuthentication;
}

describe('ClusterIamAuthEnabled', () => {
  test.each<[string, () => void]>([
    ['DatabaseCluster', () => newCluster(stack).with(new ClusterIamAuthEnabled())],
    ['DatabaseCluster that has it on',
      () => newCluster(stack, 'Cluster', { iamAuthentication: true }).with(new ClusterIamAuthEnabled())],
    ['DatabaseClusterFromSnapshot',
      () =>
        new rds.DatabaseClusterFromSnapshot(stack, 'Cluster', {
          engine: ENGINE, writer: rds.ClusterInstance.provisioned('writer'), vpc: vpcOf(stack),
          snapshotIdentifier: 'snapshot',
        }).with(new ClusterIamAuthEnabled())],
    ['CfnDBCluster',
      () => new rds.CfnDBCluster(stack, 'Cluster', { engine: 'aurora-postgresql' }).with(new ClusterIamAuthEnabled())],
    ['everything in a stack', () => {
      newCluster(stack);
      Mixins.of(stack).requireAny().apply(new ClusterIamAuthEnabled());
    }],
  ])('enables IAM authentication: %s', (_, apply) => {
    apply();
    expect(isOn()).toBe(true);
  });

  test('sets the property of the L1, where others can read it', () => {
    const cluster = newCluster(stack).with(new ClusterIamAuthEnabled());
    expect((cluster.node.defaultChild as rds.CfnDBCluster).enableIamDatabaseAuthentication).toBe(true);
  });

  test('supports a cluster of this app, and nothing else', () => {
    const mixin = new ClusterIamAuthEnabled();
    const imported = rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Imported', {
      clusterIdentifier: 'imported',
    });
    const queue = new sqs.Queue(stack, 'Queue');
    expect([newCluster(stack), imported, queue, stack].map(construct => mixin.supports(construct))).toEqual([
      true,
      false,
      false,
      false,
    ]);
    mixin.applyTo(imported);
    mixin.applyTo(queue);
    expect(isOn()).toBeUndefined();
  });

  test.each([
    ['false', () => false],
    ['a token', () => new CfnParameter(stack, 'On').value],
  ])('fails where it is %s', (said, value) => {
    const cluster = new rds.CfnDBCluster(stack, 'Cluster', { enableIamDatabaseAuthentication: value() });
    expect(() => new ClusterIamAuthEnabled().applyTo(cluster)).toThrow(
      new Error(
        `[Data/Cluster] iamAuthentication of the cluster is ${said}, and unless it is on no user can sign in with IAM; set it to true or leave it out`,
      ),
    );
  });

  test.each<[string, string, (cluster: rds.CfnDBCluster) => void]>([
    ['set to false', 'false', (cluster) => {
      cluster.enableIamDatabaseAuthentication = false;
    }],
    ['set to undefined', 'not set', (cluster) => {
      cluster.enableIamDatabaseAuthentication = undefined;
    }],
    ['overridden with false', 'false', (cluster) => {
      cluster.addPropertyOverride('EnableIAMDatabaseAuthentication', false);
    }],
    ['overridden with a parameter', '{"Ref":"P"}', (cluster) => {
      cluster.addPropertyOverride('EnableIAMDatabaseAuthentication', { Ref: 'P' });
    }],
    ['deleted', 'not set', (cluster) => {
      cluster.addPropertyDeletionOverride('EnableIAMDatabaseAuthentication');
    }],
  ])('fails at synthesis where it is %s afterwards, once', (_, said, change) => {
    const cluster = newCluster(stack).with(new ClusterIamAuthEnabled());
    change(cluster.node.defaultChild as rds.CfnDBCluster);
    expect(() => templateOf(stack)).toThrow(new Error(
      `Validation failed with the following errors:\n  [Data/Cluster/Resource] EnableIAMDatabaseAuthentication is ${said}, and ${AFTERWARDS}`,
    ));
  });
});
