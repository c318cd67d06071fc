import { setTimeout } from 'node:timers/promises';
import { NOT_CREATED } from '../../lambda/shared/answering';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { CloudAssembly } from '../../rehearsal/cloudformation/cloud-assembly';
import { StackEvent, StackResult } from '../../rehearsal/cloudformation/stack';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { signIn } from '../../rehearsal/sign-in';
import { full } from '../full';
import { synthesized } from './synthesized';

const APP = 'test/rehearsal/fixtures/transport-app.ts';

describe('through the Data API, without a provider framework', () => {
  const events: StackEvent[] = [];
  let rehearsal: Rehearsal;
  beforeEach(async () => {
    events.length = 0;
    rehearsal = await Rehearsal.start({ onEvent: event => void events.push(event) });
  });
  afterEach(() => rehearsal.close());

  const server = (): AuroraLikeServer =>
    rehearsal.database(rehearsal.resources('Shop').find(({ type }) => type === 'AWS::RDS::DBCluster')!);
  const roles = async () =>
    Object.fromEntries(
      (
        await server().sql<{ name: string; oid: number }>(
          "SELECT rolname::text AS name, oid::int FROM pg_roles WHERE rolname !~ '^(pg_|rds)' AND rolname <> $1 ORDER BY 1",
          [server().master.username],
        )
      ).map(({ name, oid }) => [name, oid]),
    );
  const deploy = async (
    context: Record<string, string> = {},
    change = (assembly: CloudAssembly) => assembly,
  ): Promise<StackResult> => {
    rehearsal.logs.length = 0;
    events.length = 0;
    return rehearsal.deploy(change(await synthesized(APP, { transport: 'dataApi', ...context })), 'Shop');
  };
  const logged = () =>
    rehearsal.logs
      .flatMap(({ text }) => text.split('\n'))
      .filter(line => line.startsWith('{'))
      .map(
        line =>
          JSON.parse(line) as {
            notice: string;
            logicalId?: string;
            physicalId?: string;
            status?: string;
            reason?: string;
          },
      );
  const noticesOf = (logicalId: RegExp) =>
    logged()
      .filter(line => logicalId.test(line.logicalId ?? ''))
      .map(({ notice, status }) => (status === undefined ? notice : `${notice} ${status}`));
  /** A function ends a moment after CloudFormation has got its answer. */
  const answered = async (logicalId: RegExp, times: number) => {
    while (noticesOf(logicalId).filter(notice => notice.startsWith('answered')).length < times) {
      await setTimeout(10);
    }
  };
  const signInAs = (username: string) => {
    const service = rehearsal
      .resources('Shop')
      .find(({ type, logicalId }) => type === 'AWS::IAM::Role' && logicalId.startsWith('Service'))!;
    return signIn(server(), {
      username,
      database: 'shop',
      password: server().token('', username, { credentials: rehearsal.credentialsOf(service) }),
    });
  };
  const functions = () =>
    rehearsal
      .resources('Shop')
      .filter(({ type }) => type === 'AWS::Lambda::Function')
      .map(({ properties }) => properties.Handler);

  test('creates users, renames one, and removes them', async () => {
    expect(await deploy()).toMatchObject({ status: 'CREATE_COMPLETE' });
    expect(functions()).toEqual(['index.customResource']);
    expect(rehearsal.logs.map(({ text }) => text).join('\n')).not.toMatch(
      /X-Amz|cloudformation-custom-resource-response/,
    );
    expect(await signInAs('orders')).toBe('signed in as orders');
    const { orders, sales } = await roles();

    expect(await deploy({ sales: 'shop sales' })).toMatchObject({ status: 'UPDATE_COMPLETE' });
    expect(await roles()).toEqual({ orders, 'shop sales': sales });
    // The Delete of the former physical id removes nothing.
    await answered(/^Sales/, 2);
    expect(noticesOf(/^Sales/).filter(notice => notice !== 'changing')).toEqual([
      'started',
      'finished',
      'answered SUCCESS',
      'started',
      'nothing to remove',
      'finished',
      'answered SUCCESS',
    ]);
    expect(await signInAs('shop sales')).toBe('signed in as shop sales');

    expect(await rehearsal.destroy('Shop')).toMatchObject({ status: 'DELETE_COMPLETE' });
  });

  full.test(
    'leaves a role alone that was there before: the creation fails, and its Delete has nothing to do',
    async () => {
      expect(await deploy()).toMatchObject({ status: 'CREATE_COMPLETE' });
      await server().sql('CREATE ROLE legacy LOGIN');
      const before = await roles();
      const { status, reason } = await deploy({ more: 'legacy' });
      expect(status).toBe('UPDATE_ROLLBACK_COMPLETE');
      expect(reason).toMatch(
        /IamAuthlegacyDataApiResource\w+ \(Custom::RdsIamUser\): role "legacy" exists already and was not created by this library/,
      );
      expect(await roles()).toEqual(before);
      await answered(/legacy/, 2);
      expect(noticesOf(/legacy/)).toEqual(['started', 'failed', 'answered FAILED', 'answered SUCCESS']);
      expect(
        logged()
          .filter(({ notice, logicalId }) => notice === 'answered' && /legacy/.test(logicalId ?? ''))
          .map(({ physicalId }) => physicalId),
      ).toEqual([NOT_CREATED, NOT_CREATED]);
      expect(await server().sql("SELECT rolcanlogin AS login FROM pg_roles WHERE rolname = 'legacy'")).toEqual([
        { login: true },
      ]);
    },
  );

  full.test('rolls back where the database cannot be used at all', async () => {
    const withoutSecret = (assembly: CloudAssembly) => {
      const stacks = JSON.parse(
        JSON.stringify(assembly.stacks).replace(
          /"ADMIN_SECRET_ARN":\{"Ref":"\w+"\}/,
          '"ADMIN_SECRET_ARN":"arn:aws:secretsmanager:eu-central-1:111122223333:secret:none-abcdef"',
        ),
      ) as CloudAssembly['stacks'];
      return Object.create(assembly, { stacks: { value: stacks } }) as CloudAssembly;
    };
    const { status, reason } = await deploy({}, withoutSecret);
    expect(status).toBe('ROLLBACK_COMPLETE');
    expect(reason).toMatch(/^(IamAuthorders|Sales)\w+ \(Custom::RdsIamUser\): cannot use the Data API/);
    expect(rehearsal.resources('Shop')).toEqual([]);
  });

  full.test('takes users over from a connection, gives them back, and they stay who they are', async () => {
    expect(await deploy({ transport: 'connection' })).toMatchObject({ status: 'CREATE_COMPLETE' });
    expect(functions().sort()).toEqual(['framework.onEvent', 'index.handler']);
    const before = await roles();
    for (const [transport, handlers] of [
      ['dataApi', ['index.customResource']],
      ['connection', ['framework.onEvent', 'index.handler']],
    ] as const) {
      expect(await deploy({ transport })).toMatchObject({ status: 'UPDATE_COMPLETE' });
      expect(functions().sort()).toEqual(handlers);
      expect(await roles()).toEqual(before);
      expect(await signInAs('orders')).toBe('signed in as orders');
      expect(logged().map(({ notice }) => notice)).not.toContain('failed');
    }
    // One that fails on the way is taken back, and so is everything else.
    await server().sql('CREATE ROLE legacy');
    expect(await deploy({ more: 'legacy' })).toMatchObject({ status: 'UPDATE_ROLLBACK_COMPLETE' });
    expect(functions().sort()).toEqual(['framework.onEvent', 'index.handler']);
    expect(await signInAs('sales')).toBe('signed in as sales');
    expect(await deploy({ transport: 'connection' })).toMatchObject({ status: 'UPDATE_COMPLETE' });
  });
});
