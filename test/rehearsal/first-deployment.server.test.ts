import { FirstDeployment } from '../../integ-tests/first-deployment/first-deployment';
import { parseAnswers, readUnknowns, record, renderUnknowns } from '../../scripts/unknowns';
import { full } from '../full';
import { RehearsedAccount } from './rehearsed-account';

const IDS = readUnknowns()
  .filter(({ kit }) => kit)
  .map(({ id }) => id);

interface Line {
  readonly id?: string;
  readonly outcome?: string;
  readonly seen?: string;
  readonly fact?: string;
  readonly value?: unknown;
}

interface Answers {
  readonly lines: Line[];
  readonly outcomes: Record<string, string>;
  readonly isComplete: boolean;
}

async function ask(account: RehearsedAccount): Promise<Answers> {
  const lines: Line[] = [];
  const isComplete = await new FirstDeployment({
    account,
    engineVersion: '17.7',
    ids: IDS,
    report: line => lines.push(line),
  }).run();
  return {
    lines,
    isComplete,
    outcomes: Object.fromEntries(lines.flatMap(({ id, outcome }) => (id === undefined ? [] : [[id, outcome!]]))),
  };
}

const factOf = ({ lines }: Answers, fact: string) => lines.find(line => line.fact === fact)?.value;
const seenOf = ({ lines }: Answers, id: string) => lines.find(line => line.id === id)!.seen;

/** All of them the same. */
const each = (outcome: string, ids: string[]) => Object.fromEntries(ids.map(id => [id, outcome]));

/** Those that an account outside of China and GovCloud does not answer. */
const NOT_HERE = { 'rds-db-partitions': 'not decided' };

let account: RehearsedAccount;
afterEach(() => account.rehearsal.close());

describe('the first deployment', () => {
  full.test(
    "has its questions answered by PostgreSQL's own rules, and the answers become part of the ledger",
    async () => {
      account = await RehearsedAccount.start({ roleRules: 'plain' });
      account.beforeSignIn = () => (account.server.authorize = withoutConditions(account));
      const answers = await ask(account);
      expect(factOf(answers, 'ended early')).toBeUndefined();
      expect(answers.isComplete).toBe(true);
      expect(answers.outcomes).toEqual({
        ...each('yes', IDS),
        ...NOT_HERE,
        ...each('no', [
          'master-grants-rds-iam',
          'rds-iam-grantor',
          'admin-only-membership',
          'data-api-names-with-colon',
        ]),
      });
      expect(seenOf(answers, 'log-group-in-reason')).toMatch(
        /^cannot sign in to database "nowhere" .* \(log group: FirstDeployment-IamAuthProvisionerLogs/,
      );
      expect(factOf(answers, 'orders writes no more')).toMatch(/^permission denied for table t /);
      expect(factOf(answers, 'probe_admin grants rds_iam')).toMatch(/^permission denied to grant role "rds_iam"/);
      expect(factOf(answers, 'deletion')).toMatchObject({ status: 'DELETE_COMPLETE' });
      const doctor = factOf(answers, 'doctor') as { cause?: string; steps: string[] };
      expect(doctor.cause).toBeUndefined();
      expect(doctor.steps).toContainEqual(
        expect.stringMatching(/^ok credentials: arn:aws:sts::111122223333:assumed-role\/FirstDeployment-Orders/),
      );

      const file = [{ date: '2026-12-01', region: account.region, engineVersion: '17.7' }, ...answers.lines]
        .map(line => JSON.stringify(line))
        .join('\n');
      const page = renderUnknowns(record(readUnknowns(), parseAnswers(file)));
      expect(page).toContain('| kit | yes, as expected |');
      expect(page).toContain('| kit | no, **not as expected** |');
      expect(page).toMatch(/- Answer of 2026-12-01, eu-central-1, 17.7: \*\*no\*\*. `\{"role":"rds_iam"/);
    },
  );

  full.test('has its questions answered the other way, and is deleted', async () => {
    account = await RehearsedAccount.start({ roleRules: 'rdsLike' });
    fallTheOtherWay(account);
    const answers = await ask(account);
    expect(factOf(answers, 'ended early')).toBeUndefined();
    expect(answers.isComplete).toBe(true);
    expect(answers.outcomes).toEqual({
      ...each('no', IDS),
      ...NOT_HERE,
      // These would have ended it: see below.
      ...each('yes', ['nodejs-runtime', 'runtime-certificates']),
      ...each('yes', [
        'master-grants-rds-iam',
        'rds-iam-grantor',
        'admin-only-membership',
        'data-api-names-with-colon',
      ]),
    });
    expect(account.deployments.map(({ changed, users, broken }) => ({ changed, users, broken }))).toEqual([
      {},
      {},
      { changed: 'true', users: '12' },
      { changed: 'true' },
      { changed: 'false', broken: 'true' },
    ]);
    expect(factOf(answers, 'deletion')).toMatchObject({ status: 'DELETE_COMPLETE' });
  });

  full.test('asks about ARNs in another partition, and nothing of a Data API that is not there', async () => {
    account = await RehearsedAccount.start({ region: 'cn-north-1' });
    account.beforeSignIn = ({ sql }) => {
      if (sql.includes('managed_role')) {
        throw new Error('Rate exceeded');
      }
    };
    const answers = await ask(account);
    expect(answers.outcomes).toMatchObject({
      'rds-db-partitions': 'yes',
      ...each('not decided', ['data-api-names-with-colon', 'data-api-error-texts', 'iam-authentication-time']),
    });
    expect(account.deployments[0]).toEqual({ engineVersion: '17.7', dataApi: 'false' });
    expect(answers.isComplete).toBe(false);
    expect(factOf(answers, 'ended early')).toBe('Rate exceeded');
    expect(factOf(answers, 'deletion')).toMatchObject({ status: 'DELETE_COMPLETE' });
  });

  full.test('asks no more where no user may sign in, for no refusal would say anything then', async () => {
    account = await RehearsedAccount.start({ region: 'cn-north-1' });
    account.beforeSignIn = () => (account.server.authorize = () => false);
    const answers = await ask(account);
    expect(answers.outcomes).toEqual({
      ...each('not decided', IDS),
      ...each('yes', ['function-in-vpc', 'nodejs-runtime', 'runtime-certificates', 'function-deletion-time']),
      'rds-db-partitions': 'no',
    });
    expect(answers.isComplete).toBe(false);
  });

  test.each([
    [
      'nodejs-runtime',
      'no',
      "Value nodejs24.x at 'runtime' failed to satisfy constraint: Member must satisfy enum value set",
    ],
    [
      'runtime-certificates',
      'no',
      "cannot connect to shop.cluster-x.eu-central-1.rds.amazonaws.com:5432: the server's certificate is not of an authority",
    ],
    [
      'admin-only-membership',
      'yes',
      'cannot sign in to shop.cluster-x.eu-central-1.rds.amazonaws.com:5432: the server asks for its password in clear text',
    ],
    [undefined, undefined, 'Something else'],
  ])('that fails answers %s with %s, and leaves the stack as it is', async (id, outcome, reason) => {
    account = await RehearsedAccount.start();
    account.failures.push({ status: 'CREATE_FAILED', reason });
    const answers = await ask(account);
    expect(answers.outcomes).toEqual({ ...each('not decided', IDS), ...(id === undefined ? {} : { [id]: outcome }) });
    expect(answers.isComplete).toBe(false);
    expect(factOf(answers, 'failure of first deployment')).toEqual({
      LogicalResourceId: 'Something',
      ResourceStatusReason: reason,
    });
    expect(answers.lines.filter(({ fact }) => fact === 'deletion')).toEqual([]);
  });

  test.each([
    [
      'freetier get-account-plan-state',
      { accountPlanType: 'FREE' },
      'the account has the free plan, in which RDS creates Aurora clusters with express configuration only; upgrade the plan, and run again',
    ],
    [
      'rds describe-db-engine-versions',
      { DBEngineVersions: [{ EngineVersion: '17.9' }] },
      'Aurora PostgreSQL 17.7 is not on offer in eu-central-1; run again with --engine-version and one of 17.9',
    ],
  ])('is not begun where "%s" says that it would fail', async (command, answer, message) => {
    account = await RehearsedAccount.start();
    account.answers.set(command, () => answer);
    await expect(ask(account)).rejects.toThrow(message);
    expect(account.deployments).toEqual([]);
  });
});

/** As AWS says it is: a statement with a condition lets no identity sign in. */
function withoutConditions({ rehearsal, server }: RehearsedAccount): (principal: string, username: string) => boolean {
  return (principal, username) =>
    !principal.includes('Conditional')
    && rehearsal.allows(
      principal,
      'rds-db:connect',
      `arn:aws:rds-db:eu-central-1:111122223333:dbuser:${server.resourceId}/${username}`,
    );
}

/**
 * Answers to each question what is not so by PostgreSQL's own rules. Where the server can be made so, it is; the rest
 * is made up.
 */
function fallTheOtherWay(account: RehearsedAccount): void {
  account.failures.push(
    {
      status: 'CREATE_FAILED',
      reason: 'The provided execution role does not have permissions to call CreateNetworkInterface on EC2',
    },
    undefined,
    { status: 'UPDATE_ROLLBACK_COMPLETE', reason: 'Rate Exceeded. (TooManyRequestsException)' },
  );
  const allowed = ['Migrator as migrator', 'Orders as orders', 'Conditional as orders'];
  account.beforeSignIn = async ({ user, sql }) => {
    account.server.authorize = (principal, username) =>
      allowed.some(each => each === `${/-(\w+?)[0-9A-F]{8}/.exec(principal)?.[1]} as ${username}`);
    if (user === 'probe_admin' && sql.includes('current_user')) {
      // As if the login counted the membership that it has.
      await account.server.sql('GRANT probe_user TO probe_admin WITH INHERIT TRUE');
    }
  };
  account.afterDeployment = async (number) => {
    if (number === 2) {
      await account.server.sql("UPDATE cdk_aurora_iam_auth.managed_role SET declarations = declarations - 'sent'");
      await account.server.sql('ALTER SCHEMA public OWNER TO postgres', undefined, 'shop');
    }
    if (number === 5) {
      await account.server.sql('REVOKE SELECT ON t FROM orders', undefined, 'shop');
    }
  };
  account.answers.set('rds-data execute-statement', ({ '--sql': sql }) => {
    if (sql?.includes('a:b')) {
      return {};
    }
    throw new Error(
      'An error occurred (BadRequestException) when calling the ExecuteStatement operation: Error code 42601',
    );
  });
  account.answers.set('logs describe-log-groups', () => ({ logGroups: [{ logGroupName: 'another' }] }));
  account.answers.set('rds describe-db-clusters', () => ({
    DBClusters: [{ Status: 'available', IAMDatabaseAuthenticationEnabled: false }],
  }));
  account.deletionMs = 41 * 60_000;
}
