import { CloudAssembly } from '../../rehearsal/cloudformation/cloud-assembly';
import { ResourceDefinition, ResourceState } from '../../rehearsal/cloudformation/template';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { signIn } from '../../rehearsal/sign-in';
import { firstOf, full } from '../full';
import { withFailing } from './app-run';
import { synthesized } from './synthesized';

const APP = 'test/rehearsal/fixtures/expiry-app.ts';

/** Far ahead, so that the template is the same whenever the test runs. */
const FIRST = '2095-01-31T12:00:00.000Z';
const LATER = '2095-03-31T12:00:00.000Z';
const PAST = '2026-01-31T12:00:00.000Z';

const HOUR = 3_600_000;

/** The clock goes on: what is to be before a time is long before it. */
const after = (time: string, milliseconds = 0) => new Date(Date.parse(time) + milliseconds);

/** The same app with other resources. */
async function changed(
  assembly: CloudAssembly,
  change: (resources: Record<string, ResourceDefinition>) => Record<string, ResourceDefinition>,
): Promise<CloudAssembly> {
  const stacks = assembly.stacks.map(each => ({
    ...each,
    template: { ...each.template, Resources: change(each.template.Resources) },
  }));
  return Promise.resolve(Object.create(assembly, { stacks: { value: stacks } }) as CloudAssembly);
}

describe('an app with a user whose access ends', () => {
  let rehearsal: Rehearsal;
  beforeEach(async () => rehearsal = await Rehearsal.start());
  afterEach(() => rehearsal.close());

  const resource = (type: string, id = ''): ResourceState =>
    rehearsal.resources('Shop').find(each => each.type === type && each.logicalId.startsWith(id))!;
  const can = async (username: 'auditor' | 'orders') => {
    const server = rehearsal.database(resource('AWS::RDS::DBCluster'));
    const role = resource('AWS::IAM::Role', username === 'orders' ? 'Orders' : 'Auditor');
    return (
      (await signIn(server, {
        username,
        database: 'shop',
        password: server.token('', username, { credentials: rehearsal.credentialsOf(role) }),
      })) === `signed in as ${username}`
    );
  };
  const deploy = async (context: Record<string, string>) =>
    (await rehearsal.deploy(await synthesized(APP, context), 'Shop')).status;
  const fired = async () =>
    (await rehearsal.runSchedules()).map(
      ({ refused, invocation }) => refused ?? invocation?.error?.message ?? 'invoked',
    );

  test('from its creation to its removal', async () => {
    expect(await deploy({ expiresAt: FIRST })).toBe('CREATE_COMPLETE');
    expect([await can('auditor'), await can('orders')]).toEqual([true, true]);
    rehearsal.setTime(after(FIRST, -HOUR));
    expect(await fired()).toEqual([]);
    expect(await can('auditor')).toBe(true);

    rehearsal.setTime(after(FIRST, 1_000));
    expect(await fired()).toEqual(['invoked']);
    expect([await can('auditor'), await can('orders')]).toEqual([false, true]);
    expect(await fired()).toEqual([]);

    expect(await rehearsal.destroy('Shop')).toMatchObject({ status: 'DELETE_COMPLETE' });
  });

  full.test('a membership ends by a schedule of its own, and stays so when it is deployed again', async () => {
    const isMember = async () =>
      (
        await rehearsal
          .database(resource('AWS::RDS::DBCluster'))
          .sql("SELECT pg_has_role('orders', 'clerks', 'MEMBER') AS is")
      )[0].is;
    expect(await deploy({ memberUntil: FIRST })).toBe('CREATE_COMPLETE');
    expect(await isMember()).toBe(true);
    rehearsal.setTime(after(FIRST, 1_000));
    expect(await fired()).toEqual(['invoked']);
    expect([await isMember(), await can('orders'), await can('auditor')]).toEqual([false, true, true]);
    expect(
      await rehearsal.deploy(await changed(await synthesized(APP, { memberUntil: FIRST }), withFailing(true)), 'Shop'),
    ).toMatchObject({ status: 'UPDATE_ROLLBACK_COMPLETE' });
    expect(await isMember()).toBe(false);
    expect(await deploy({ memberUntil: LATER })).toBe('UPDATE_COMPLETE');
    expect(await isMember()).toBe(true);
    expect(await rehearsal.destroy('Shop')).toMatchObject({ status: 'DELETE_COMPLETE' });
  });

  full.test('deployed again, rolled back, and with a later time', async () => {
    expect(await deploy({ expiresAt: FIRST })).toBe('CREATE_COMPLETE');
    rehearsal.setTime(after(FIRST));
    expect(await fired()).toEqual(['invoked']);
    const again = await changed(await synthesized(APP, { expiresAt: FIRST }), resources =>
      Object.fromEntries(
        Object.entries(resources).map(([id, definition]) => [
          id,
          definition.Type === 'Custom::RdsIamUser'
            ? { ...definition, Properties: { ...definition.Properties, Reapply: '1' } }
            : definition,
        ]),
      ),
    );
    expect(await rehearsal.deploy(again, 'Shop')).toMatchObject({ status: 'UPDATE_COMPLETE' });
    expect([await can('auditor'), await can('orders')]).toEqual([false, true]);
    const failing = await changed(await synthesized(APP, { expiresAt: LATER }), withFailing(true));
    expect(await rehearsal.deploy(failing, 'Shop')).toMatchObject({ status: 'UPDATE_ROLLBACK_COMPLETE' });
    expect([await can('auditor'), await can('orders')]).toEqual([false, true]);
    expect(await deploy({ expiresAt: LATER })).toBe('UPDATE_COMPLETE');
    expect(await can('auditor')).toBe(true);
    rehearsal.setTime(after(LATER, 30_000));
    expect(await fired()).toEqual(['invoked']);
    expect([await can('auditor'), await can('orders')]).toEqual([false, true]);
  });

  full.test('a template whose time has passed is deployed, for the first time as well', async () => {
    expect(await deploy({ expiresAt: PAST })).toBe('CREATE_COMPLETE');
    expect([await can('auditor'), await can('orders')]).toEqual([false, true]);
    expect(await fired()).toEqual([]);
    expect(await deploy({})).toBe('UPDATE_COMPLETE');
    expect(await can('auditor')).toBe(true);
    expect(await deploy({ expiresAt: PAST })).toBe('UPDATE_COMPLETE');
    expect(await can('auditor')).toBe(false);
  });

  full.test('a cluster that is restored from a snapshot of before', async () => {
    expect(await deploy({ expiresAt: FIRST })).toBe('CREATE_COMPLETE');
    await rehearsal.createSnapshot(resource('AWS::RDS::DBCluster'), 'yesterday');
    rehearsal.setTime(after(FIRST));
    expect(await deploy({ expiresAt: FIRST, snapshot: 'yesterday' })).toBe('UPDATE_COMPLETE');
    expect([await can('auditor'), await can('orders')]).toEqual([false, true]);
  });

  full.test('a schedule whose role may not have been assumed, or may not invoke, calls nothing', async () => {
    const assembly = await synthesized(APP, { expiresAt: FIRST });
    const withRole = (id: string, edit: (text: string) => string) =>
      changed(assembly, resources =>
        Object.fromEntries(
          Object.entries(resources).map(([logicalId, definition]) => [
            logicalId,
            logicalId.includes(id) ? (JSON.parse(edit(JSON.stringify(definition))) as ResourceDefinition) : definition,
          ]),
        ),
      );
    const untrusted = await withRole('ExpiryRole', text =>
      text.replace('"aws:SourceAccount":{"Ref":"AWS::AccountId"}', '"aws:SourceAccount":"999999999999"'),
    );
    expect((await rehearsal.deploy(untrusted, 'Shop')).reason).toContain(
      'The execution role you provide must allow AWS EventBridge Scheduler to assume the role',
    );
    const powerless = await withRole('ExpiryRolePolicy', text =>
      text.replace('lambda:InvokeFunction', 'lambda:GetFunction'),
    );
    expect(await rehearsal.deploy(powerless, 'Shop')).toMatchObject({ status: 'CREATE_COMPLETE' });
    rehearsal.setTime(after(FIRST));
    expect(await fired()).toEqual([
      expect.stringMatching(/may not lambda:InvokeFunction on arn:aws:lambda:\S+:expiry$/),
    ]);
    expect(await can('auditor')).toBe(true);
  });
});

test.each(firstOf(1, ['refused', 'accepted'] as const))(
  'a one-time schedule in the past, if that is %s',
  async (pastSchedules) => {
    const rehearsal = await Rehearsal.start({ pastSchedules });
    try {
      const trust = {
        Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'scheduler.amazonaws.com' } }],
      };
      const schedule = {
        ScheduleExpression: 'at(2026-01-31T12:00:00)',
        Target: {
          Arn: 'arn:aws:lambda:eu-central-1:111122223333:function:none',
          RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] },
        },
      };
      const template = {
        Resources: {
          Role: { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: trust } },
          Once: { Type: 'AWS::Scheduler::Schedule', Properties: schedule },
        },
      };
      const assembly = {
        stacks: [{ id: 'Old', name: 'Old', template, nested: {} }],
        assets: new Map(),
      } as unknown as CloudAssembly;
      const { status, reason } = await rehearsal.deploy(assembly, 'Old');
      expect([status, reason]).toEqual(
        pastSchedules === 'accepted'
          ? ['CREATE_COMPLETE', undefined]
          : [
              'ROLLBACK_COMPLETE',
              'Once (AWS::Scheduler::Schedule): Invalid Schedule Expression at(2026-01-31T12:00:00): its time has passed (ValidationException)',
            ],
      );
      expect((await rehearsal.runSchedules()).map(({ refused }) => refused)).toEqual(
        pastSchedules === 'accepted' ? [expect.stringContaining('may not lambda:InvokeFunction on')] : [],
      );
    } finally {
      await rehearsal.close();
    }
  },
);
