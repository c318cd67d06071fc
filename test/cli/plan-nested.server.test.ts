import { runAs } from './as-role';
import { main as plan } from '../../cli/plan/plan';
import { StackPlan } from '../../cli/plan/plan-stacks';
import { CloudAssembly } from '../../rehearsal/cloudformation/cloud-assembly';
import { ResourceState } from '../../rehearsal/cloudformation/template';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { full } from '../full';
import { snapshot } from '../lambda/catalog';
import { synthesized } from '../rehearsal/synthesized';

const APP = 'test/rehearsal/fixtures/nested-plan-app.ts';

describe('a plan of nested stacks, whose users depend on a parameter of the parent', () => {
  let rehearsal: Rehearsal;
  let [before, changed]: CloudAssembly[] = [];
  const renamed = () => synthesized(APP, { suffix: 'two' });
  beforeAll(async () => {
    [before, changed] = await Promise.all([synthesized(APP), synthesized(APP, { changed: 'true' })]);
    rehearsal = await Rehearsal.start();
    expect((await rehearsal.deploy(before, 'Shop')).reason).toBeUndefined();
  });
  afterAll(() => rehearsal.close());

  const planner = (): ResourceState => rehearsal.resources('Shop').find(
    ({ type, logicalId }) => type === 'AWS::IAM::Role' && logicalId.startsWith('Planner'),
  )!;
  const server = () => rehearsal.database(rehearsal.databaseResources()[0].state);

  /** What is planned, without what makes logical ids unique. */
  async function planned(
    ...args: string[]
  ): Promise<{ code: number; reasons: readonly string[]; nothingToDo: boolean; all: unknown[][] }> {
    const { code, output, reasons } = await runAs(rehearsal, planner(), plan, ...args, '--json');
    const { nothingToDo, stacks } = JSON.parse(output) as { nothingToDo: boolean; stacks: StackPlan[] };
    const all = stacks.flatMap(({ stack, resources }) =>
      resources
        .filter(
          ({ changes, notPlanned, problem }) => changes.length > 0 || notPlanned !== undefined || problem !== undefined,
        )
        .map(({ action, name, changes, notPlanned, problem }) =>
          [
            stack.replaceAll(/([A-Z][a-z]+)NestedStack\w+/g, '$1'),
            action,
            name,
            ...(problem ?? notPlanned ?? changes.flatMap(({ sql }) => sql)),
          ]
            .slice(0, problem === undefined && notPlanned === undefined ? undefined : 3)
            .concat(problem ?? notPlanned ?? []),
        ),
    );
    return { code, reasons, nothingToDo, all };
  }

  full.test('has nothing to do for what is deployed, also where its parameter is given', async () => {
    const nothing = { code: 0, reasons: [], nothingToDo: true, all: [] };
    await expect(planned(before.folder)).resolves.toEqual(nothing);
    await expect(planned(before.folder, '--parameter', 'Suffix=one')).resolves.toEqual(nothing);
    // The CDK CLI keeps the value that a parameter has, whatever its default becomes.
    await expect(planned((await renamed()).folder)).resolves.toEqual(nothing);
    await expect(planned(before.folder, '--parameter', 'Other:Suffix=two')).rejects.toThrow(
      '--parameter Other:Suffix: no stack of the app has this parameter',
    );
  });

  full.test.each(['Suffix=two', 'Shop:Suffix=two'])('hands %s through to the stack within a stack', async (parameter) => {
    await expect(planned(before.folder, '--parameter', parameter)).resolves.toEqual({
      code: 0, reasons: [], nothingToDo: false,
      all: [['Shop/Data/Team', 'update', 'Data/Team/Member', 'ALTER ROLE "member-one" RENAME TO "member-two"']],
    });
  });

  full.test(
    'has users that are created, changed and removed in each of them; of a nested stack that is new it says why there is none',
    async () => {
      const catalog = await snapshot(server());
      await expect(planned(changed.folder, '--parameter', 'Suffix=two')).resolves.toEqual({
        code: 0, reasons: [], nothingToDo: false,
        all: [
          ['Shop/Data', 'update', 'Data/IamAuth/owner', 'GRANT "readers" TO "owner"'],
          ['Shop/Data/Team', 'update', 'Data/Team/Member', 'ALTER ROLE "member-one" RENAME TO "member-two"'],
          [
            'Shop/Data/Team',
            'create',
            'Data/Team/Grace',
            'CREATE USER "grace" NOLOGIN',
            'GRANT CONNECT ON DATABASE "shop" TO "grace"',
            'GRANT rds_iam TO "grace"',
            'ALTER USER "grace" LOGIN',
          ],
          [
            'Shop/Data/Team',
            'delete',
            'Data/Team/Leaver',
            'REVOKE rds_iam FROM "leaver" CASCADE',
            'ALTER USER "leaver" NOLOGIN',
            'REVOKE CONNECT ON DATABASE "shop" FROM "leaver" CASCADE',
            'DROP ROLE "leaver"',
          ],
          [
            'Shop/Extra',
            'create',
            'Extra/Late',
            'its stack is not deployed in this account and Region: there is no provisioner that could plan it',
          ],
        ],
      });
      await expect(snapshot(server())).resolves.toEqual(catalog);
    },
  );

  full.test(
    'is narrowed to a user in a nested stack by its logical id or its path, and to all of a nested stack',
    async () => {
      const { output } = await runAs(rehearsal, planner(), plan, changed.folder, '--json');
      const { stacks } = JSON.parse(output) as { stacks: StackPlan[] };
      const { logicalId } = stacks
        .flatMap(({ resources }) => resources)
        .find(({ name }) => name === 'Data/Team/Grace')!;
      for (const wanted of [logicalId, 'Data/Team/Grace', 'Shop/Data/Team/Grace']) {
        expect((await planned(changed.folder, '--only', wanted)).all.map(([, , name]) => name)).toEqual([
          'Data/Team/Grace',
        ]);
      }
      expect(
        (await planned(changed.folder, '--only', 'Shop/Data/Team')).all.map(([, , name]) => name),
      ).toEqual(['Data/Team/Grace', 'Data/Team/Leaver']);
    },
  );

  full.test('is what the deployment executes', async () => {
    const { all } = await planned(before.folder, '--parameter', 'Suffix=two');
    expect((await rehearsal.deploy(await renamed(), 'Shop')).reason).toBeUndefined();
    const names = (
      await server().sql<{ name: string }>("SELECT rolname::text AS name FROM pg_roles WHERE rolname LIKE 'member%'")
    ).map(({ name }) => name);
    expect([names, all.length]).toEqual([['member-two'], 1]);
    await expect(planned((await renamed()).folder)).resolves.toMatchObject({ nothingToDo: true, all: [] });
  });
});
