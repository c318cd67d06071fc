import { changesBetween } from './access-changes';
import { rehearse, RehearseOptions } from '../../rehearsal/rehearse/rehearse-app';
import { full } from '../full';
import { synthesized } from './synthesized';

const OPTIONS: Omit<RehearseOptions, 'source'> = {
  stacks: [],
  context: {},
  sql: [],
  given: { parameters: {}, exports: {}, ssm: {}, policies: {}, majors: [] },
  json: false,
  verbose: false,
};

/** Rehearses an app of fixtures/user-apps. */
async function run(app: string, { context, ...options }: Partial<RehearseOptions> = {}) {
  const lines: string[] = [];
  const { folder: source } = await synthesized(`test/rehearsal/fixtures/user-apps/${app}.ts`, context);
  const report = await rehearse({ ...OPTIONS, source, ...options }, line => lines.push(line));
  const tables = Object.fromEntries(
    changesBetween([], report.access).map(({ database, lines: facts }) => [database, facts.map(({ text }) => text)]),
  );
  return { ...report, lines, output: lines.join('\n'), tables };
}

/** What every user of database shop may do who has no privileges on objects. */
const connects = (name: string, database = 'shop') => [
  `${name} in ${database}: connect database ${database}`,
  `${name} in ${database}: use schema public`,
];

describe('apps as people write them', () => {
  full.test('a bastion, a REST API, a MySQL instance beside and a bucket that empties itself', async () => {
    const { result, tables, notes, output } = await run('bastion');
    expect(result).toBe('ok');
    expect(tables).toEqual({
      Cluster: [
        'user api',
        'user support',
        'Api/ServiceRole signs in as api',
        'Host/Resource/InstanceRole signs in as support',
        ...connects('api'),
        ...connects('support'),
      ],
    });
    expect(notes).toEqual([
      expect.stringMatching(
        /^parameter \/aws\/service\/ami-amazon-linux-latest\/\S+ of Systems Manager is not in the app: its value is invented; --ssm /,
      ),
    ]);
    expect(output).toContain('not rehearsed, not needed: AWS::ApiGateway::Account, ');
  });

  full.test('the database in a nested stack, and its users in another', async () => {
    const { result, tables } = await run('nested');
    expect(result).toBe('ok');
    expect(tables).toEqual({
      'Shop/Data/Cluster': [
        'user billing',
        'user owner',
        'Shop/Team/Service signs in as billing',
        'Shop/Data/Owner signs in as owner',
        ...connects('billing'),
        ...connects('owner'),
      ],
    });
  });

  full.test('a nested stack that fails, and fails its parent', async () => {
    const { result, failure } = await run('nested', { context: { failing: 'true' } });
    expect(result).toBe('failed');
    expect(failure).toMatch(
      /^stack Shop is ROLLBACK_COMPLETE: \w+ \(AWS::CloudFormation::Stack\): Embedded stack arn:\S+ was not successfully deployed: \w+ \(Custom::RdsIamUser\): .*nowhere/,
    );
  });

  full.test('a pipeline with two stages, whose stacks have the same name', async () => {
    const { result, tables } = await run('pipeline');
    expect(result).toBe('ok');
    expect(tables).toEqual({
      'Dev/Shop/Cluster': ['user dev', 'Dev/Shop/Service signs in as dev', ...connects('dev')],
      'Prod/Shop/Cluster': ['user prod', 'Prod/Shop/Service signs in as prod', ...connects('prod')],
    });
  });

  full.test('one of two stages', async () => {
    const { result, stacks, tables } = await run('pipeline', { stacks: ['Prod/*'] });
    expect({ result, stacks }).toEqual({ result: 'ok', stacks: ['Prod/Shop'] });
    expect(Object.keys(tables)).toEqual(['Shop/Cluster']);
  });

  full.test.each([['strong'], ['weak']])('several stacks and an empty one, with %s references', async (references) => {
    const { result, stacks, tables } = await run('references', {
      context: { '@aws-cdk/core:defaultCrossStackReferences': references },
    });
    expect({ result, stacks }).toEqual({ result: 'ok', stacks: ['Dns', 'Network', 'Data', 'Service'] });
    expect(tables).toEqual({
      'Data/Cluster': ['user orders', 'Service/Task signs in as orders', ...connects('orders')],
    });
  });

  full.test('a cluster from a snapshot', async () => {
    const { result, tables, notes } = await run('snapshot');
    expect(result).toBe('ok');
    expect(notes).toEqual([
      'Restored/Cluster is restored from snapshot last-year: an empty database stands in, with the objects that the users name',
    ]);
    expect(tables.Cluster).toEqual([
      'user auditor',
      'Audit signs in as auditor',
      'auditor in crm: connect database crm',
      'auditor in crm: use 2 schemas: public, sales',
      'auditor in crm: read table sales.orders',
      'auditor in crm: read columns of sales.customers (id)',
      ...connects('auditor', 'postgres'),
    ]);
  });

  full.test('a cluster, a network and policies of other apps', async () => {
    const { result, tables, notes } = await run('imported');
    expect(result).toBe('ok');
    expect(notes.map(note => note.replace(/ (is|of \d) .*/, ''))).toEqual([
      'the database of parameter /platform/cluster/resource-id',
      'permissions boundary arn:aws:iam::111122223333:policy/Boundary',
      'managed policy arn:aws:iam::111122223333:policy/Central',
      'parameter /platform/cluster/resource-id of Systems Manager',
      'parameter /platform/cluster/host of Systems Manager',
      'export Platform:Group', 'export Platform:Vpc', 'export Platform:SubnetA', 'export Platform:SubnetB',
    ]);
    expect(tables).toEqual({
      'other-app-1, in place of a database of another app': [
        'user reports', 'Service may be able to sign in as reports', 'Operator may be able to sign in as reports',
        'reports in shop: connect database shop', 'reports in shop: use 2 schemas: public, stock',
      ],
    });
  });

  full.test('the same, with all of it given', async () => {
    const allow = { Version: '2012-10-17', Statement: { Effect: 'Allow' as const, Action: '*', Resource: '*' } };
    const { result, tables, notes } = await run('imported', {
      given: {
        ...OPTIONS.given,
        policies: { Boundary: allow, Central: { ...allow, Statement: { ...allow.Statement, Action: 's3:*' } } },
        exports: {
          'Platform:Vpc': 'vpc-1',
          'Platform:SubnetA': 'subnet-1',
          'Platform:SubnetB': 'subnet-2',
          'Platform:Group': 'sg-1',
        },
        ssm: {
          '/platform/cluster/resource-id': 'cluster-ABC',
          '/platform/cluster/host': 'shared.cluster-x.eu-central-1.rds.amazonaws.com',
        },
      },
    });
    expect({ result, notes }).toEqual({
      result: 'ok',
      notes: ['database cluster-ABC is of another app: an empty one stands in, with the objects that the users name'],
    });
    expect(Object.values(tables)[0]).toEqual(expect.arrayContaining(['Service signs in as reports']));
    expect(Object.values(tables)[0]).not.toEqual(expect.arrayContaining([expect.stringMatching(/^Operator/)]));
  });

  full.test('the legacy synthesizer', async () => {
    const { result, tables, notes } = await run('legacy');
    expect({ result, notes }).toEqual({
      result: 'ok',
      notes: [
        'parameter Domain (String) of stack Legacy has no value: it is invented; --parameter Domain=<value> gives it',
      ],
    });
    expect(tables).toEqual({
      'Legacy/Cluster': ['user orders', 'Legacy/Service signs in as orders', ...connects('orders')],
    });
  });

  test('isolated subnets, and a secret that RDS manages', async () => {
    const { result, tables, notes } = await run('isolated');
    expect({ result, notes }).toEqual({ result: 'ok', notes: [] });
    expect(tables).toEqual({ Cluster: ['user reports', 'Service signs in as reports', ...connects('reports')] });
  });

  full.test('a service behind a proxy', async () => {
    const { result, tables } = await run('ecs');
    expect(result).toBe('ok');
    expect(tables).toMatchObject({
      Cluster: expect.arrayContaining([
        'ProxyRole signs in as orders',
        'Job/ServiceRole signs in as migrator',
        'orders in shop: later read, write tables that migrator creates in public',
      ]) as unknown,
      Proxy: ['Task/TaskRole signs in as orders'],
    });
  });

  full.test('databases that the app itself makes, with an extension that this PostgreSQL does not have', async () => {
    const { result, tables, remains, output } = await run('data-api');
    expect(result).toBe('ok');
    expect(tables.Cluster).toEqual(['user dify', 'Service signs in as dify', ...connects('dify', 'pgvector')]);
    expect(remains).toEqual([{ database: 'Cluster', kept: [], ofTheApp: ['database pgvector'], differences: [] }]);
    expect(output).toMatch(/Dify\/Extension\w+ did nothing: ERROR: extension "vector" is not available/);
  });
});
