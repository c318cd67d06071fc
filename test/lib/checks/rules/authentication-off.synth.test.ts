import { CfnParameter, Fn } from 'aws-cdk-lib';
import * as rds from 'aws-cdk-lib/aws-rds';
import { authenticationOff } from '../../../../lib/checks/rules/authentication-off';
import { INSTANCE_TYPE, newCluster, newInstance, vpcOf } from '../../support';
import { answer, newStack, resource } from '../support';

const [CLUSTER, INSTANCE] = ['AWS::RDS::DBCluster', 'AWS::RDS::DBInstance'];
const ON = { EnableIAMDatabaseAuthentication: true };

const ask = (type: string, properties: Record<string, unknown>) => {
  const stack = newStack();
  new CfnParameter(stack, 'Open');
  return answer(authenticationOff, resource(stack, 'It', type, properties));
};

describe('IamAuth-AuthenticationOff', () => {
  test.each([
    ['another engine', CLUSTER, { Engine: 'aurora-mysql' }],
    ['a member of a cluster', INSTANCE, { Engine: 'aurora-postgresql', DBClusterIdentifier: 'shop' }],
    ['another resource', 'AWS::RDS::DBProxy', { Engine: 'postgres' }],
    ['an instance that does not say its engine', INSTANCE, {}],
  ])('is not about %s', (_, type, properties) => {
    expect(ask(type, properties)).toBe('NOT_APPLICABLE');
  });

  test.each([
    ['Aurora', CLUSTER, { Engine: 'aurora-postgresql', ...ON }],
    ['a Multi-AZ cluster', CLUSTER, { Engine: 'postgres', ...ON }],
    ['an instance', INSTANCE, { Engine: 'postgres', ...ON }],
    ['a text', INSTANCE, { Engine: 'postgres', EnableIAMDatabaseAuthentication: 'true' }],
    ['a snapshot', CLUSTER, { Engine: 'aurora-postgresql', SnapshotIdentifier: 'snap', ...ON }],
    ['an engine of the deployment', CLUSTER, { Engine: Fn.ref('Open'), ...ON }],
  ])('has nothing against what is on: %s', (_, type, properties) => {
    expect(ask(type, properties)).toBe('COMPLIANT');
  });

  test.each([
    ['not set', CLUSTER, { Engine: 'aurora-postgresql' }, 'not set'],
    ['left out', CLUSTER, { Engine: 'aurora-postgresql', EnableIAMDatabaseAuthentication: { Ref: 'AWS::NoValue' } },
      'not set'],
    ['off', INSTANCE, { Engine: 'postgres', EnableIAMDatabaseAuthentication: false }, 'false'],
    ['off at a restored cluster', CLUSTER,
      { Engine: 'postgres', SnapshotIdentifier: 'snap', EnableIAMDatabaseAuthentication: 'false' }, 'false'],
  ])('finds what is off: %s', (_, type, properties, value) => {
    expect(ask(type, properties)).toEqual([{
      id: '',
      description: `EnableIAMDatabaseAuthentication is ${value}, so that no user can sign in with IAM, and each signs in with a password`,
      location: 'Properties/EnableIAMDatabaseAuthentication',
    }]);
  });

  test.each([
    ['a parameter', CLUSTER, { Engine: 'postgres', EnableIAMDatabaseAuthentication: Fn.ref('Open') },
      'EnableIAMDatabaseAuthentication is <Open>, and unless that is true no user can sign in with IAM'],
    ['a condition', CLUSTER,
      { Engine: 'postgres', EnableIAMDatabaseAuthentication: { 'Fn::If': ['Some', true, false] } },
      'EnableIAMDatabaseAuthentication is <Fn::If>, and unless that is true no user can sign in with IAM'],
    ['a snapshot', CLUSTER, { Engine: 'aurora-postgresql', SnapshotIdentifier: 'snap' },
      'EnableIAMDatabaseAuthentication is not set, so that it is what it was in the snapshot, and unless that is true no user can sign in with IAM'],
    ['an engine', CLUSTER, { Engine: Fn.ref('Open') },
      'Engine is known at the deployment only, and if it is PostgreSQL, EnableIAMDatabaseAuthentication must be true for any user to sign in with IAM'],
    ['the engine of another cluster', CLUSTER, { SourceDBClusterIdentifier: 'shop' },
      'Engine is known at the deployment only, and if it is PostgreSQL, EnableIAMDatabaseAuthentication must be true for any user to sign in with IAM'],
    ['the engine of a snapshot', INSTANCE, { DBSnapshotIdentifier: 'snap' },
      'Engine is known at the deployment only, and if it is PostgreSQL, EnableIAMDatabaseAuthentication must be true for any user to sign in with IAM'],
  ])('cannot tell: %s', (_, type, properties, description) => {
    expect(ask(type, properties)).toMatchObject([{ id: 'unknown', description }]);
  });

  test('reads the template, where an override shows', () => {
    const cluster = newCluster(newStack(), 'Cluster', { iamAuthentication: true });
    (cluster.node.defaultChild as rds.CfnDBCluster).addPropertyOverride('EnableIAMDatabaseAuthentication', false);
    expect(answer(authenticationOff, cluster)).toHaveLength(1);
  });

  test('knows the engine of a read replica, which has the switch for itself', () => {
    const stack = newStack();
    const source = newInstance(stack, 'Source', { iamAuthentication: true });
    const replica = new rds.DatabaseInstanceReadReplica(stack, 'Replica', {
      sourceDatabaseInstance: source,
      vpc: vpcOf(stack),
      instanceType: INSTANCE_TYPE,
    });
    (replica.node.defaultChild as rds.CfnDBInstance).addPropertyDeletionOverride('Engine');
    expect(answer(authenticationOff, source)).toBe('COMPLIANT');
    expect(answer(authenticationOff, replica)).toMatchObject([{ id: '' }]);
  });
});
