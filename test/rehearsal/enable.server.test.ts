import { setTimeout } from 'node:timers/promises';
import { CloudAssembly } from '../../rehearsal/cloudformation/cloud-assembly';
import { hasServer } from '../../rehearsal/cloudformation/database-properties';
import { StackResult } from '../../rehearsal/cloudformation/stack';
import { ResourceDefinition, ResourceState } from '../../rehearsal/cloudformation/template';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { firstOf, full } from '../full';
import { synthesized } from './synthesized';

/** The lines of the functions that were called, but for those of CDK's framework. */
function notices({ logs }: Rehearsal): string[] {
  const lines = logs.splice(0).flatMap(({ text }) => text.split('\n')).filter(line => line.startsWith('{"notice"'));
  return lines.map(line => (JSON.parse(line) as { notice: string }).notice);
}

describe('a function that is told to', () => {
  let assembly: CloudAssembly;
  let rehearsal: Rehearsal;

  beforeAll(async () => {
    assembly = await synthesized('test/rehearsal/fixtures/enable-app.ts');
    rehearsal = await Rehearsal.start();
    expect(await rehearsal.deploy(assembly, 'Platform')).toMatchObject({ status: 'CREATE_COMPLETE' });
  });
  afterAll(() => rehearsal.close());
  const deployed = new Set<string>();
  afterEach(async () => {
    for (const stack of deployed) {
      expect(await rehearsal.destroy(stack)).toMatchObject({ status: 'DELETE_COMPLETE' });
    }
    deployed.clear();
    rehearsal.logs.length = 0;
    for (const resource of rehearsal.resources('Platform').filter(hasServer)) {
      rehearsal.database(resource).iamAuthentication = false;
      Object.assign(rehearsal.rdsApi.condition(resource), { status: 'available', pending: {} });
    }
  });

  /** With some words of the template replaced by others, and more resources. */
  const deploy = (
    stack: 'OfCluster' | 'OfInstance',
    replaced: Record<string, string> = {},
    more: Record<string, ResourceDefinition> = {},
  ): Promise<StackResult> => {
    deployed.add(stack);
    const change = (resources: Record<string, ResourceDefinition>) =>
      Object.entries(replaced).reduce(
        (result, [from, to]) => {
          const text = JSON.stringify(result);
          expect(text).toContain(from);
          return JSON.parse(text.replaceAll(from, to)) as Record<string, ResourceDefinition>;
        },
        { ...resources, ...more },
      );
    const stacks = assembly.stacks.map(each =>
      each.name === stack ? { ...each, template: { Resources: change(each.template.Resources) } } : each,
    );
    return rehearsal.deploy(Object.create(assembly, { stacks: { value: stacks } }) as CloudAssembly, stack);
  };
  const INSTANCE = (identifier: string) => ({ ':db:orders': `:db:${identifier}`, '"orders"': `"${identifier}"` });
  const database = (id: string): ResourceState =>
    rehearsal
      .resources('Platform')
      .find(
        ({ type, logicalId }) => type.startsWith('AWS::RDS::DB') && new RegExp(`^${id}[0-9A-F]{8}$`).test(logicalId),
      )!;
  const isOn = (id: string) => rehearsal.database(database(id)).iamAuthentication;
  const switched = (stack: string) =>
    rehearsal.resources(stack).find(({ type }) => type === 'Custom::RdsIamAuthentication')!;
  const refusal = async (result: Promise<StackResult>): Promise<string | undefined> => {
    const { status, reason } = await result;
    expect(status).toBe('ROLLBACK_COMPLETE');
    return /^IamAuthIamAuthentication\w+ \(Custom::RdsIamAuthentication\): ([^\n]*) \(log group: \S+\)\n/.exec(
      reason ?? '',
    )?.[1];
  };

  test('enables IAM authentication at a cluster, and says which it is and where', async () => {
    expect(await deploy('OfCluster')).toMatchObject({ status: 'CREATE_COMPLETE' });
    expect([isOn('Cluster'), isOn('Instance')]).toEqual([true, false]);
    expect(notices(rehearsal)).toEqual(['started', 'enabling', 'waiting', 'waiting', 'finished']);
    const { DBClusterResourceId, 'Endpoint.Address': host } = database('Cluster').attributes;
    expect(switched('OfCluster')).toMatchObject({
      physicalId: DBClusterResourceId,
      attributes: { ResourceId: DBClusterResourceId, Host: host, Port: '5432' },
    });
  });

  full.test('enables it at an instance, and not at its replica; at a replica, and not at its source', async () => {
    expect(await deploy('OfInstance')).toMatchObject({ status: 'CREATE_COMPLETE' });
    expect([isOn('Instance'), isOn('Replica')]).toEqual([true, false]);
    const { DbiResourceId, 'Endpoint.Address': host } = database('Instance').attributes;
    expect(switched('OfInstance')).toMatchObject({
      physicalId: DbiResourceId,
      attributes: { ResourceId: DbiResourceId, Host: host, Port: '5432' },
    });

    // Another database is another resource, and the former one stays as it is.
    expect(await deploy('OfInstance', INSTANCE('orders-replica'))).toMatchObject({ status: 'UPDATE_COMPLETE' });
    expect(switched('OfInstance').physicalId).toBe(database('Replica').attributes.DbiResourceId);
    expect([isOn('Instance'), isOn('Replica')]).toEqual([true, true]);
  });

  test('changes nothing where it is enabled, and enables it again when it was disabled by hand', async () => {
    rehearsal.database(database('Cluster')).iamAuthentication = true;
    await deploy('OfCluster');
    expect(notices(rehearsal)).toEqual(['started', 'finished']);
    rehearsal.database(database('Cluster')).iamAuthentication = false;
    expect(await deploy('OfCluster', { '"Kind":"cluster"': '"Kind":"cluster","Reapply":"now"' })).toMatchObject({
      status: 'UPDATE_COMPLETE',
    });
    expect([notices(rehearsal)[1], isOn('Cluster')]).toEqual(['enabling', true]);
  });

  full.test('leaves it on when another resource fails, and when it is not wanted any more', async () => {
    const [[id, { Properties }]] = Object.entries(
      assembly.stacks.find(({ name }) => name === 'OfCluster')!.template.Resources,
    ).filter(([, { Type: type }]) => type === 'Custom::RdsIamAuthentication');
    const Failing: ResourceDefinition = {
      Type: 'Custom::RdsIamAuthentication',
      Properties: { ...Properties, Kind: 'proxy' },
      DependsOn: id,
    };
    expect((await deploy('OfCluster', {}, { Failing })).reason).toMatch(/^Failing .* Kind "proxy" is not allowed/);
    expect([notices(rehearsal).at(-1), isOn('Cluster')]).toEqual(['left as it is', true]);
    await deploy('OfCluster');
    notices(rehearsal);
    expect(await rehearsal.destroy('OfCluster')).toMatchObject({ status: 'DELETE_COMPLETE' });
    expect([notices(rehearsal), isOn('Cluster')]).toEqual([['left as it is'], true]);
  });

  full.test('refuses to apply what else is pending', async () => {
    const condition = rehearsal.rdsApi.condition(database('Instance'));
    condition.pending = { DBInstanceClass: 'db.r6g.large', EngineVersion: '17.8' };
    expect(await refusal(deploy('OfInstance'))).toBe(
      'other modifications of instance "orders" are pending (DBInstanceClass, EngineVersion), and RDS would apply them at once together with IAM authentication, which may interrupt the database; '
      + 'let them be applied in the maintenance window, or take them back, and deploy again; or enable IAM authentication yourself at a time that suits',
    );
    expect([condition.pending, isOn('Instance')]).toEqual([
      { DBInstanceClass: 'db.r6g.large', EngineVersion: '17.8' },
      false,
    ]);
  });

  full.test('refuses a cluster for which other modifications are pending, and one of another engine', async () => {
    const condition = rehearsal.rdsApi.condition(database('Cluster'));
    condition.pending = { EngineVersion: '17.8' };
    expect(await refusal(deploy('OfCluster'))).toMatch(
      /^other modifications of cluster "shop" are pending \(EngineVersion\), /,
    );
    condition.pending = {};
    const { properties } = database('Cluster');
    const { Engine } = properties;
    properties.Engine = 'aurora-mysql';
    expect(await refusal(deploy('OfCluster'))).toBe(
      'engine "aurora-mysql" of cluster "shop" is not supported, because users are created in the SQL of PostgreSQL; pass one with the engine aurora-postgresql or postgres',
    );
    properties.Engine = Engine;
    expect(isOn('Cluster')).toBe(false);
  });

  full.test('refuses a member of a cluster', async () => {
    expect(await refusal(deploy('OfInstance', INSTANCE('shop-writer')))).toBe(
      'instance "shop-writer" is a member of cluster "shop", and IAM authentication is the cluster\'s; pass the cluster to an AuroraIamAuth',
    );
  });

  full.test.each<['OfCluster' | 'OfInstance', Record<string, string>, string]>([
    ['OfCluster', { ':cluster:shop': ':cluster:gone', '"shop"': '"gone"' },
      'cannot describe cluster "gone": DBClusterNotFoundFault: DBCluster gone not found.; check the identifier, and that the cluster is in the account and Region of this stack'],
    ['OfInstance', INSTANCE('gone'),
      'cannot describe instance "gone": DBInstanceNotFoundFault: DBInstance gone not found.; check the identifier, and that the instance is in the account and Region of this stack'],
  ])('says that there is no such database: %s', async (stack, replaced, message) => {
    expect(await refusal(deploy(stack, replaced))).toBe(message);
  });

  test.each(firstOf<['OfCluster' | 'OfInstance', string, string]>(1, [
    ['OfCluster', 'rds:DescribeDBClusters', 'cannot describe cluster "shop"'],
    ['OfCluster', 'rds:ModifyDBCluster', 'cannot enable IAM authentication of cluster "shop"'],
    ['OfInstance', 'rds:DescribeDBInstances', 'cannot describe instance "orders"'],
    ['OfInstance', 'rds:ModifyDBInstance', 'cannot enable IAM authentication of instance "orders"'],
  ]))('%s needs %s', async (stack, action, what) => {
    const reason = await refusal(deploy(stack, { [`"${action}"`]: '"rds:ListTagsForResource"' }));
    expect(reason).toMatch(
      new RegExp(
        `^${what}: AccessDenied: User: arn:aws:iam::\\d+:role/\\S+ is not authorized to perform: ${action} on resource: arn:aws:rds:eu-central-1:\\d+:(cluster:shop|db:orders) because`,
      ),
    );
    expect(reason).toContain(
      "; check that no service control policy or permissions boundary denies it to the function's role, which is allowed to do it to the identifier ",
    );
  });

  full.test('may do nothing to another database', async () => {
    expect(await refusal(deploy('OfInstance', { '"orders"': '"orders-replica"' }))).toMatch(
      /^cannot describe instance "orders-replica": AccessDenied: /,
    );
  });

  full.test('waits until a database takes modifications, and gives up in time', async () => {
    const condition = rehearsal.rdsApi.condition(database('Cluster'));
    condition.status = 'backing-up';
    const { status, reason } = await deploy('OfCluster', { '"Timeout":840': '"Timeout":13' });
    expect([status, reason]).toEqual(['ROLLBACK_COMPLETE', expect.stringMatching(
      /: cannot enable IAM authentication: after \d+ s still waiting for its status, which is backing-up, to be available \(cluster "shop"\); look at the events of the database in the RDS console, and deploy again \(log group: \S+\)\n/,
    )]);
    const deployment = deploy('OfCluster');
    await setTimeout(1_000); // it has looked at the database by then; if not, the rest holds as well
    condition.status = 'available';
    expect(await deployment).toMatchObject({ status: 'CREATE_COMPLETE' });
    expect(isOn('Cluster')).toBe(true);
  });

  // The last one.
  test('is deleted when the database is gone', async () => {
    await deploy('OfCluster');
    await rehearsal.destroy('Platform');
    expect(await rehearsal.destroy('OfCluster')).toMatchObject({ status: 'DELETE_COMPLETE' });
  });
});
