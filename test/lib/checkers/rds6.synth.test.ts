import { App, Mixins, Stack } from 'aws-cdk-lib';
import * as rds from 'aws-cdk-lib/aws-rds';
import { IConstruct } from 'constructs';
import { AuroraIamAuth, ClusterIamAuthEnabled, InstanceIamAuth, InstanceIamAuthEnabled } from '../../../lib';
import { ENGINE, INSTANCE_TYPE, newApp, newCluster, newInstance, vpcOf } from '../support';
import { firstOf } from '../../full';
import { findingsOf, Version } from './cdk-nag';

let app: App;
let stack: Stack;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Data');
});

const CREDENTIALS = rds.SnapshotCredentials.fromGeneratedSecret('chief');
const INSTANCE_ENGINE = rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.VER_17 });

const users = {
  cluster: (cluster: rds.IDatabaseCluster) => new AuroraIamAuth(stack, 'IamAuth', { cluster }).addUser('app'),
  instance: (instance: rds.IDatabaseInstance) => new InstanceIamAuth(stack, 'IamAuth', { instance }).addUser('app'),
};
const mixin = (made: IConstruct) =>
  Mixins.of(made).requireAny().apply(new ClusterIamAuthEnabled(), new InstanceIamAuthEnabled());

/** A database, and what makes users of it sign in with IAM. */
interface Kind<Database extends IConstruct = IConstruct> {
  readonly make: () => Database;
  readonly enable: (database: Database) => unknown;
}

const kind = <Database extends IConstruct>(make: Kind<Database>['make'], enable: Kind<Database>['enable']) =>
  ({ make, enable }) as unknown as Kind;

/** Restored and global databases, and those with properties that only the L1 has. */
function clusterWith(properties: Partial<rds.CfnDBClusterProps>): rds.DatabaseCluster {
  const cluster = newCluster(stack);
  Object.assign(cluster.node.defaultChild!, properties);
  return cluster;
}

const KINDS: Record<string, Kind> = {
  'a Serverless v2 cluster': kind(() => newCluster(stack), users.cluster),
  'a provisioned cluster': kind(
    () => newCluster(stack, 'Cluster', { writer: rds.ClusterInstance.provisioned('writer') }),
    users.cluster,
  ),
  'a cluster from a snapshot': kind(
    () =>
      new rds.DatabaseClusterFromSnapshot(stack, 'Cluster', {
        engine: ENGINE,
        writer: rds.ClusterInstance.serverlessV2('writer'),
        vpc: vpcOf(stack),
        snapshotIdentifier: 'snapshot',
        snapshotCredentials: CREDENTIALS,
      }),
    users.cluster,
  ),
  'a Multi-AZ DB cluster': kind(
    () =>
      clusterWith({
        engine: 'postgres',
        engineVersion: '17.7',
        dbClusterInstanceClass: 'db.m6gd.large',
        allocatedStorage: 100,
        storageType: 'io1',
        iops: 1000,
      }),
    users.cluster,
  ),
  'a member of a global database': kind(
    () => clusterWith({ globalClusterIdentifier: new rds.CfnGlobalCluster(stack, 'Global').ref }),
    users.cluster,
  ),
  'an L2 cluster with the mixin': kind(() => newCluster(stack), mixin),
  'an L1 cluster with the mixin': kind(
    () => new rds.CfnDBCluster(stack, 'Cluster', { engine: 'aurora-postgresql' }),
    mixin,
  ),
  'an instance': kind(() => newInstance(stack), users.instance),
  'an instance from a snapshot': kind(
    () =>
      new rds.DatabaseInstanceFromSnapshot(stack, 'Instance', {
        engine: INSTANCE_ENGINE,
        vpc: vpcOf(stack),
        snapshotIdentifier: 'snapshot',
        credentials: CREDENTIALS,
      }),
    users.instance,
  ),
  'a replica with the mixin': kind(
    () =>
      new rds.DatabaseInstanceReadReplica(stack, 'Replica', {
        sourceDatabaseInstance: newInstance(stack, 'Source', { iamAuthentication: true }),
        vpc: vpcOf(stack),
        instanceType: INSTANCE_TYPE,
      }),
    mixin,
  ),
  'an L1 instance with the mixin': kind(() => new rds.CfnDBInstance(stack, 'Instance', { engine: 'postgres' }), mixin),
};

/** It looks at Aurora alone. */
const UNKNOWN_TO_THE_RULE = [
  'a Multi-AZ DB cluster',
  'an instance',
  'an instance from a snapshot',
  'a replica with the mixin',
  'an L1 instance with the mixin',
];

describe.each<[Version]>(firstOf(1, [[3], [2]]))('AwsSolutions-RDS6 of cdk-nag %d, IAM authentication', (version) => {
  const reported = () =>
    findingsOf(version, app)
      .filter(({ id }) => id === 'AwsSolutions-RDS6')
      .map(({ path }) => path);

  test.each(Object.entries(KINDS))('of %s is not reported', (name, { make, enable }) => {
    const database = make();
    const before = reported();
    enable(database);
    const after = reported();
    const resource = (
      rds.CfnDBCluster.isCfnDBCluster(database) || rds.CfnDBInstance.isCfnDBInstance(database)
        ? database
        : database.node.defaultChild
    ) as rds.CfnDBCluster;
    expect({ before, after }).toEqual({
      before: UNKNOWN_TO_THE_RULE.includes(name) ? [] : [resource.node.path],
      after: [],
    });
    expect(stack.resolve(resource.enableIamDatabaseAuthentication)).toBe(true);
  });
});
