import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CloudAssembly } from '../../rehearsal/cloudformation/cloud-assembly';
import { ResourceState } from '../../rehearsal/cloudformation/template';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { synthesized } from '../rehearsal/synthesized';
import { READ_PERMISSIONS } from './doctor-site';

const ROOT = resolve(__dirname, '../..');
const STACK = 'QuickStart';
const USER = 'mario.rossi@example.com';

let rehearsal: Rehearsal;
let assembly: CloudAssembly;
let secrets: string[];

const resource = (type: string, start = '') =>
  rehearsal.resources(STACK).find(state => state.type === type && state.logicalId.startsWith(start))!;
const server = () => rehearsal.database(resource('AWS::RDS::DBCluster'));
const operator = () => resource('AWS::IAM::Role', 'Operator');

/** The policy with the grant of a role. */
function policyOf(role: ResourceState): { Statement: object[] } {
  const state = rehearsal
    .resources(STACK)
    .find(
      ({ type, properties }) => type === 'AWS::IAM::Policy' && (properties.Roles as string[]).includes(role.physicalId),
    )!;
  return state.properties.PolicyDocument as { Statement: object[] };
}

beforeAll(async () => {
  rehearsal = await Rehearsal.start();
  assembly = await synthesized('examples/quick-start/app.ts');
  const { reason } = await rehearsal.deploy(assembly, STACK);
  expect(reason).toBeUndefined();
  policyOf(operator()).Statement.push({
    Effect: 'Allow',
    Action: [...READ_PERMISSIONS, 'cloudformation:DescribeStackResource'],
    Resource: '*',
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
    ['--require', join(__dirname, 'named-network.cjs'), '--import', 'tsx', 'cli/index.ts', 'doctor', ...args],
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

/** Puts another statement in place of the grant. */
async function withGrant<Result>(Resource: string, run: () => Promise<Result>): Promise<Result> {
  const { Statement } = policyOf(operator());
  const [before] = Statement;
  Statement[0] = { ...before, Resource };
  try {
    return await run();
  } finally {
    Statement[0] = before;
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
    const { code, output, errors } = await withGrant(
      `arn:aws:rds-db:eu-central-1:111122223333:dbuser:shop/${USER}`,
      () => doctor(['--env', '--inside'], { env: ofClient() }),
    );
    expect({ code, errors, output: asDocumented(output) }).toEqual({
      code: 1,
      errors: '',
      output: sessions()[1].output,
    });
    expect(sessions()[1].command).toBe('npx cdk-aurora-iam-auth-cli doctor --env --inside');
  });

  test('signs in where nothing is wrong, and ends with 0', async () => {
    const { code, output, errors } = await doctor([USER, '--app', assembly.folder]);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(output).toContain(`Nothing keeps ${USER} from signing in.`);
  });

  test('--json has the steps and the cause, and no secret; nor has --verbose', async () => {
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

  test.each([
    [['--help'], 0, 'Usage: cdk-aurora-iam-auth-cli doctor <user>', ''],
    [[], 2, '', 'doctor: name a user, or pass --env; --help says more'],
    [
      ['nobody', '--app', 'ASSEMBLY'],
      2,
      '',
      'doctor: no stack in ASSEMBLY declares a user nobody, exactly as spelled; pass --app, or --env to take the PG* variables of the client',
    ],
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
  ])('%j ends with %i', async (args, code, output, errors) => {
    const run = await doctor(args.map(arg => arg.replace('ASSEMBLY', assembly.folder)));
    expect({
      ...run,
      output: run.output.slice(0, output.length),
      errors: run.errors.replaceAll(assembly.folder, 'ASSEMBLY').trim(),
    }).toEqual({ code, output, errors });
  });
});
