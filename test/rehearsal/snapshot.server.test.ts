import { CloudAssembly } from '../../rehearsal/cloudformation/cloud-assembly';
import { StackEvent } from '../../rehearsal/cloudformation/stack';
import { synthesize } from '../../rehearsal/cloudformation/synthesize';
import { ResourceDefinition, ResourceState } from '../../rehearsal/cloudformation/template';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { execute } from '../../rehearsal/sign-in';
import { full } from '../full';
import { synthesized } from './synthesized';

const APP = 'test/rehearsal/fixtures/snapshot-app.ts';

describe('a cluster that is restored from a snapshot', () => {
  const events: StackEvent[] = [];
  let rehearsal: Rehearsal;
  beforeEach(async () => {
    events.length = 0;
    rehearsal = await Rehearsal.start({ onEvent: event => void events.push(event) });
    expect(await rehearsal.deploy(await synthesized(APP), 'Shop')).toMatchObject({ status: 'CREATE_COMPLETE' });
    expect(await as('Shop', 'migrator', 'CREATE TABLE things AS SELECT 7 AS id')).toEqual([]);
    await rehearsal.createSnapshot(cluster('Shop'), 'yesterday');
    expect(await as('Shop', 'migrator', 'INSERT INTO things VALUES (8)')).toEqual([]);
  });
  afterEach(() => rehearsal.close());

  const resource = (stack: string, type: string, id = ''): ResourceState =>
    rehearsal.resources(stack).find(each => each.type === type && each.logicalId.startsWith(id))!;
  const cluster = (stack: string) => resource(stack, 'AWS::RDS::DBCluster');
  const as = (stack: string, username: 'migrator' | 'orders', sql: string) => {
    const server = rehearsal.database(cluster(stack));
    const role = resource(stack, 'AWS::IAM::Role', username === 'orders' ? 'Orders' : 'Migrator');
    return execute(
      server,
      {
        username,
        password: server.token('', username, { credentials: rehearsal.credentialsOf(role) }),
        database: 'shop',
      },
      sql,
    );
  };

  full.test(
    'in the place of the old one: users, privileges and data are there, under the new resource id',
    async () => {
      const before = cluster('Shop').attributes.DBClusterResourceId;
      const result = await rehearsal.deploy(await synthesized(APP, { snapshot: 'yesterday' }), 'Shop');
      expect(result).toMatchObject({ status: 'UPDATE_COMPLETE' });
      expect(events.filter(({ status }) => status === 'DELETE_FAILED')).toEqual([]);
      expect(cluster('Shop').attributes.DBClusterResourceId).not.toBe(before);
      expect(await as('Shop', 'orders', 'SELECT id FROM things')).toEqual([{ id: 7 }]);
      expect(await as('Shop', 'migrator', 'CREATE TABLE later AS SELECT 1 AS n')).toEqual([]);
      expect(await as('Shop', 'orders', 'SELECT n FROM later')).toEqual([{ n: 1 }]);
      expect(await rehearsal.destroy('Shop')).toMatchObject({ status: 'DELETE_COMPLETE' });
    },
  );

  /** What the provisioner said of users that it left alone. */
  const leftAlone = () =>
    rehearsal.logs
      .flatMap(({ text }) => text.split('\n'))
      .filter(line => line.includes('is not the database of this provisioner any more'))
      .map(line => JSON.parse(line) as { logicalId: string; reason: string });
  /** The app with another cluster, and changes to its resources. */
  const restored = async (
    change: (resources: Record<string, ResourceDefinition>) => Record<string, ResourceDefinition>,
  ): Promise<CloudAssembly> => {
    const assembly = await synthesize(APP, { snapshot: 'yesterday' });
    const stacks = assembly.stacks.map(each => ({
      ...each,
      template: { ...each.template, Resources: change(each.template.Resources) },
    }));
    return Object.create(assembly, { stacks: { value: stacks } }) as CloudAssembly;
  };

  full.test(
    'in the place of the old one: the provisioner goes with the new one, and does not go back for the roles of the old one',
    async () => {
      // An endpoint that changes alone sends no event to the users.
      const assembly = await synthesize(APP);
      const portOf = (resources: Record<string, ResourceDefinition>) =>
        Object.fromEntries(
          Object.entries(resources).map(([id, resource]) => [
            id,
            resource.Type === 'AWS::Lambda::Function' && JSON.stringify(resource).includes('DATABASE_PORT')
              ? (JSON.parse(
                  JSON.stringify(resource).replace('"DATABASE_CA_FILE"', '"CHANGED":"x","DATABASE_CA_FILE"'),
                ) as ResourceDefinition)
              : resource,
          ]),
        );
      const stacks = assembly.stacks.map(each => ({
        ...each,
        template: { ...each.template, Resources: portOf(each.template.Resources) },
      }));
      events.length = 0;
      expect(
        await rehearsal.deploy(Object.create(assembly, { stacks: { value: stacks } }) as CloudAssembly, 'Shop'),
      ).toMatchObject({ status: 'UPDATE_COMPLETE' });
      expect(events.filter(({ status }) => status === 'UPDATE_COMPLETE').map(({ type }) => type)).toEqual([
        'AWS::Lambda::Function',
      ]);
      const before = cluster('Shop').attributes.DBClusterResourceId as string;
      const kept = await rehearsal.deploy(
        await restored(resources =>
          Object.fromEntries(
            Object.entries(resources).map(([id, resource]) => [
              id,
              resource.Type.startsWith('AWS::RDS::DB') ? { ...resource, UpdateReplacePolicy: 'Retain' } : resource,
            ]),
          ),
        ),
        'Shop',
      );
      expect(kept).toMatchObject({ status: 'UPDATE_COMPLETE' });
      const now = cluster('Shop').attributes.DBClusterResourceId as string;
      expect(leftAlone().map(({ reason }) => reason)).toEqual(
        [1, 2].map(
          () =>
            `${before} is not the database of this provisioner any more: its roles stay as they are, and what this app allows is about ${now}`,
        ),
      );
      expect(await as('Shop', 'orders', 'SELECT id FROM things')).toEqual([{ id: 7 }]);
    },
  );

  full.test(
    'in the place of the old one, rolled back: it goes through, and what was made on the way is left to CloudFormation',
    async () => {
      const { status, reason } = await rehearsal.deploy(await restored((resources) => {
        const users = Object.entries(resources).filter(([, { Type }]) => Type === 'Custom::RdsIamUser');
        const [[, user]] = users;
        return {
          ...resources,
          Broken: { ...user, Properties: { ...user.Properties, Username: 'pg_x' }, DependsOn: users.map(([id]) => id) },
        };
      }), 'Shop');
      expect([status, reason]).toEqual([
        'UPDATE_ROLLBACK_COMPLETE',
        expect.stringContaining('username "pg_x" is not allowed'),
      ]);
      expect(events.filter(({ status }) => status === 'DELETE_FAILED')).toEqual([]);
      expect(leftAlone()).toHaveLength(2);
      expect(await rehearsal.destroy('Shop')).toMatchObject({ status: 'DELETE_COMPLETE' });
    },
  );

  full.test(
    "by another stack: its users are the other stack's, until they are taken over, and the other stack keeps its own",
    async () => {
      const { status, reason } = await rehearsal.deploy(
        await synthesized(APP, { name: 'Staging', snapshot: 'yesterday' }),
        'Staging',
      );
      expect(status).toBe('ROLLBACK_COMPLETE');
      expect(reason).toMatch(
        /role "migrator" is managed by another stack \(arn:aws:cloudformation:\S+:stack\/Shop\/\S+, resource IamAuthmigrator\w+\) in cluster-\w+, which this database, cluster-\w+, was restored from; choose another name, or take it over here with adoptExisting/,
      );

      expect(
        await rehearsal.deploy(
          await synthesized(APP, { name: 'Staging', snapshot: 'yesterday', adopt: 'true' }),
          'Staging',
        ),
      ).toMatchObject({ status: 'CREATE_COMPLETE' });
      expect(await as('Staging', 'orders', 'SELECT id FROM things')).toEqual([{ id: 7 }]);
      expect(await as('Shop', 'orders', 'SELECT id FROM things ORDER BY id')).toEqual([{ id: 7 }, { id: 8 }]);
      expect(await rehearsal.destroy('Staging')).toMatchObject({ status: 'DELETE_COMPLETE' });
      expect(await as('Shop', 'orders', 'SELECT count(*)::int FROM things')).toEqual([{ count: 2 }]);
    },
  );

  full.test('one that was not made here is refused', async () => {
    const { status, reason } = await rehearsal.deploy(await synthesized(APP, { snapshot: 'unknown' }), 'Shop');
    expect(status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(reason).toMatch(/snapshot unknown is not rehearsed: it was not made here, and what is in it is not known/);
  });
});
