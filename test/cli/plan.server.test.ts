import { ChildProcess, execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { environmentOf, runAs } from './as-role';
import { packedCli } from './packed-cli';
import { main as drift } from '../../cli/drift/drift';
import { main as plan } from '../../cli/plan/plan';
import { StackPlan } from '../../cli/plan/plan-stacks';
import { CloudAssembly } from '../../rehearsal/cloudformation/cloud-assembly';
import { ResourceState } from '../../rehearsal/cloudformation/template';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { FULL, full } from '../full';
import { snapshot } from '../lambda/catalog';
import { synthesized } from '../rehearsal/synthesized';

const ROOT = resolve(__dirname, '../..');

/** One deployment for all tests. But for the last one, each leaves it as it was. */
describe('plan and drift', () => {
  let rehearsal: Rehearsal;
  let [before, after]: CloudAssembly[] = [];
  let log = '';
  beforeAll(async () => {
    [before, after] = await Promise.all(
      ['false', 'true'].map(changed => synthesized('test/rehearsal/fixtures/plan-app.ts', { changed })),
    );
    rehearsal = await Rehearsal.start();
    expect((await rehearsal.deploy(before, 'Shop')).reason).toBeUndefined();
    if (FULL) {
      expect((await runAs(rehearsal, role('Planner'), plan, before.folder)).output).toContain('Nothing to do.');
    }
  });
  afterAll(() => rehearsal.close());

  const resource = (type: string, name: string) => rehearsal.resources('Shop').find(
    each => each.type === type && each.logicalId.startsWith(name),
  )!;
  const role = (name: string): ResourceState => resource('AWS::IAM::Role', name);
  const server = () => rehearsal.database(resource('AWS::RDS::DBCluster', 'Cluster'));
  const handler = () => rehearsal.resources('Shop').find(
    ({ type, logicalId }) => type === 'AWS::Lambda::Function' && logicalId.startsWith('IamAuthProvisionerHandler'),
  )!;
  const plansIn = (output: string) => (JSON.parse(output) as { stacks: StackPlan[] }).stacks;

  /** From now on the server logs each statement. */
  async function watch(): Promise<void> {
    const { stderr } = (server() as unknown as { postgresql: { process: ChildProcess } }).postgresql.process;
    log = '';
    (stderr as Readable).on('data', (text: string) => log += text);
    await server().sql("ALTER SYSTEM SET log_statement = 'all'");
    await server().sql('SELECT pg_reload_conf()');
  }

  /** In their order, those that change roles and privileges; not those of the registry and of the session. */
  function changesIn(texts: string[]): string[] {
    return texts
      .flatMap(text => text.split(/;?\n/))
      .map(line =>
        line
          .replace(/^.*LOG: {2}(?:statement|execute [^:]*): /, '')
          .trim()
          .replace(/;$/, ''),
      )
      .filter(
        line => /^(CREATE|ALTER|DROP) (USER|ROLE) |^(GRANT|REVOKE) /.test(line) && !/cdk_aurora_iam_auth/.test(line),
      );
  }

  full.test('narrowed to a resource, by its logical id or by its path', async () => {
    const [{ resources: [{ logicalId }] }] = plansIn(
      (await runAs(rehearsal, role('Planner'), plan, after.folder, '--json', '--only', 'IamAuth/grace')).output,
    );
    const { output } = await runAs(
      rehearsal,
      role('Planner'),
      plan,
      after.folder,
      '--json',
      '--only',
      logicalId,
      '--only',
      'Shop/IamAuth/leaver',
    );
    expect(plansIn(output).flatMap(({ resources }) => resources.map(({ name }) => name))).toEqual([
      'IamAuth/grace',
      'IamAuth/leaver',
    ]);
    await expect(runAs(rehearsal, role('Planner'), plan, after.folder, '--only', 'nobody')).rejects.toThrow(
      '--only nobody: no user or group role of that name is created, changed or removed',
    );
  });

  full.test('what would fail is said, and is the exit code', async () => {
    await server().sql('CREATE ROLE grace');
    const { code, output } = await runAs(rehearsal, role('Planner'), plan, after.folder);
    expect(code).toBe(1);
    expect(output).toMatch(/create IamAuth\/grace .*\n {2}-- would fail: .*grace.*exists/);
    await server().sql('DROP ROLE grace');
  });

  full.test('who may not plan is told what is needed', async () => {
    const { code, reasons } = await runAs(rehearsal, role('Onlooker'), plan, after.folder);
    expect({ code, reasons }).toEqual({ code: 3, reasons: [
      `stack Shop: lambda:InvokeFunction is not allowed on ${handler().attributes.Arn as string}:plan: the caller needs that permission; iamAuth.grantPlan(...) grants it`,
    ] });
    await expect(runAs(rehearsal, role('Service'), plan, after.folder)).resolves.toMatchObject({ code: 3, reasons: [
      'stack Shop: cloudformation:DescribeStacks is not allowed on stack Shop: the caller needs that permission',
    ] });
  });

  test('drift is what was changed by hand, and logins that no stack declares', async () => {
    await expect(runAs(rehearsal, role('Auditor'), drift, 'Shop', '--fail-on-drift')).resolves.toMatchObject(
      { code: 0, output: expect.stringContaining('All roles are as they are declared.') as string },
    );
    await server().sql('REVOKE rds_iam FROM orders GRANTED BY postgres; CREATE ROLE intruder LOGIN');
    const { code, output } = await runAs(rehearsal, role('Auditor'), drift, 'Shop', '--all', '--fail-on-drift');
    expect(code).toBe(1);
    expect(output).toMatch(
      /IamAuth\/orders \(\w+\): orders\n {2}-- in postgres: grant role "rds_iam" to "orders"\n {2}GRANT rds_iam TO "orders";\n\n1 role is not as declared\./,
    );
    expect(output).toContain('  intruder: signs in with a password, if it has one\n');
    expect(output).toMatch(/ {2}postgres: .*creates roles,.* the admin of the provisioner\n/);

    if (FULL) {
      await narrowed();
      await audited();
    }
    await server().sql('SET ROLE postgres; GRANT rds_iam TO orders; RESET ROLE; DROP ROLE intruder');
  });

  /** Of the drift above. */
  async function narrowed(): Promise<void> {
    const only = (...names: string[]) => runAs(
      rehearsal, role('Auditor'), drift, 'Shop', '--fail-on-drift', ...names.flatMap(name => ['--only', name]),
    );
    await expect(only('IamAuth/orders')).resolves.toMatchObject({ code: 1 });
    await expect(only('Shop/IamAuth/leaver')).resolves.toMatchObject(
      { code: 0, output: expect.stringContaining('All of those named are as they are declared.') as string },
    );
    await expect(only('adam')).rejects.toThrow(
      '--only adam: nothing of that name is deployed; pass a logical id, or the path of a construct',
    );
  }

  /** Of the logins above. */
  async function audited(): Promise<void> {
    const audit = await runAs(rehearsal, role('Auditor'), drift, before.folder, '--json', '--fail-on-undeclared');
    const { date, databases: [{ undeclared, ...database }] } = JSON.parse(audit.output) as {
      date: string; databases: { undeclared: { role: string; isAdmin: boolean; expected?: string }[] }[];
    };
    expect(audit.code).toBe(1);
    expect(new Date(date).toISOString()).toBe(date);
    expect(database).toMatchObject({
      stack: 'Shop',
      account: '111122223333',
      region: 'eu-central-1',
      resourceId: server().resourceId,
      admin: 'postgres',
      driftedRoles: 1,
    });
    expect(undeclared.map(login => [login.role, login.isAdmin, login.expected])).toEqual(
      expect.arrayContaining([['intruder', false, undefined], ['postgres', true, 'admin'],
        ['rdsadmin', false, 'Amazon RDS']]),
    );
    const surprising = undeclared
      .filter(({ expected }) => expected === undefined)
      .flatMap(login => ['--expect', login.role]);
    await expect(
      runAs(rehearsal, role('Auditor'), drift, 'Shop', '--fail-on-undeclared', ...surprising),
    ).resolves.toMatchObject({ code: 0 });
  }

  test('who may plan alone reaches nothing else', async () => {
    const call = (name: string, event: object, caller = 'Planner') => {
      const { InvokeCommand, LambdaClient }
        = jest.requireActual<typeof import('@aws-sdk/client-lambda')>('@aws-sdk/client-lambda');
      Object.assign(process.env, environmentOf(rehearsal, role(caller)));
      return new LambdaClient({ region: 'eu-central-1' })
        .send(new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(event) }))
        .then(
          ({ FunctionError, Payload }) => ({ failed: FunctionError, answer: Buffer.from(Payload ?? []).toString() }),
          (error: Error) => error.name,
        );
    };
    const arn = handler().attributes.Arn as string;
    const roles = () => server().sql('SELECT * FROM pg_roles ORDER BY oid');
    const unchanged = await roles();
    const event = {
      RequestType: 'Delete',
      StackId: 'x',
      RequestId: 'x',
      LogicalResourceId: 'x',
      ResourceType: 'Custom::RdsIamUser',
      PhysicalResourceId: 'x',
      ResourceProperties: { Username: 'orders' },
    };
    await expect(call(arn, event)).resolves.toBe('AccessDeniedException');
    await expect(call(`${arn}:$LATEST`, event)).resolves.toBe('AccessDeniedException');
    await expect(call(`${arn}:drift`, {})).resolves.toBe('AccessDeniedException');
    await expect(call(`${arn}:plan`, { resources: [] }, 'Auditor')).resolves.toBe('AccessDeniedException');
    await expect(call(`${arn}:other`, event)).resolves.toBe('ResourceNotFoundException');
    await expect(call(`${arn}:plan`, event)).resolves.toMatchObject(
      { failed: 'Unhandled', answer: expect.stringContaining('event has only resources') as string },
    );
    await expect(call(`${handler().physicalId}:plan`, { resources: [] })).resolves.toMatchObject({ failed: undefined });
    expect(await roles()).toEqual(unchanged);
  });

  full.test('the session in docs/plan.md is what the program writes', async () => {
    await server().sql('SET ROLE postgres; CREATE TABLE orders (id int)', [], 'shop');
    const environment = { ...process.env, ...environmentOf(rehearsal, role('Planner')) };
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [await packedCli(), 'plan', after.folder],
      { cwd: ROOT, env: environment },
    );
    const [, session]
      = /\$ npx cdk-aurora-iam-auth-cli plan cdk\.out\n([^]*?)```/.exec(readFileSync(join(ROOT, 'docs/plan.md'), 'utf8'))
        ?? [];
    await server().sql('DROP TABLE orders', [], 'shop');
    expect(stdout.trim()).toBe(session?.trim());
  });

  test('the SQL of a plan is what the deployment executes, and planning changes nothing', async () => {
    await server().sql('SET ROLE postgres; CREATE TABLE items (id int); CREATE TABLE orders (id int)', [], 'shop');
    const catalog = await snapshot(server());
    const { code, output } = await runAs(rehearsal, role('Planner'), plan, after.folder, '--json');
    expect(code).toBe(0);
    await expect(snapshot(server())).resolves.toEqual(catalog);
    const [{ resources }] = plansIn(output);
    expect(resources.map(({ action, name, notPlanned }) => [action, name, notPlanned])).toEqual([
      ['update', 'IamAuth/orders', undefined],
      ['create', 'IamAuth/auditors', undefined],
      ['create', 'IamAuth/grace', undefined],
      [
        'create',
        'IamAuth/ofNewRole',
        expect.stringMatching(
          /^Username\.Ref: resource NewService\w+ is created by the deployment, which gives it a name$/,
        ),
      ],
      ['delete', 'IamAuth/leaver', undefined],
    ]);

    await watch();
    expect((await rehearsal.deploy(after, 'Shop')).reason).toBeUndefined();
    const executed = changesIn(log.split(/(?=^\d{4}-\d\d-\d\d )/m)).filter(sql => !sql.includes('Shop-NewService'));
    const planned = resources.map(({ changes }) => changes.flatMap(({ sql }) => sql));
    // Resources that do not wait for each other may be carried out in another order.
    expect([...executed].sort()).toEqual(planned.flat().sort());
    planned.forEach(statements => expect(executed.filter(sql => statements.includes(sql))).toEqual(statements));
    expect(planned[0]).toEqual([
      'GRANT DELETE, INSERT, SELECT, UPDATE ON TABLE "public"."items", "public"."orders" TO "orders"',
    ]);

    await expect(runAs(rehearsal, role('Planner'), plan, after.folder)).resolves.toMatchObject(
      { code: 0, output: expect.stringContaining('Nothing to do.') as string },
    );
  });
});
