import { ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { AddressInfo } from 'node:net';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packedCli } from './packed-cli';

let program: string;
let folder: string;
beforeAll(async () => {
  program = await packedCli();
  folder = mkdtempSync(join(tmpdir(), 'mistakes-'));
  writeFileSync(
    join(folder, 'manifest.json'),
    '{"artifacts":{"Shop":{"type":"aws:cloudformation:stack","properties":{"templateFile":"Shop.json"}}}}',
  );
  writeFileSync(join(folder, 'Shop.json'), '{}');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The command line as a process that has no credentials of AWS. */
async function cli(
  args: string[],
  use: (child: ChildProcess) => void = () => undefined,
  output: 'pipe' | number = 'pipe',
  more: NodeJS.ProcessEnv = { AWS_DEFAULT_REGION: 'eu-central-1' },
) {
  const { PATH } = process.env;
  const env = { PATH, HOME: folder, NODE_NO_WARNINGS: '1', AWS_EC2_METADATA_DISABLED: 'true', ...more };
  const child = spawn(process.execPath, [program, ...args], { cwd: folder, env, stdio: ['ignore', output, 'pipe'] });
  let [written, errors] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => written += text);
  child.stderr!.setEncoding('utf8').on('data', (text: string) => errors += text);
  use(child);
  const [code] = await once(child, 'close') as [number | null];
  return { code, output: written, errors };
}

test('a reader that has enough, such as head, is no error', async () => {
  await expect(cli(['diff', '.', '.'], child => child.stdout!.destroy())).resolves.toEqual({
    code: 0,
    output: '',
    errors: '',
  });
});

const onLinux = process.platform === 'linux' ? test : test.skip; // elsewhere there is no such device

onLinux(
  'a full disk is an error in one line, with a code of its own: 1 would say that a database is not as it should be',
  async () => {
    const full = openSync('/dev/full', 'w');
    try {
      for (const args of [['diff', '.', '.'], ['--help']]) {
        await expect(cli(args, () => undefined, full)).resolves.toEqual({
          code: 70,
          output: '',
          errors: 'the output cannot be written: ENOSPC: no space left on device, write\n',
        });
      }
    } finally {
      closeSync(full);
    }
  },
);

test('help with a command is that of the command', async () => {
  const { code, output } = await cli(['help', 'plan']);
  expect({ code, output }).toEqual({
    code: 0,
    output: expect.stringContaining('Usage: cdk-aurora-iam-auth-cli plan <cdk.out>') as string,
  });
  await expect(cli(['help', 'deploy'])).resolves.toMatchObject({
    code: 2,
    errors: expect.stringContaining('there is no command deploy') as string,
  });
});

test('AWS_REGION that is set to nothing does not hide the Region of the profile', async () => {
  const config = join(folder, 'config');
  writeFileSync(
    config,
    '[profile developer]\nregion = eu-south-2\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = none\n',
  );
  const signed: string[] = [];
  const server = createServer(({ headers }, response) => {
    signed.push(headers.authorization ?? '');
    response
      .writeHead(400)
      .end(
        '<ErrorResponse><Error><Code>ValidationError</Code><Message>Stack with id Shop does not exist</Message></Error></ErrorResponse>',
      );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { code } = await cli(['drift', 'Shop'], () => undefined, 'pipe', {
    AWS_REGION: '',
    AWS_USE_FIPS_ENDPOINT: '',
    AWS_CONFIG_FILE: config,
    AWS_PROFILE: 'developer',
    AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
  });
  server.close();
  expect({ code, signed: signed.map(header => /\/([a-z0-9-]+)\/cloudformation\//.exec(header)?.[1]) }).toEqual({
    code: 3,
    signed: ['eu-south-2'],
  });
});

test('without credentials, plan and drift say so, and the standard output has nothing but JSON', async () => {
  for (const args of [['plan', '.', '--json'], ['drift', 'Shop', '--json']]) {
    const { code, output, errors } = await cli(args);
    const reason
      = 'stack Shop: there are no AWS credentials here; sign in, such as with aws sso login, or set AWS_PROFILE';
    expect({ code, lines: errors.trim().split('\n').slice(1) }).toEqual({ code: 3, lines: [`  - ${reason}`] });
    expect(JSON.parse(output)).toBeInstanceOf(Object);
  }
});
