import { createHandler } from '../../lambda/iam-authentication/handler';
import { Observed } from '../../lambda/iam-authentication/observed';
import { Rds } from '../../lambda/iam-authentication/enable';
import { ProvisionError } from '../../lambda/shared/errors';
import { Event } from '../../lambda/shared/event';

const PROPERTIES = { ServiceToken: 'token', ServiceTimeout: '960', Kind: 'cluster', Identifier: 'shop' };
const CLUSTER: Observed = {
  kind: 'cluster', identifier: 'shop', resourceId: 'cluster-ABC', endpoint: { host: 'shop.example.com', port: '5432' },
  engine: 'aurora-postgresql', status: 'available', iamAuthentication: false, pending: [],
};
const INSTANCE: Observed = { ...CLUSTER, kind: 'instance', resourceId: 'db-ABC', engine: 'postgres' };
const ON = { iamAuthentication: true };
const ANSWER = {
  PhysicalResourceId: 'cluster-ABC',
  Data: { ResourceId: 'cluster-ABC', Host: 'shop.example.com', Port: '5432' },
};

/** RDS as it is described one time after the other; the last answer stays. */
function rdsThat(
  descriptions: Partial<Observed>[],
  { takes = [true], database = CLUSTER }: { takes?: boolean[]; database?: Observed } = {},
) {
  const calls: string[] = [];
  const rds: Rds = {
    describe: () => {
      calls.push('describe');
      return Promise.resolve({ ...database, ...descriptions.length > 1 ? descriptions.shift() : descriptions[0] });
    },
    enableIamAuthentication: () => {
      calls.push('modify');
      return Promise.resolve((takes.length > 1 ? takes.shift() : takes[0])!);
    },
  };
  return { rds, calls };
}

function run({ rds }: { rds: Rds }, fields: Partial<Event> = {}, seconds = 840, logGroupName?: string) {
  let now = 0;
  const lines: Record<string, unknown>[] = [];
  const handler = createHandler({
    rds,
    clock: {
      now: () => now,
      sleep: (milliseconds) => {
        now += milliseconds;
        return Promise.resolve();
      },
    },
    write: line => lines.push(JSON.parse(line) as Record<string, unknown>),
  });
  const event: Event = {
    RequestType: 'Create',
    RequestId: 'r',
    StackId: 'stack',
    LogicalResourceId: 'It',
    ResourceType: 'Custom::RdsIamAuthentication',
    ResourceProperties: PROPERTIES,
    ...fields,
  };
  return {
    answer: handler(event, {
      awsRequestId: 'a',
      functionName: 'a',
      logGroupName,
      getRemainingTimeInMillis: () => seconds * 1000 - now,
    }),
    lines,
    elapsed: () => now,
  };
}

const asked = (properties: object) => ({ ResourceProperties: { ...PROPERTIES, ...properties } });
const refused = async (
  descriptions: Partial<Observed>[],
  message: string,
  fields: Partial<Event> = {},
  options: Parameters<typeof rdsThat>[1] = {},
) => {
  const rds = rdsThat(descriptions, options);
  await expect(run(rds, fields).answer).rejects.toThrow(new ProvisionError(message));
  return rds.calls;
};

test('the reason of a failure names the log group', async () => {
  const { answer } = run(rdsThat([ON]), asked({ Kind: 'table' }), 840, 'Shop-Logs-1');
  await expect(answer).rejects.toThrow(/ \(log group: Shop-Logs-1\)$/);
});

describe('IAM authentication', () => {
  test('that is on is left alone, and the answer says which database it is and where', async () => {
    const rds = rdsThat([ON]);
    expect(await run(rds).answer).toEqual(ANSWER);
    expect(rds.calls).toEqual(['describe']);
  });

  test.each<[string, Partial<Observed>]>([
    ['other modifications are pending, which are none of our business then', { ...ON, pending: ['DBInstanceClass'] }],
    ['the database does something else', { ...ON, status: 'backing-up' }],
    ['the database is stopped', { ...ON, status: 'stopped' }],
  ])('that is on is left alone when %s', async (_, description) => {
    const rds = rdsThat([description]);
    await run(rds).answer;
    expect(rds.calls).toEqual(['describe']);
  });

  test.each(['Create', 'Update'] as const)('that is disabled is enabled by a %s and waited for', async (RequestType) => {
    const rds = rdsThat([{}, {}, { status: 'configuring-iam-database-auth' }, { ...ON, status: 'modifying' }, ON]);
    const { answer, lines } = run(rds, { RequestType });
    expect(await answer).toEqual(ANSWER);
    expect(rds.calls).toEqual(['describe', 'modify', 'describe', 'describe', 'describe', 'describe']);
    expect(
      lines.map(({ notice, waitFor, delayMs }) => [notice, ...(waitFor === undefined ? [] : [waitFor, delayMs])]),
    ).toEqual([
      ['started'],
      ['enabling'],
      ['waiting', 'IAM authentication to be on', 500],
      ['waiting', 'IAM authentication to be on', 1000],
      ['waiting', 'its status, which is configuring-iam-database-auth, to be available', 2000],
      ['waiting', 'its status, which is modifying, to be available', 4000],
      ['finished'],
    ]);
  });

  test('that is to be enabled in the maintenance window is enabled now', async () => {
    const rds = rdsThat([{ pendingIamAuthentication: true }, ON]);
    await run(rds).answer;
    expect(rds.calls).toEqual(['describe', 'modify', 'describe']);
  });

  test('that is to be disabled in the maintenance window stays enabled', async () => {
    const rds = rdsThat([{ ...ON, pendingIamAuthentication: false }, ON]);
    await run(rds).answer;
    expect(rds.calls).toEqual(['describe', 'modify', 'describe']);
  });

  test.each<[string, Partial<Observed>]>([
    ['the database is available', { status: 'backing-up' }],
    ['it has an endpoint', { endpoint: undefined }],
    ['what is under way is over', { pending: ['MasterUserPassword', 'PendingCloudwatchLogsExports'] }],
  ])('is enabled when %s', async (_, description) => {
    const rds = rdsThat([description, description, {}, ON]);
    expect(await run(rds).answer).toEqual(ANSWER);
    expect(rds.calls).toEqual(['describe', 'describe', 'describe', 'modify', 'describe']);
  });

  test('is asked for again when RDS takes no modification at the moment', async () => {
    const rds = rdsThat([{}, {}, ON], { takes: [false, true] });
    await run(rds).answer;
    expect(rds.calls).toEqual(['describe', 'modify', 'describe', 'modify', 'describe']);
  });

  test('is left as it is by a Delete, which asks nothing and reads nothing', async () => {
    const rds = rdsThat([]);
    const { answer } = run(rds, {
      RequestType: 'Delete',
      PhysicalResourceId: 'whatever',
      ResourceType: 'Custom::Other',
      ResourceProperties: {},
    });
    expect(await answer).toEqual({ PhysicalResourceId: 'whatever' });
    expect(rds.calls).toEqual([]);
  });
});

describe('is refused, and nothing is changed:', () => {
  test('other modifications that would be applied with it', async () => {
    expect(
      await refused(
        [{ pending: ['DBInstanceClass', 'EngineVersion', 'MasterUserPassword'] }],
        'other modifications of cluster "shop" are pending (DBInstanceClass, EngineVersion), and RDS would apply them at once together with IAM authentication, which may interrupt the database; '
        + 'let them be applied in the maintenance window, or take them back, and deploy again; or enable IAM authentication yourself at a time that suits',
      ),
    ).toEqual(['describe']);
  });

  test.each([
    'stopped',
    'failed',
    'deleting',
    'restore-error',
    'inaccessible-encryption-credentials',
    'incompatible-network',
  ])('the status %s', async (status) => {
    expect(
      await refused(
        [{ status }],
        `the status of cluster "shop" is ${status}, and IAM authentication is enabled while it is available; make it available, and deploy again`,
      ),
    ).toEqual(['describe']);
  });

  test.each<[Observed, string, string]>([
    [CLUSTER, 'aurora-mysql',
      'engine "aurora-mysql" of cluster "shop" is not supported, because users are created in the SQL of PostgreSQL; pass one with the engine aurora-postgresql or postgres'],
    [INSTANCE, 'aurora-postgresql',
      'engine "aurora-postgresql" of instance "shop" is not supported, because users are created in the SQL of PostgreSQL; pass one with the engine postgres'],
  ])('another engine', async (database, engine, message) => {
    expect(await refused([{ engine, ...ON }], message, {}, { database })).toEqual(['describe']);
  });

  test('a Multi-AZ cluster is not, nor an instance', async () => {
    for (const database of [{ ...CLUSTER, engine: 'postgres' }, INSTANCE]) {
      await run(rdsThat([ON], { database })).answer;
    }
  });

  test('a member of a cluster', async () => {
    expect(
      await refused(
        [{ cluster: 'shop-cluster', engine: 'aurora-postgresql' }],
        'instance "shop" is a member of cluster "shop-cluster", and IAM authentication is the cluster\'s; pass the cluster to an AuroraIamAuth',
        {},
        { database: INSTANCE },
      ),
    ).toEqual(['describe']);
  });

  test.each([
    ['ResourceId', 'cluster-XYZ', 'resource id "cluster-XYZ" is not the one of cluster "shop", which is "cluster-ABC"'],
    ['Host', 'other.example.com',
      'endpoint "other.example.com" is not the one of cluster "shop", which is "shop.example.com"'],
    ['Port', '5433', 'port "5433" is not the one of cluster "shop", which is "5432"'],
  ])('another %s than the app says', async (name, value, message) => {
    expect(
      await refused(
        [{}],
        `${message}, and users would be created in one database and sign in to another; correct it where the database is imported`,
        asked({ Expected: { [name]: value } }),
      ),
    ).toEqual(['describe']);
  });

  test('the same ones are not', async () => {
    expect(await run(rdsThat([ON]), asked({ Expected: ANSWER.Data, Reapply: 'today' })).answer).toEqual(ANSWER);
  });
});

describe('gives up', () => {
  test('10 seconds before its time is over, with what it waited for', async () => {
    const { answer, elapsed } = run(rdsThat([{}]), {}, 840);
    await expect(answer).rejects.toThrow(new ProvisionError(
      'cannot enable IAM authentication: after 826 s still waiting for IAM authentication to be on (cluster "shop"); '
      + 'look at the events of the database in the RDS console, and deploy again: what RDS was asked for goes on',
    ));
    expect(elapsed()).toBeLessThanOrEqual(830_000);
  });

  test('without having asked for anything', async () => {
    const calls = await refused(
      [{ status: 'upgrading' }],
      'cannot enable IAM authentication: after 826 s still waiting for its status, which is upgrading, to be available (cluster "shop"); look at the events of the database in the RDS console, and deploy again',
    );
    expect(calls).not.toContain('modify');
  });
});

describe('the door', () => {
  const SAME_VERSION = 'update the function and the resource to the same version of the library';
  test.each<[object, string]>([
    [{ Kind: 'proxy' }, `Kind "proxy" is not allowed: known are cluster, instance; ${SAME_VERSION}`],
    ...['*', 'sho?', 'Shop', 'arn:aws:rds:eu-west-1:111111111111:cluster:shop', '', '1shop'].map(
      (identifier): [object, string] => [
        { Identifier: identifier },
        `Identifier ${JSON.stringify(identifier)} is not allowed: an identifier has lower-case letters, digits and hyphens, as RDS keeps it; pass the identifier as aws rds describes it`,
      ],
    ),
    [{ Identifier: undefined }, 'Identifier that is missing is not allowed: it is not a string; pass a string'],
    [{ Extra: 'x' },
      'property "Extra" is not allowed: the resource has only ServiceToken, ServiceTimeout, Kind, Identifier, Expected, Reapply; remove it, or update the provisioner'],
    [{ Expected: { Name: 'x' } },
      'property "Name" is not allowed: Expected has only ResourceId, Host, Port; remove it, or update the provisioner'],
    [{ Expected: { Port: ['5432'] } }, 'Expected.Port ["5432"] is not allowed: it is not a string; pass a string'],
  ])('refuses %j', async (properties, message) => {
    expect(await refused([ON], message, asked(properties))).toEqual([]);
  });

  test('refuses another type of resource', async () => {
    await refused(
      [ON],
      `resource type "Custom::RdsIamUser" is not allowed: the function does not know it; ${SAME_VERSION}`,
      { ResourceType: 'Custom::RdsIamUser' },
    );
  });

  test('calls what it did not expect an internal error', async () => {
    const rds = {
      describe: () => Promise.reject(new Error('oops')),
      enableIamAuthentication: () => Promise.resolve(true),
    };
    const { answer, lines } = run({ rds });
    await expect(answer).rejects.toThrow(/^internal error: oops$/);
    expect(lines.at(-1)).toMatchObject({ notice: 'failed', reason: 'internal error: oops' });
  });
});
