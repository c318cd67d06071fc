import { CfnParameter, Fn, Stack } from 'aws-cdk-lib';
import * as rds from 'aws-cdk-lib/aws-rds';
import { forceSslOff } from '../../../../lib/checks/rules/force-ssl-off';
import { INSTANCE_TYPE, newCluster, newInstance, vpcOf } from '../../support';
import { answer, newStack, resource } from '../support';

const [CLUSTER, INSTANCE] = ['AWS::RDS::DBCluster', 'AWS::RDS::DBInstance'];

function ask(type: string, properties: Record<string, unknown>, parameters: Record<string, unknown> = {}) {
  const stack = newStack();
  new CfnParameter(stack, 'Open');
  resource(stack, 'Group', type === CLUSTER ? 'AWS::RDS::DBClusterParameterGroup' : 'AWS::RDS::DBParameterGroup', {
    Parameters: parameters,
  });
  return answer(forceSslOff, resource(stack, 'It', type, properties));
}

const postgres = (version: string) => ({ Engine: 'postgres', EngineVersion: version });
const aurora = (version: string) => ({ Engine: 'aurora-postgresql', EngineVersion: version });
const group = (type: string) => ({
  [type === CLUSTER ? 'DBClusterParameterGroupName' : 'DBParameterGroupName']: { Ref: 'Group' },
});
const why = (reason: string) =>
  `whether rds.force_ssl is on, without which a client with a password can sign in without TLS: ${reason}`;

describe('IamAuth-ForceSslOff', () => {
  test.each([
    ['another engine', CLUSTER, { Engine: 'aurora-mysql' }],
    ['a member of a cluster', INSTANCE, { Engine: 'aurora-postgresql', DBClusterIdentifier: 'c' }],
  ])('is not about %s', (_, type, properties) => {
    expect(ask(type, properties)).toBe('NOT_APPLICABLE');
  });

  test.each([
    ['an instance from 15 on', INSTANCE, postgres('15')],
    ['a Multi-AZ cluster from 15 on', CLUSTER, postgres('15.4')],
    ['Aurora from 17 on', CLUSTER, aurora('17.1')],
    ['a group of AWS', CLUSTER, { ...aurora('17.7'), DBClusterParameterGroupName: 'default.aurora-postgresql17' }],
  ])('has nothing against the default of newer versions: %s', (_, type, properties) => {
    expect(ask(type, properties)).toBe('COMPLIANT');
  });

  test.each(['1', 1, 'on'])('has nothing against a group with %j', (value) => {
    expect(ask(INSTANCE, { ...postgres('14.9'), ...group(INSTANCE) }, { 'rds.force_ssl': value })).toBe('COMPLIANT');
    expect(ask(CLUSTER, { ...aurora('13.12'), ...group(CLUSTER) }, { 'rds.force_ssl': value })).toBe('COMPLIANT');
  });

  test.each([
    ['an instance up to 14', INSTANCE, postgres('14.15'), 'postgres 14.15'],
    ['an instance of the old numbers', INSTANCE, postgres('9.6.22'), 'postgres 9.6.22'],
    ['Aurora up to 16', CLUSTER, aurora('16.8'), 'aurora-postgresql 16.8'],
    [
      'a group of AWS',
      CLUSTER,
      { ...aurora('16.8'), DBClusterParameterGroupName: 'default.aurora-postgresql16' },
      'aurora-postgresql 16.8',
    ],
    [
      'a group that is about something else',
      CLUSTER,
      { ...aurora('16.8'), ...group(CLUSTER) },
      'aurora-postgresql 16.8',
    ],
  ])('finds the default of older versions: %s', (_, type, properties, version) => {
    expect(ask(type, properties, { log_statement: 'ddl' })).toEqual([
      {
        id: '',
        description: `rds.force_ssl is not set, and off by default in ${version}, so that a client with a password can sign in without TLS`,
        location: `Properties/${type === CLUSTER ? 'DBClusterParameterGroupName' : 'DBParameterGroupName'}`,
      },
    ]);
  });

  test('finds what is disabled, in a newer version as well', () => {
    expect(ask(CLUSTER, { ...aurora('17.7'), ...group(CLUSTER) }, { 'rds.force_ssl': '0' })).toMatchObject([
      {
        id: '',
        description:
          'rds.force_ssl is 0 in the parameter group, so that a client with a password can sign in without TLS',
      },
    ]);
  });

  test.each([
    [
      'a group of another app',
      CLUSTER,
      { ...aurora('16.8'), DBClusterParameterGroupName: 'ours' },
      'parameter group ours is not of this app',
    ],
    [
      'a group of the deployment',
      CLUSTER,
      { ...aurora('16.8'), DBClusterParameterGroupName: Fn.ref('Open') },
      'parameter group <Open> is not of this app',
    ],
    [
      'a version that AWS chooses',
      CLUSTER,
      { Engine: 'aurora-postgresql' },
      'the default depends on the version, and EngineVersion is not set',
    ],
    [
      'a version of the deployment',
      INSTANCE,
      { Engine: 'postgres', EngineVersion: Fn.ref('Open') },
      'the default depends on the version, and EngineVersion is <Open>',
    ],
    [
      'an engine of the deployment',
      INSTANCE,
      { Engine: Fn.ref('Open'), EngineVersion: '14' },
      'the default depends on the version, and Engine is <Open>',
    ],
  ])('cannot tell: %s', (_, type, properties, reason) => {
    expect(ask(type, properties)).toMatchObject([{ id: 'unknown', description: why(reason) }]);
  });

  test('cannot tell of a value of the deployment', () => {
    expect(ask(CLUSTER, { ...aurora('17.7'), ...group(CLUSTER) }, { 'rds.force_ssl': { Ref: 'Open' } })).toMatchObject([
      { id: 'unknown', description: why('it is <Open> in parameter group Group') },
    ]);
  });

  test('follows a group to another stack', () => {
    const stack = newStack();
    const engine = rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_16_8 });
    const groups = new Stack(stack.node.root, 'Groups', { env: { account: stack.account, region: stack.region } });
    const parameterGroup = new rds.ParameterGroup(groups, 'Group', { engine, parameters: { 'rds.force_ssl': '1' } });
    expect(answer(forceSslOff, newCluster(stack, 'Cluster', { engine, parameterGroup }))).toBe('COMPLIANT');
    expect(answer(forceSslOff, newCluster(newStack(), 'Cluster', { engine }))).toMatchObject([{ id: '' }]);
  });

  test('follows a group by its name, in the Region of the database', () => {
    const inRegion = (region: string) => {
      const stack = newStack();
      const groups = new Stack(stack.node.root, 'Groups', { env: { account: stack.account, region } });
      resource(groups, 'Group', 'AWS::RDS::DBClusterParameterGroup', {
        DBClusterParameterGroupName: 'Ours',
        Parameters: { 'rds.force_ssl': '0' },
      });
      return answer(
        forceSslOff,
        resource(stack, 'Cluster', CLUSTER, { ...aurora('17.7'), DBClusterParameterGroupName: 'ours' }),
      );
    };
    expect(inRegion('eu-west-1')).toMatchObject([{ id: '' }]);
    expect(inRegion('us-east-1')).toMatchObject([
      { id: 'unknown', description: why('parameter group ours is not of this app') },
    ]);
  });

  test('knows that a read replica has version and group of its source', () => {
    const stack = newStack();
    const engine = rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.VER_14 });
    const replicaOf = (id: string, source: rds.DatabaseInstance) =>
      new rds.DatabaseInstanceReadReplica(stack, `${id} replica`, {
        sourceDatabaseInstance: source,
        vpc: vpcOf(stack),
        instanceType: INSTANCE_TYPE,
      });
    const on = replicaOf(
      'On',
      newInstance(stack, 'On', {
        engine,
        parameterGroup: new rds.ParameterGroup(stack, 'Group', { engine, parameters: { 'rds.force_ssl': '1' } }),
      }),
    );
    const off = replicaOf('Off', newInstance(stack, 'Off', { engine }));
    expect(answer(forceSslOff, on)).toBe('COMPLIANT');
    expect(answer(forceSslOff, off)).toMatchObject([{ id: '' }]);
  });
});
