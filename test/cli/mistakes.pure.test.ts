import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Account } from '../../cli/deployed/account';
import { explain } from '../../cli/deployed/aws-errors';
import { assemblyIn } from '../../cli/deployed/select-stacks';
import { main as diff } from '../../cli/diff';
import { regionHere } from '../../cli/doctor/aws/region';
import { doctorOptionsOf, environmentOf } from '../../cli/doctor/options';
import { choose } from '../../cli/down';
import { compareStacks } from '../../cli/drift/compare-stacks';
import { main as drift } from '../../cli/drift/drift';
import { driftOptionsOf } from '../../cli/drift/options';
import { generateOptionsOf } from '../../cli/generate/options';
import { planOptionsOf } from '../../cli/plan/options';
import { main as plan } from '../../cli/plan/plan';
import { regionOf, unsetEmpty } from '../../cli/region';
import { main as rehearse } from '../../cli/rehearse';
import { optionsOf, policyOf } from '../../cli/rehearse-options';
import { main as up } from '../../cli/up';
import { upOptionsOf } from '../../cli/up-options';
import { assemblyOf } from '../../rehearsal/rehearse/source';
import { InputError } from '../../rehearsal/rehearse/input-error';

/** Ends the program with this line, and the code for wrong usage. */
const inputError = (message: string) => expect.objectContaining({ message, constructor: InputError }) as Error;

let folder: string;
beforeAll(() => folder = mkdtempSync(join(tmpdir(), 'mistakes-')));
afterAll(() => rmSync(folder, { recursive: true }));

/** A folder with these files. */
function folderWith(name: string, files: Record<string, string>): string {
  const path = join(folder, name);
  mkdirSync(path);
  Object.entries(files).forEach(([file, text]) => writeFileSync(join(path, file), text));
  return path;
}

const manifest = (templateFile: string) => JSON.stringify({
  artifacts: { Shop: { type: 'aws:cloudformation:stack', properties: { templateFile } } },
});

describe('an option that counts once', () => {
  test.each<[string, (args: string[]) => unknown, string[], string]>([
    ['of doctor', doctorOptionsOf, ['orders', '--stack', 'a', '--stack', 'b'], '--stack'],
    ['of drift', driftOptionsOf, ['Shop', '--region', 'a', '--region', 'b'], '--region'],
    ['of rehearse', optionsOf, ['cdk.out', '--from', 'a', '--from', 'b'], '--from'],
    ['of up', upOptionsOf, ['cdk.out', '--user', 'a', '--user', 'b', '--', 'true'], '--user'],
    ['with a key, of plan', planOptionsOf, ['cdk.out', '--parameter', 'A=1', '--parameter', 'A=2'], '--parameter A'],
    ['with a key, of rehearse', optionsOf, ['app.ts', '-c', 'a=1', '--context', 'a=2'], '--context a'],
  ])('%s is refused if it is given twice', (_name, options, args, what) => {
    expect(() => options(args)).toThrow(inputError(`${what} is given more than once, and counts once; leave one of them out`));
  });

  test('may be given twice if it is a flag, or takes several', () => {
    expect(driftOptionsOf(['Shop', '--all', '--all', '--only', 'a', '--only', 'b'])).toMatchObject({ all: true, only: ['a', 'b'] });
    expect(upOptionsOf(['--detach', '--user', 'a'])).toMatchObject({ user: 'a' });
    expect(upOptionsOf(['--user', 'a', '--', 'run', '--user', 'b', ''])).toMatchObject({ user: 'a', command: ['run', '--user', 'b', ''] });
  });

  test.each<[string, (args: string[]) => unknown, string[], string]>([
    ['of doctor', doctorOptionsOf, ['orders', '--region', ''], '--region is empty'],
    ['of generate', generateOptionsOf, ['--database='], '--database is empty'],
    ['of plan', planOptionsOf, ['cdk.out', '--stack', ''], '--stack is empty'],
  ])('%s is refused if it is empty', (_name, options, args, reason) => {
    expect(() => options(args)).toThrow(inputError(`${reason}; pass a text, or leave it out`));
  });

  test.each([[planOptionsOf], [driftOptionsOf], [doctorOptionsOf], [optionsOf]])('an argument that is empty is refused', (options) => {
    expect(() => options([''])).toThrow(inputError('an argument is empty; pass a text, or leave it out'));
  });
});

describe('options that contradict each other', () => {
  test.each(['--cluster', '--instance', '--proxy'])('doctor has %s with --env alone: with a user it would accuse another database', (option) => {
    expect(() => doctorOptionsOf(['orders', option, 'x'])).toThrow(
      `${option} is for --env: a user of the app signs in to the database of its stack; pass --env with the PG* variables of the client`,
    );
    expect(doctorOptionsOf(['--env', option, 'x'])).toMatchObject({ env: true });
  });

  test('down has ids or --all', () => {
    expect(() => choose([], ['abc'], true, '/')).toThrow('--all ends all of them, and abc names one; leave one of the two out');
    expect(choose([], [], true, '/')).toEqual([]);
  });
});

describe('a folder', () => {
  test.each<[string, Record<string, string>, string]>([
    ['whose manifest is another program\'s', { 'manifest.json': '{"name":"a web app"}' },
      'is not a cloud assembly: its manifest.json has no artifacts; name the folder that cdk synth has written'],
    ['whose manifest is no object', { 'manifest.json': 'null' },
      'is not a cloud assembly: its manifest.json has no artifacts; name the folder that cdk synth has written'],
    ['whose manifest is cut off', { 'manifest.json': '{"artifacts":' }, 'is not complete: manifest.json: it is not JSON; run cdk synth again'],
    ['without a template', { 'manifest.json': manifest('Shop.json') }, 'is not complete: Shop.json: it is not there; run cdk synth again'],
    ['whose template is cut off', { 'manifest.json': manifest('Shop.json'), 'Shop.json': '{' },
      'is not complete: Shop.json: it is not JSON; run cdk synth again'],
  ])('%s is refused with a reason', async (name, files, reason) => {
    const path = folderWith(name.replace(/\W/g, '-'), files);
    expect(() => assemblyIn(path)).toThrow(inputError(`${path} ${reason}`));
    expect(() => diff([path, path])).toThrow(InputError);
    await expect(plan([path])).rejects.toThrow(InputError);
    await expect(assemblyOf(path, {})).rejects.toThrow(inputError(`${path} ${reason}`));
  });

  test('of a newer version of CDK is read: what is not known there is passed over', () => {
    const path = folderWith('newer', {
      'manifest.json': JSON.stringify({
        version: '999.0.0', minimumCliVersion: '9.9.9', news: {}, artifacts: {
          Shop: { type: 'aws:cloudformation:stack', properties: { templateFile: 'Shop.json', news: 1 } },
          News: { type: 'aws:cloudformation:news', properties: {} },
        },
      }),
      'Shop.json': '{}',
    });
    expect(assemblyIn(path).stacks.map(({ name }) => name)).toEqual(['Shop']);
  });
});

test('a parameter that no stack has is refused: plan would show what the deployment does not do', async () => {
  const path = folderWith('parameters', { 'manifest.json': manifest('Shop.json'), 'Shop.json': '{"Parameters":{"Suffix":{"Type":"String"}}}' });
  for (const name of ['Sufix', 'Other:Suffix']) {
    await expect(plan([path, '--parameter', `${name}=secret`])).rejects.toThrow(
      inputError(`--parameter ${name}: no stack of the app has this parameter; correct the name, or leave it out`),
    );
  }
});

test.each(['cdk.uot', 'my shop', '../cdk.out', '1st', 'a_b'])('drift refuses %j, which is neither a folder nor the name of a stack', async (name) => {
  await expect(drift([name])).rejects.toThrow(inputError(
    `${name} is neither a folder with a manifest.json, as cdk synth writes it, nor the name of a stack, which has letters, digits and hyphens`,
  ));
});

test.each([
  [rehearse, 'rehearse'], [up, 'up'],
])('a value that nothing takes is refused: the app would be deployed with another one', async (command) => {
  const path = folderWith(`unused-${command === up ? 'up' : 'rehearse'}`, { 'manifest.json': manifest('Shop.json'), 'Shop.json': '{"Parameters":{"Suffix":{"Type":"String"}}}' });
  await expect(command([path, '--parameter', 'Sufix=secret', ...command === up ? ['--', 'true'] : []])).rejects.toThrow(
    inputError('--parameter Sufix: no stack of the app has this parameter; correct the name, or leave it out'),
  );
});

test('diff refuses a policy that no identity has: its ARN would be another one', () => {
  const arn = 'arn:aws:iam::111122223333:policy/Base';
  const path = folderWith('attached', {
    'manifest.json': manifest('Shop.json'),
    'Shop.json': JSON.stringify({ Resources: { Role: { Type: 'AWS::IAM::Role', Properties: { ManagedPolicyArns: [arn] } } } }),
    'policy.json': '{"Statement":[]}',
  });
  const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  expect(() => diff([path, path, '--policy', `${arn}s=${join(path, 'policy.json')}`])).toThrow(
    inputError(`--policy ${arn}s: no identity of the two apps has this managed policy or permissions boundary; correct the ARN, or leave it out`),
  );
  expect(() => diff([path, path, '--policy', `${arn}=${join(path, 'policy.json')}`])).not.toThrow();
  write.mockRestore();
});

test('what CDK has yet to look up is refused, also in a stage: the templates have invented values in its place', async () => {
  const missing = [{ key: 'vpc-provider:account=111122223333:filter.vpc-id=vpc-1', provider: 'vpc-provider', props: {} }];
  const path = folderWith('missing', {
    'manifest.json': JSON.stringify({ artifacts: { Stage: { type: 'cdk:cloud-assembly', properties: { directoryName: 'stage' } } } }),
  });
  mkdirSync(join(path, 'stage'));
  writeFileSync(join(path, 'stage', 'manifest.json'), JSON.stringify({ missing, artifacts: {} }));
  const error = inputError(`${path}: what it looks up in AWS is not known, and the templates have invented values in its place: `
    + 'vpc-provider:account=111122223333:filter.vpc-id=vpc-1; run cdk synth with credentials that may look it up, and keep the cdk.context.json that it writes');
  expect(() => diff([path, path])).toThrow(error);
  await expect(plan([path])).rejects.toThrow(error);
  await expect(drift([path])).rejects.toThrow(error);
  await expect(assemblyOf(path, {})).rejects.toThrow(error);
});

test('drift refuses a Region for stacks that have one', async () => {
  const path = folderWith('regions', {
    'manifest.json': JSON.stringify({ artifacts: { Shop: { type: 'aws:cloudformation:stack', environment: 'aws://111122223333/eu-west-1', properties: { templateFile: 'Shop.json' } } } }),
    'Shop.json': '{}',
  });
  await expect(drift([path, '--region', 'eu-central-1'])).rejects.toThrow(
    inputError('--region eu-central-1: each stack of the app has a Region of its own, where it is looked for; leave the option out'),
  );
});

test('a stack in which an app declares users is not passed over', async () => {
  const account = {
    id: () => Promise.resolve('111122223333'),
    stack: (name: string) => Promise.resolve(name === 'Bare' ? { name, id: 'arn:x', account: '111122223333', region: 'eu-west-1' } : undefined),
    template: () => Promise.resolve({ Resources: {} }),
  } as unknown as Account;
  const stacks = [{ name: 'Shop', declares: true }, { name: 'Team', region: 'eu-west-1', declares: true }, { name: 'Bare', declares: true }, { name: 'Network', declares: false }];
  await expect(compareStacks(account, stacks, { only: [], undeclared: false, expected: [] })).resolves.toMatchObject({ impossible: [
    'stack Shop: it is not deployed in the account and Region of the credentials, and the app declares users or group roles in it; '
    + 'pass --region, deploy it, or name the stacks to compare',
    'stack Team: it is not deployed in eu-west-1, and the app declares users or group roles in it; deploy it, or name the stacks to compare',
    'stack Bare: it is deployed without the users and group roles that the app declares in it; deploy it, or name the stacks to compare',
  ] });
});

test('a comparison of nothing is no success, as in another Region than that of the stacks', async () => {
  const account = { id: () => Promise.resolve('111122223333'), stack: () => Promise.resolve(undefined) } as unknown as Account;
  await expect(compareStacks(account, [{ name: 'Shop', declares: false }], { only: [], undeclared: true, expected: [] })).resolves.toEqual({
    databases: [],
    missing: [],
    impossible: ['nothing was compared: no stack with users or group roles of cdk-aurora-iam-auth is deployed in this account and Region; deploy one, or pass --region'],
  });
});

describe('what AWS refuses', () => {
  const error = (name: string, message = '', others: object = {}) => Object.assign(new Error(message), { name, ...others });
  const because = (problem: Error) => explain(problem, 'cloudformation:DescribeStacks', 'stack Shop', '');

  test.each([
    ['CredentialsProviderError', 'there are no AWS credentials here; sign in, such as with aws sso login, or set AWS_PROFILE'],
    ['ExpiredToken', 'the AWS credentials have expired; renew them, such as with aws sso login'],
    ['ExpiredTokenException', 'the AWS credentials have expired; renew them, such as with aws sso login'],
    ['InvalidClientTokenId', 'AWS does not accept the credentials; take AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN together from one source, and verify the clock of this host'],
  ])('%s is about the caller, and says what to do', (name, reason) => {
    expect(because(error(name, 'a text of AWS', { $metadata: { httpStatusCode: 403 } }))).toBe(reason);
  });

  test('a wrong signature is explained without the text of AWS, which has the session token', () => {
    const text = because(error('SignatureDoesNotMatch', 'The Canonical String should have been x-amz-security-token:IQoJb3JpZ2luX2VjEXAMPLE'));
    expect(text).toContain('AWS does not accept the credentials');
    expect(text).not.toContain('IQoJ');
  });

  test('a missing Region, one that does not exist, and other errors', () => {
    expect(because(new Error('Region is missing'))).toBe('the Region is not known; set AWS_REGION, or the Region of the profile');
    expect(because(new Error('getaddrinfo ENOTFOUND cloudformation.eu-nowhere-1.amazonaws.com'))).toBe(
      'cloudformation:DescribeStacks on stack Shop failed: Error: getaddrinfo ENOTFOUND cloudformation.eu-nowhere-1.amazonaws.com; '
      + 'verify that this host reaches AWS, and that there is such a Region',
    );
    expect(because(error('InternalFailure', 'no', { $metadata: { httpStatusCode: 500 } }))).toBe(
      'cloudformation:DescribeStacks on stack Shop failed: InternalFailure: no',
    );
  });

  test.each([
    [{ AWS_REGION: 'a', AWS_DEFAULT_REGION: 'b' }, 'a'],
    [{ AWS_REGION: '', AWS_DEFAULT_REGION: 'b' }, 'b'],
    [{ AWS_DEFAULT_REGION: '' }, undefined],
  ])('the Region of %j is %j, as for the AWS CLI', (env, region) => {
    expect(regionOf(env)).toBe(region);
  });
});

test('a variable of AWS that is set to nothing is not set', () => {
  const env = { AWS_REGION: '', AWS_USE_FIPS_ENDPOINT: '', AWS_PROFILE: 'developer', PGHOST: '' };
  unsetEmpty(env);
  expect(env).toEqual({ AWS_PROFILE: 'developer', PGHOST: '' });
});

describe('the Region that doctor asks in', () => {
  const before = { ...process.env };
  afterEach(() => process.env = { ...before });

  test('is that of the profile, where the environment has none', async () => {
    const config = join(folder, 'config');
    writeFileSync(config, '[profile developer]\nregion = eu-south-2\n[profile other]\n');
    process.env = { AWS_CONFIG_FILE: config, AWS_PROFILE: 'developer' };
    await expect(regionHere()).resolves.toBe('eu-south-2');
    process.env.AWS_PROFILE = 'other';
    await expect(regionHere()).resolves.toBeUndefined();
    process.env.AWS_DEFAULT_REGION = 'eu-west-3';
    await expect(regionHere()).resolves.toBe('eu-west-3');
  });
});

test.each(['/var/run/postgresql', 'a.example.com,b.example.com', 'a b'])('PGHOST %s is refused: tokens are for one endpoint', (PGHOST) => {
  expect(() => environmentOf({ PGHOST, PGUSER: 'orders' })).toThrow(
    inputError(`PGHOST ${PGHOST} is not the name of one host: a token is for the endpoint of a database; set it to that`),
  );
});

test('files that are not JSON are named', async () => {
  const project = folderWith('project', { 'cdk.json': '{', 'policy.json': '{', 'null.json': 'null', 'app.json': '{"app":["node","app.js"]}' });
  const before = process.env.CALLER_FOLDER;
  process.env.CALLER_FOLDER = project;
  try {
    await expect(assemblyOf(undefined, {})).rejects.toThrow(inputError(`${join(project, 'cdk.json')} cannot be read as JSON; correct it`));
    expect(() => policyOf('policy.json')).toThrow(inputError('--policy policy.json: it is not JSON'));
    expect(() => policyOf('null.json')).toThrow(inputError('--policy null.json: it has no Statement'));
    writeFileSync(join(project, 'cdk.json'), '{"app":["node","app.js"]}');
    await expect(assemblyOf(undefined, {})).rejects.toThrow(`expected an app or folder, or "app" in ${join(project, 'cdk.json')}`);
  } finally {
    process.env.CALLER_FOLDER = before;
    if (before === undefined) {
      delete process.env.CALLER_FOLDER;
    }
  }
});
