import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CloudAssembly } from '../../rehearsal/cloudformation/cloud-assembly';
import { ResourceState } from '../../rehearsal/cloudformation/template';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { firstOf, full } from '../full';
import { synthesized } from '../rehearsal/synthesized';
import { READ_PERMISSIONS } from './doctor-site';
import { packedCli } from './packed-cli';

const ROOT = resolve(__dirname, '../..');
const APP = 'test/rehearsal/fixtures/doctor-app.ts';
const STACK = 'Shop';
const USER = 'mario.rossi@example.com';

let cli: string;
let rehearsal: Rehearsal;
let assembly: CloudAssembly;
let secrets: string[];

const resource = (type: string, start = '') =>
  rehearsal.resources(STACK).find(state => state.type === type && state.logicalId.startsWith(start))!;
const server = () => rehearsal.database(resource('AWS::RDS::DBCluster'));
const operator = () => resource('AWS::IAM::Role', 'Operator');

/** The policy with the grants of a role. */
function policyOf(role: ResourceState): { Statement: object[] } {
  const state = rehearsal
    .resources(STACK)
    .find(
      ({ type, properties }) => type === 'AWS::IAM::Policy' && (properties.Roles as string[]).includes(role.physicalId),
    )!;
  return state.properties.PolicyDocument as { Statement: object[] };
}

beforeAll(async () => {
  cli = await packedCli();
  rehearsal = await Rehearsal.start();
  assembly = await synthesized(APP);
  const { reason } = await rehearsal.deploy(assembly, STACK);
  expect(reason).toBeUndefined();
  policyOf(operator()).Statement.push({
    Effect: 'Allow',
    Action: [...READ_PERMISSIONS, 'cloudformation:DescribeStackResource'],
    Resource: '*',
  }, {
    Effect: 'Allow',
    Action: ['cloudformation:DescribeStackResources', 'cloudformation:GetTemplate'],
    Resource: `arn:aws:cloudformation:eu-central-1:111122223333:stack/${STACK}/*`,
  });
});
afterAll(() => rehearsal.close());

interface Run {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** @param isInside whether the database can be reached */
async function doctor(
  args: string[],
  { isInside = true, env = {} }: { isInside?: boolean; env?: Record<string, string> } = {},
): Promise<Run> {
  const { accessKeyId, secretAccessKey, sessionToken } = rehearsal.credentialsOf(operator());
  secrets = [accessKeyId, secretAccessKey, sessionToken];
  const { host, port, gatewayPort } = server();
  const child = spawn(
    process.execPath,
    ['--require', join(__dirname, 'named-network.cjs'), cli, 'doctor', ...args],
    {
      cwd: ROOT,
      env: {
        PATH: process.env.PATH,
        AWS_ENDPOINT_URL: rehearsal.awsEndpoint.url,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_SESSION_TOKEN: sessionToken,
        AWS_REGION: 'eu-central-1',
        PGSSLROOTCERT: rehearsal.caFiles.database,
        NAMED_NETWORK: JSON.stringify({ [`${host}:${port}`]: isInside ? gatewayPort : null }),
        NODE_NO_WARNINGS: '1',
        ...env,
      },
    },
  );
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output, errors };
}

const ofClient = () => ({
  PGHOST: server().host,
  PGPORT: `${server().port}`,
  PGUSER: USER,
  PGDATABASE: 'shop',
  PGSSLMODE: 'verify-full',
});

/** With the names of docs/doctor.md in place of those that are made anew each time. */
function asDocumented(output: string): string {
  const { physicalId } = resource('AWS::RDS::DBCluster');
  return output
    .replaceAll(server().host, 'shop.cluster-c9akciq32rgm.eu-central-1.rds.amazonaws.com')
    .replaceAll(server().resourceId, 'cluster-ABCDEFGHIJKL01234')
    .replaceAll(physicalId, 'shop')
    .replaceAll(operator().physicalId, 'Operator')
    .replaceAll('/rehearsal', '/session')
    .replaceAll(rehearsal.caFiles.database, '/etc/rds.pem')
    .replaceAll('Rehearsal of Amazon RDS', 'Amazon RDS eu-central-1 Root CA RSA2048 G1')
    .trim();
}

/** The example sessions of the page: what stands after each command. */
function sessions(): { readonly command: string; readonly output: string }[] {
  const page = readFileSync(join(ROOT, 'docs/doctor.md'), 'utf8');
  return [...page.matchAll(/```console\n\$ (.+)\n([\s\S]*?)\n```/g)].map(([, command, output]) => ({
    command,
    output: output.trim(),
  }));
}

/** Puts another statement in place of that with an action; another resource of it, or none of it. */
async function withStatement<Result>(action: string, Resource: string, run: () => Promise<Result>): Promise<Result> {
  const { Statement } = policyOf(operator()) as { Statement: { Action: string }[] };
  const index = Statement.findIndex(({ Action }) => Action === action);
  expect(index).not.toBe(-1);
  const before = Statement[index];
  Statement[index] = { ...before, Resource } as { Action: string };
  try {
    return await run();
  } finally {
    Statement[index] = before;
  }
}

describe('doctor', () => {
  test('of a user of an app, from outside of the network: the first session of docs/doctor.md', async () => {
    const { code, output, errors } = await doctor([USER, '--app', assembly.folder], { isInside: false });
    expect({ code, errors, output: asDocumented(output) }).toEqual({
      code: 1,
      errors: '',
      output: sessions()[0].output,
    });
    expect(sessions()[0].command).toBe(`npx cdk-aurora-iam-auth-cli doctor ${USER}`);
  });

  test('--env where the client runs, with one fault: the second session of docs/doctor.md', async () => {
    const { code, output, errors } = await withStatement(
      'rds-db:connect',
      `arn:aws:rds-db:eu-central-1:111122223333:dbuser:shop/${USER}`,
      () => doctor(['--env', '--inside', '--app', assembly.folder], { env: ofClient() }),
    );
    expect({ code, errors, output: asDocumented(output) }).toEqual({
      code: 1,
      errors: '',
      output: sessions()[1].output,
    });
    expect(sessions()[1].command).toBe('npx cdk-aurora-iam-auth-cli doctor --env --inside');
  });

  /** What is wrong in the database; how it is put in order again; and the cause. */
  const FAULTS: readonly (readonly [fault: string, repair: string, cause: string])[] = [
    [`ALTER ROLE "${USER}" RENAME TO "Mario"`, `ALTER ROLE "Mario" RENAME TO "${USER}"`,
      `role: there is no role ${USER} in the database`],
    [
      'REVOKE CONNECT ON DATABASE shop FROM PUBLIC; REVOKE CONNECT ON DATABASE shop FROM "mario.rossi@example.com"',
      'GRANT CONNECT ON DATABASE shop TO PUBLIC; GRANT CONNECT ON DATABASE shop TO "mario.rossi@example.com"',
      `CONNECT: role ${USER} has no CONNECT on database shop`,
    ],
    [
      `ALTER ROLE "${USER}" RENAME TO "Mario.Rossi@example.com"`,
      `ALTER ROLE "Mario.Rossi@example.com" RENAME TO "${USER}"`,
      `role: there is no role ${USER}, and there is Mario.Rossi@example.com: names are case-sensitive`,
    ],
    [
      `REVOKE rds_iam FROM "${USER}" GRANTED BY postgres`, // the master has granted it
      `SET ROLE postgres; GRANT rds_iam TO "${USER}"; RESET ROLE`,
      `role: role ${USER} is not in rds_iam, so that the database asks it for a password`,
    ],
    [`ALTER ROLE "${USER}" NOLOGIN`, `ALTER ROLE "${USER}" LOGIN`, `role: role ${USER} has no LOGIN`],
    [
      `GRANT rds_ad TO "${USER}"`,
      `REVOKE rds_ad FROM "${USER}"`,
      `role: role ${USER} is in rds_iam and in rds_ad, and RDS takes one of them alone`,
    ],
    [
      `ALTER ROLE "${USER}" CONNECTION LIMIT 0`,
      `ALTER ROLE "${USER}" CONNECTION LIMIT -1`,
      `limits: role ${USER} has 0 connections, and its limit is 0`,
    ],
    [
      'ALTER DATABASE shop CONNECTION LIMIT 0',
      'ALTER DATABASE shop CONNECTION LIMIT -1',
      'limits: database shop has 0 connections, and its limit is 0',
    ],
    [
      'ALTER DATABASE shop ALLOW_CONNECTIONS false',
      'ALTER DATABASE shop ALLOW_CONNECTIONS true',
      'CONNECT: database shop allows no connections',
    ],
  ];

  test.each(firstOf(1, FAULTS))(
    'names it from outside of the network, through the provisioner: %s',
    async (fault, repair, cause) => {
      await server().sql(fault, undefined, 'postgres');
      try {
        const { code, output, errors } = await doctor([USER, '--app', assembly.folder, '--json'], { isInside: false });
        const { steps, cause: first } = JSON.parse(output) as {
          steps: { step: string; state: string; found: string }[];
          cause: string;
        };
        const causes = steps.filter(({ state }) => state === 'cause').map(({ step, found }) => `${step}: ${found}`);
        expect({ code, errors, causes, first }).toEqual({
          code: 1,
          errors: '',
          causes: [cause],
          first: expect.any(String) as string,
        });
      } finally {
        await server().sql(repair, undefined, 'postgres');
      }
    },
  );

  /** What the three steps say that look into the catalog. */
  const stepsOfCatalog = (output: string) =>
    output.split('\n').filter(line => /^\w+ +(role|CONNECT|limits) /.test(line)).map(line => line.replace(/ +/g, ' '));

  full.test(
    '--env without an app finds the provisioner in the stack that has made the database, or in the one that is named',
    async () => {
      const ok = [
        `ok role ${USER} is there, with LOGIN and in rds_iam`,
        'ok CONNECT on database shop',
        expect.stringMatching(/^ok limits connections of the role: 0, no limit/) as string,
      ];
      const unknown = (reason: string) => ['role', 'CONNECT', 'limits'].map(step => `unknown ${step} ${reason}`);
      for (const [args, steps] of [
        [[], ok],
        [['--stack', STACK], ok],
        [['--stack', 'Other'], unknown('needs cloudformation:GetTemplate')],
      ] as const) {
        const { errors, output } = await doctor(['--env', ...args], { isInside: false, env: ofClient() });
        expect({ errors, steps: stepsOfCatalog(output) }).toEqual({ errors: '', steps });
      }
    },
  );

  full.test('without lambda:InvokeFunction, these steps say so and name what grants it', async () => {
    const { code, output, errors } = await withStatement(
      'lambda:InvokeFunction',
      'arn:aws:lambda:eu-central-1:111122223333:function:other',
      () => doctor([USER, '--app', assembly.folder], { isInside: false }),
    );
    const alias = resource('AWS::Lambda::Alias').physicalId;
    expect({ code, errors, steps: stepsOfCatalog(output) }).toEqual({
      code: 1,
      errors: '',
      steps: ['role', 'CONNECT', 'limits'].map(
        step => `unknown ${step} needs lambda:InvokeFunction on ${alias}: iamAuth.grantPlan(role) grants it`,
      ),
    });
  });

  full.test('of an app whose provisioner has no alias, these steps say what makes one', async () => {
    const { folder } = await synthesized(APP, { plan: 'false' });
    const { code, output, errors } = await doctor([USER, '--app', folder], { isInside: false });
    const line
      = 'needs the alias "plan" of the provisioner in stack Shop: call iamAuth.grantPlan(role) with the role that runs this, and deploy';
    expect({ code, errors, steps: stepsOfCatalog(output) }).toEqual({
      code: 1,
      errors: '',
      steps: ['role', 'CONNECT', 'limits'].map(step => `unknown ${step} ${line}`),
    });
  });

  full.test('signs in where nothing is wrong, and ends with 0', async () => {
    const { code, output, errors } = await doctor([USER, '--app', assembly.folder]);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(output).toContain(`Nothing keeps ${USER} from signing in.`);
  });

  full.test('--json has the steps and the cause, and no secret; nor has --verbose', async () => {
    const password = server().token('', USER, {
      credentials: rehearsal.credentialsOf(operator()),
      at: new Date(Date.now() - 1_000_000),
    });
    const env = { ...ofClient(), PGPASSWORD: password };
    const [json, verbose] = [await doctor(['--env', '--json'], { env }), await doctor(['--env', '--verbose'], { env })];
    expect([json.code, verbose.code]).toEqual([1, 1]);
    expect(JSON.parse(json.output)).toMatchObject({
      signedIn: false,
      client: { username: USER, database: 'shop' },
      steps: expect.arrayContaining([expect.objectContaining({ step: 'token' })]) as object[],
    });
    for (const text of [json.output, json.errors, verbose.output, verbose.errors]) {
      expect([...secrets, password, 'X-Amz-Signature='].filter(secret => text.includes(secret))).toEqual([]);
    }
  });

  test.each(firstOf<[string[], number, string, string]>(1, [
    [
      ['nobody', '--app', 'ASSEMBLY'],
      2,
      '',
      'doctor: no stack in ASSEMBLY declares a user nobody, exactly as spelled; pass --app, or --env to take the PG* variables of the client',
    ],
    [['--help'], 0, 'Usage: cdk-aurora-iam-auth-cli doctor <user>', ''],
    [[], 2, '', 'doctor: name a user, or pass --env; --help says more'],
    [
      [USER, '--app', '/nowhere'],
      2,
      '',
      'doctor: /nowhere is not a cloud assembly: it has no manifest.json; run cdk synth first',
    ],
    [
      ['--env'],
      2,
      '',
      'doctor: PGHOST is not set, which is the endpoint of the database; user.connectionEnvironment() has the variables',
    ],
  ]))('%j ends with %i', async (args, code, output, errors) => {
    const run = await doctor(args.map(arg => arg.replace('ASSEMBLY', assembly.folder)));
    expect({
      ...run,
      output: run.output.slice(0, output.length),
      errors: run.errors.replaceAll(assembly.folder, 'ASSEMBLY').trim(),
    }).toEqual({ code, output, errors });
  });
});
