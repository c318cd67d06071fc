import { diagnose, Diagnosis } from '../../cli/doctor/diagnosis';
import { written } from '../../cli/doctor/doctor';
import { Observations } from '../../cli/doctor/observations';
import { observe, Secrets } from '../../cli/doctor/observe';
import { firstOf, FULL } from '../full';
import { Random } from '../lambda/random';
import { healthy } from './doctor-healthy';
import { Misconfiguration, MISCONFIGURATIONS } from './doctor-misconfigurations';
import { DoctorSite, READ_PERMISSIONS, Setup } from './doctor-site';

let site: DoctorSite;
beforeAll(async () => (site = await DoctorSite.start()));
afterAll(() => site.close());

/** What was written, for the last test of all. */
const outputs: string[] = [];
const secrets = new Set<string>();

async function examine(setup: Setup): Promise<Diagnosis> {
  const seen = await observe(site.circumstances(setup));
  remember(seen, setup);
  return diagnose(seen);
}

function remember(seen: Observations & Secrets, { credentials, password }: Setup): void {
  outputs.push(
    written(seen, { json: true, verbose: true }),
    written(seen, { json: false, verbose: true }, true),
    written(seen, { json: false, verbose: false }),
  );
  [
    password,
    credentials?.secretAccessKey,
    credentials?.sessionToken,
    credentials?.accessKeyId,
    ...seen.secrets,
  ].forEach(secret => secret && secrets.add(secret));
  site.server.refusals.length = 0;
}

/** Calls it with the set-up, and puts the site in order again. */
async function within<Result>(inject: (undo: (() => unknown)[]) => Promise<Result>): Promise<Result> {
  const undo: (() => unknown)[] = [];
  try {
    return await inject(undo);
  } finally {
    for (const each of undo.reverse()) {
      await each();
    }
  }
}

const accusations = ({ steps }: Diagnosis) => steps.filter(({ state }) => state === 'cause');

describe('a set-up without any fault', () => {
  test.each(firstOf(1, ['cluster', 'proxy', 'secrets'] as const))(
    'signs in through the %s, and each step is looked at',
    async (way) => {
      const { steps, cause, signedIn } = await examine(site.setup({ way }));
      expect({ steps: steps.filter(({ state }) => !['ok', 'skipped'].includes(state)), cause, signedIn }).toEqual({
        steps: [],
        cause: undefined,
        signedIn: true,
      });
    },
  );

  test('is accused of nothing, in many different forms', async () => {
    const random = new Random(1);
    for (let i = 0; i < (FULL ? 200 : 2); i++) {
      await within(async (undo) => {
        const { setup, isReachable, summary } = await healthy(site, random, undo);
        const diagnosis = await examine(setup);
        // Also not if a sign-in had not shown that all is well.
        const { steps: ofOthers } = diagnose({
          ...(await observe(site.circumstances(setup))),
          signIn: { outcome: 'not tried', reason: '' },
        });
        expect({
          i,
          summary,
          accused: [...accusations(diagnosis), ...ofOthers.filter(({ state }) => state === 'cause')],
          signedIn: diagnosis.signedIn,
        }).toEqual({ i, summary, accused: [], signedIn: isReachable });
      });
    }
  });

  test.each(firstOf(1, ['Bystander', undefined]))(
    'is not accused of what the credentials here lack, if its token is of others (%s)',
    async (role) => {
      const setup = site.setup();
      const password = site.token(setup);
      const credentials = role === undefined ? undefined : site.rehearsal.credentialsOf(site.resource(role));
      const network = site.network({ [`${setup.client.host}:${setup.client.port}`]: undefined as unknown as number });
      const { steps } = await examine({
        ...setup,
        password,
        credentials,
        network,
        client: { ...setup.client, inside: false },
      });
      const looked = steps
        .filter(({ step }) => step === 'credentials' || step === 'policy')
        .map(({ state, found }) => `${state}: ${found}`);
      const other = 'unknown: the token in PGPASSWORD was signed with other credentials than those that are here';
      expect({ accused: steps.filter(({ state }) => state === 'cause'), looked }).toEqual({
        accused: [],
        looked: [other, other],
      });
    },
  );
});

const kindOf = ({ name }: Misconfiguration) => name.split(':')[0];

/** In npm test one of each kind. */
const FAULTS = MISCONFIGURATIONS.filter(
  (fault, index, all) => FULL || all.findIndex(each => kindOf(each) === kindOf(fault)) === index,
);

describe('a set-up with one fault', () => {
  test.each(FAULTS)('is told its cause first: $name', async ({ cause, inject }) => {
    const { cause: found, signedIn } = await within(async undo => examine(await inject(site, undo)));
    expect({ cause: found?.cause, signedIn }).toEqual({ cause, signedIn: false });
    expect(found?.found).toMatch(/\w/);
    expect(found?.fix).toMatch(/\w/);
  });
});

/** What is true as well, where less is known: the sign-in itself tells no more. */
const COARSER: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^policy-/, ['policy-not-allowed']],
  [/^role-(missing|case|not-in-rds-iam)$/, ['not-asked-for-token']],
  [/^(proxy-grant|role-in-rds-iam)$/, ['proxy-login']],
  [/^endpoint-host$/, ['name']],
  [/^endpoint-port$/, ['route']],
];

const isTrueAsWell = (cause: string, found: string) =>
  COARSER.some(([pattern, others]) => pattern.test(cause) && others.includes(found));

describe('with fewer permissions', () => {
  const diagnoseWith = ({ inject }: Misconfiguration, permissions: readonly string[], random: Random) =>
    within(async (undo) => {
      const setup = await inject(site, undo);
      undo.push(
        site.changeStatements('Doctor', [
          { Effect: 'Allow', Action: [...permissions, 's3:ListBucket'], Resource: '*' },
        ]),
      );
      return examine({ ...setup, catalog: random.one([setup.catalog, site.closedCatalog, undefined]) });
    });

  test.each(firstOf(3, FAULTS))('no wrong cause is named: $name', async (misconfiguration) => {
    const random = new Random(MISCONFIGURATIONS.indexOf(misconfiguration) + 1);
    const turn = MISCONFIGURATIONS.indexOf(misconfiguration) % 3;
    const { cause } = misconfiguration;
    // In npm test one of them in turn.
    const allowed = [random.some(READ_PERMISSIONS), random.some(READ_PERMISSIONS, 0.8), []];
    for (const permissions of firstOf(1, [...allowed.slice(turn), ...allowed.slice(0, turn)])) {
      const found = await diagnoseWith(misconfiguration, permissions, random);
      const wrong
        = found.cause?.cause === undefined || found.cause.cause === cause || isTrueAsWell(cause, found.cause.cause)
          ? undefined
          : found.cause;
      expect({ permissions, wrong }).toEqual({ permissions, wrong: undefined });
    }
  });

  test('each step that could not be looked at says which permission it needs', async () => {
    await within(async (undo) => {
      undo.push(site.changeStatements('Doctor', [{ Effect: 'Allow', Action: 's3:ListBucket', Resource: '*' }]));
      const { steps, cause } = await examine({
        ...site.setup(),
        catalog: site.closedCatalog,
        network: { lookup: () => Promise.resolve(['10.0.0.7']), socket: () => site.network({}).socket() },
      });
      expect({
        cause,
        unknown: steps.filter(({ state }) => state === 'unknown').map(({ step, found }) => `${step}: ${found}`),
      }).toEqual({
        cause: undefined,
        unknown: [
          'endpoint: needs rds:DescribeDBClusters',
          'IAM sign-in: needs rds:DescribeDBClusters',
          'policy: needs the resource id: needs rds:DescribeDBClusters',
          'role: needs the resource id: needs rds:DescribeDBClusters',
          'CONNECT: needs the resource id: needs rds:DescribeDBClusters',
          'limits: needs the resource id: needs rds:DescribeDBClusters',
          'RDS log: needs rds:DescribeDBClusters',
          'throttling: needs rds:DescribeDBClusters',
        ],
      });
    });
  });
});

test('no output of any of these has a token, a secret, a signature or a pre-signed URL', () => {
  expect(outputs.length).toBeGreaterThan(FULL ? 1_000 : 40);
  expect(secrets.size).toBeGreaterThan(FULL ? 200 : 10);
  const leaking = outputs.filter(
    output =>
      /X-Amz-[\w-]+=|AWS4-HMAC|\bASIA[A-Z0-9]/.test(output) || [...secrets].some(secret => output.includes(secret)),
  );
  expect(leaking).toEqual([]);
});
