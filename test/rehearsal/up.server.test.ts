import { ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';
import { RunFolder } from '../../rehearsal/run-folder';
import { packedCli } from '../cli/packed-cli';
import { firstOf, full } from '../full';
import { synthesized } from './synthesized';

const SIGN_IN = ['node', join(__dirname, 'fixtures/sign-in.mjs')];

/** Where the processes have their folders. Other tests are run at the same time. */
const TEMPORARY = mkdtempSync(join(process.env.TMPDIR!, 'up-'));
chmodSync(TEMPORARY, 0o755); // PostgreSQL does not run as root

/** Folders as `cdk synth` writes them. */
let quickStart: string;
let shop: string;

/** The command line. */
let cli: string;

/** A folder that nothing else is started in. */
let project: string;

beforeAll(async () => {
  quickStart = (await synthesized('examples/quick-start/app.ts')).folder;
  shop = (await synthesized('examples/shop/app.ts')).folder;
  cli = await packedCli();
});

beforeEach(() => {
  project = RunFolder.open().newFolder('project');
});

interface Result {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly errors: string;
}

/** What `npx cdk-aurora-iam-auth-cli <args>` runs, in a process group without a terminal. */
function start(
  args: string[],
  env: NodeJS.ProcessEnv = {},
): { child: ChildProcess; ended: Promise<Result>; says: (text: string) => Promise<void> } {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: project, detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TMPDIR: TEMPORARY, ...env },
  });
  let [output, errors] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => output += text);
  child.stderr.setEncoding('utf8').on('data', (text: string) => errors += text);
  const ended = once(child, 'close').then((status: unknown[]): Result => {
    const [code, signal] = status as [number | null, NodeJS.Signals | null];
    return { code, signal, output, errors };
  });
  const says = async (text: string) => {
    while (!output.includes(text)) {
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`ended without ${text}: ${output}${errors}`);
      }
      await Promise.race([once(child.stdout, 'data'), ended]);
    }
  };
  return { child, ended, says };
}

const run = (args: string[], env: NodeJS.ProcessEnv = {}) => start(args, env).ended;

const up = (app: string, ...args: string[]) => ['up', app, ...args];

async function eventually(condition: () => boolean): Promise<boolean> {
  for (let i = 0; i < 300 && !condition(); i++) {
    await new Promise(done => setTimeout(done, 100));
  }
  return condition();
}

const commandLines = () => execFileSync('ps', ['-A', '-o', 'args='], { encoding: 'utf8' }).split('\n');

describe('up', () => {
  full.test(
    'runs statements, and a command that signs in with its environment alone; says why a sign-in was refused; and ends as the command does that is handed SIGINT',
    async () => {
      const elsewhere = {
        PGHOST: 'db.example.com',
        PGUSER: 'other',
        PGSERVICE: 'x',
        PGPASSWORD: 'x',
        AWS_ACCESS_KEY_ID: 'AKIDOTHER',
        AWS_SECRET_ACCESS_KEY: 'x',
        AWS_SESSION_TOKEN: 'x',
        AWS_PROFILE: 'x',
        AWS_REGION: 'us-west-2',
      };
      const file = join(project, 'tables.sql');
      writeFileSync(file, 'CREATE TABLE orders (item text);');
      const signIns = `${SIGN_IN.join(' ')}; AWS_PROFILE=Visitor ${SIGN_IN.join(' ')}`;
      const script = `${signIns}; trap 'echo handed on; exit 9' INT; echo ready; while :; do sleep 0.1; done`;
      const { child, ended, says } = start(up(quickStart, '--sql', file, '--', 'sh', '-c', script), elsewhere);
      await says('ready');
      child.kill('SIGINT');
      const { code, signal, output, errors } = await ended;
      expect({ code, signal, output }).toEqual({
        code: 9, signal: null,
        output:
          'mario.rossi@example.com shop\nPAM authentication failed for user "mario.rossi@example.com"\nready\nhanded on\n',
      });
      expect(errors).toMatch(/ready: Cluster at localhost:\d+\n/);
      expect(errors).toMatch(/Operator +Operator +mario\.rossi@example\.com\n/);
      expect(errors).toContain(
        'profiles of roles that may not sign in: IamAuth-Provisioner-HandlerRole, IamAuth-Provisioner-FrameworkRole, Visitor\n',
      );
      expect(errors).toContain('PGUSER=mario.rossi@example.com; AWS_PROFILE=Operator\n');
      expect(errors).toContain(`run ${file}`);
      // Which the client is not told.
      expect(errors).toMatch(
        / Cluster: mario\.rossi@example\.com: arn:aws:iam::\d+:role\/\S+ may not rds-db:connect as mario\.rossi@example\.com\n/,
      );
    },
  );

  full.test(
    'runs statements after the deployment, and gives the command the variables of an application and files that only its user reads',
    async () => {
      const file = join(project, 'tables.sql');
      writeFileSync(file, 'CREATE TABLE orders (item text);');
      const list = [
        'sh',
        '-c',
        'env | grep -E "^(PG|AWS_|NODE_EXTRA_CA_CERTS|KEPT)" | sort; stat -c %a "$AWS_SHARED_CREDENTIALS_FILE" "$AWS_CONFIG_FILE"; grep "^.profile" "$AWS_CONFIG_FILE"',
      ];
      const env = { AWS_ACCESS_KEY_ID: 'AKIDOTHER', PGSERVICE: 'x', KEPT: 'kept' };
      const { code, output, errors } = await run(
        up(shop, '--sql', file, '--as', 'migrator', '--user', 'orders', '--', ...list),
        env,
      );
      expect(code).toBe(0);
      expect(errors).toContain(`run ${file} as migrator\n`);
      expect(output.replace(/=\/\S*\//g, '=<folder>/').replace(/\b\d{5}\b/, '<port>'))
        .toBe(`AWS_CONFIG_FILE=<folder>/config
AWS_DEFAULT_REGION=eu-central-1
AWS_EC2_METADATA_DISABLED=true
AWS_PROFILE=orders-role
AWS_REGION=eu-central-1
AWS_SHARED_CREDENTIALS_FILE=<folder>/credentials
KEPT=kept
NODE_EXTRA_CA_CERTS=<folder>/node-ca.pem
PGDATABASE=shop
PGHOST=localhost
PGPORT=<port>
PGSSLMODE=verify-full
PGSSLROOTCERT=<folder>/ca.pem
PGUSER=orders
600
600
[profile IamAuth-Provisioner-HandlerRole]
[profile IamAuth-Provisioner-FrameworkRole]
[profile migrator-role]
[profile orders-role]
[profile ada-role]
[profile grace-role]
`);
    },
  );

  full.test('does not start the command where a statement fails, and says which', async () => {
    const file = join(project, 'tables.sql');
    writeFileSync(file, 'CREATE TABLE;');
    const { code, output, errors } = await run(up(shop, '--sql', file, '--', 'echo', 'started'));
    expect({ code, output }).toEqual({ code: 1, output: '' });
    expect(errors).toContain(`up: ${file} line 1: 42601 syntax error at or near ";"; nothing of it has been done\n`);
  });

  full.test('leaves PGUSER and AWS_PROFILE to the command where several are possible', async () => {
    const { output, errors } = await run(up(shop, '--', 'sh', '-c', 'echo "${PGUSER-unset} ${AWS_PROFILE-unset}"'));
    expect(output).toBe('unset unset\n');
    expect(errors).toContain('PGUSER is not set: name one with --user; AWS_PROFILE is not set: name one with --role\n');
  });

  full.test(
    'refuses a token that is older than --token-lifetime, although it says that it is good for 15 minutes',
    async () => {
      const { output, errors } = await run(up(quickStart, '--token-lifetime', '2s', '--', ...SIGN_IN), {
        SECONDS: '4',
      });
      expect(output).toBe(
        'mario.rossi@example.com shop\n4 s later: PAM authentication failed for user "mario.rossi@example.com"\n',
      );
      expect(errors).toContain('        a token is accepted for 2 s\n');
      expect(errors).toMatch(
        /Cluster: mario\.rossi@example\.com: token expired: it is [4-9] s old and was good for 2 s\n/,
      );
    },
  );

  full.test('leads to a read replica and to a proxy', async () => {
    const assembly = async (example: string) => (await synthesized(`examples/${example}/app.ts`)).folder;
    const replica = await run(up(await assembly('rds-instance'), '--endpoint', 'Replica', '--', ...SIGN_IN));
    expect(replica.output).toMatch(/^reports \w+\n$/);
    const proxy = await run(up(await assembly('proxy'), '--endpoint', 'Proxy', '--', ...SIGN_IN));
    expect(proxy.output).toMatch(/^\w+ shop\n$/);
  });

  full.test('two run side by side', async () => {
    const file = join(project, 'go');
    const command = ['sh', '-c', `${SIGN_IN.join(' ')}; until [ -e ${file} ]; do sleep 0.1; done`];
    const both = [start(up(quickStart, '--', ...command)), start(up(quickStart, '--', ...command))];
    await Promise.all(both.map(({ says }) => says('mario.rossi@example.com shop\n')));
    writeFileSync(file, '');
    const results = await Promise.all(both.map(({ ended }) => ended));
    expect(results.map(({ code }) => code)).toEqual([0, 0]);
  });
});

describe('up ends', () => {
  full.test.each<[string, string[], number]>([
    ['with the exit code of the command', ['sh', '-c', 'exit 7'], 7],
    ['with 128 and the number of the signal that ended the command', ['sh', '-c', 'kill -s KILL $$'], 137],
  ])('%s', async (_name, command, code) => {
    expect((await run(up(quickStart, '--', ...command))).code).toBe(code);
  });

  full.test.each<[string, string, number, string]>([
    ['127 where there is no such command', 'no-such-command', 127,
      'up: there is no command no-such-command: it is looked for in PATH; name a file, or install it\n'],
    ['126 where it cannot be executed', __filename, 126,
      `up: ${__filename} cannot be executed: it is not allowed to; name a program, or run chmod +x\n`],
  ])('with %s', async (_name, command, code, message) => {
    const result = await run(up(quickStart, '--', command));
    expect(result.code).toBe(code);
    expect(result.errors).toContain(message);
  });

  full.test.each<NodeJS.Signals>(['SIGTERM', 'SIGHUP', 'SIGQUIT'])(
    'as the command does that is handed %s',
    async (signal) => {
      const script = `trap 'echo handed on; exit 9' ${signal.slice(3)}; echo ready; while :; do sleep 0.1; done`;
      const { child, ended, says } = start(up(quickStart, '--', 'sh', '-c', script));
      await says('ready');
      child.kill(signal);
      expect(await ended).toMatchObject({ code: 9, signal: null, output: 'ready\nhanded on\n' });
    },
  );

  full.test('with 130 where the command has no answer to Ctrl-C', async () => {
    const { child, ended, says } = start(up(quickStart, '--', 'sh', '-c', 'echo ready; exec sleep 600'));
    await says('ready');
    child.kill('SIGINT');
    expect((await ended).code).toBe(128 + constants.signals.SIGINT);
  });

  full.test.each<[string, NodeJS.Signals | undefined]>([
    ['ends', undefined],
    ['is killed', 'SIGKILL'],
  ])('and leaves nothing when it %s', async (_name, signal) => {
    const marker = `600.${process.pid}`;
    const { child, ended, says } = start(
      up(
        quickStart,
        '--',
        'sh',
        '-c',
        `echo "$PGSSLROOTCERT"; echo ready; ${signal ? `exec sleep ${marker}` : 'exit 0'}`,
      ),
    );
    await says('ready');
    if (signal) {
      expect(commandLines().some(line => line.includes(marker))).toBe(true);
      child.kill(signal);
    }
    const { output } = await ended;
    const folder = resolve(output.split('\n')[0], '../..');
    expect(folder).toMatch(/\/aurora-\w+$/);
    expect(await eventually(() => !existsSync(folder))).toBe(true);
    expect(commandLines().filter(line => line.includes(folder) || line.includes(marker))).toEqual([]);
  });
});

describe('up is refused', () => {
  test.each(firstOf<[string, string[], number, string]>(1, [
    ['without a command', ['app.js'], 2,
      'no command was given: up ends with the command that it runs; write -- and the command, or --detach'],
    ['with nothing after --', ['app.js', '--'], 2,
      'no command follows --: up ends with the command that it runs; write -- and the command, or --detach'],
    ['with a command and --detach', ['app.js', '--detach', '--', 'npm', 'test'], 2,
      '--detach runs no command, and -- npm test is one; leave one of them out'],
    ['with two apps', ['one.js', 'two.js', '--', 'true'], 2,
      'expected one app or folder, not one.js two.js; the command comes after --'],
    ['with --as and no statements', ['app.js', '--as', 'ada', '--', 'true'], 2,
      '--as ada is for --sql: name a file with statements'],
    ['with an app that does not exist', ['no-such-app.js', '--', 'true'], 2, 'no-such-app.js: no such file or folder'],
    ['with tokens of no time', ['app.js', '--token-lifetime', '0s', '--', 'true'], 2,
      '--token-lifetime 0s: it is from 1s to 15m, the lifetime on AWS; write seconds or minutes, such as 20s'],
  ]))('%s', async (_name, args, code, message) => {
    expect(await run(['up', ...args])).toMatchObject({ code, output: '', errors: `up: ${message}\n` });
  });

  full.test('for an app without users, with all reasons', async () => {
    const empty = join(project, 'cdk.out');
    mkdirSync(empty);
    writeFileSync(join(empty, 'Shop.json'), JSON.stringify({ Resources: { Topic: { Type: 'AWS::SNS::Topic' } } }));
    writeFileSync(
      join(empty, 'manifest.json'),
      JSON.stringify({
        artifacts: { Shop: { type: 'aws:cloudformation:stack', properties: { templateFile: 'Shop.json' } } },
      }),
    );
    const { code, errors } = await run(['up', empty, '--', 'true']);
    expect(code).toBe(3);
    expect(errors).toMatch(/^up: \S+ cannot be rehearsed:\n {2}- no user or role of /);
  });

  full.test.each<[string, string[], string]>([
    ['a user', ['--user', 'adam'],
      '--user adam: it must be a user of the database; name one of ada, grace, migrator, orders'],
    ['a role', ['--role', 'Adam'],
      '--role Adam: it must be an IAM role of the app; name one of IamAuth-Provisioner-HandlerRole, IamAuth-Provisioner-FrameworkRole, migrator-role, orders-role, ada-role, grace-role'],
    ['an endpoint', ['--endpoint', 'Proxy'],
      '--endpoint Proxy: users sign in to databases, replicas and proxies of the app; name one of Cluster'],
  ])('with %s that the app does not have', async (_name, args, message) => {
    const { code, errors } = await run(up(shop, ...args, '--', 'true'));
    expect(code).toBe(2);
    expect(errors).toContain(`\nup: ${message}\n`);
  });
});

describe('up --detach', () => {
  const folderOf = (output: string) =>
    /^\. '(\/\S+\/aurora-(\w+))\/\S+' # ends with: cdk-aurora-iam-auth-cli down \2\n$/.exec(output)![1];

  test('prints what a shell sources to sign in, until down ends it', async () => {
    const { code, output, errors } = await run(up(quickStart, '--detach'));
    expect({ code, errors: code === 0 ? '' : errors }).toEqual({ code: 0, errors: '' });
    expect(errors).toMatch(/ready: Cluster at localhost:\d+\n/);
    const folder = folderOf(output);
    const script = `${output}\necho "\${PGSERVICE-unset} \${AWS_ACCESS_KEY_ID-unset} $AWS_PROFILE"; ${SIGN_IN.join(' ')}`;
    const inShell = execFileSync('sh', ['-c', script], {
      encoding: 'utf8',
      env: { ...process.env, PGSERVICE: 'x', AWS_ACCESS_KEY_ID: 'AKIDOTHER' },
    });
    expect(inShell).toBe('unset unset Operator\nmario.rossi@example.com shop\n');
    expect(
      execFileSync('sh', ['-c', `${output}\n${SIGN_IN.join(' ')}`], {
        encoding: 'utf8',
        env: { ...process.env, PGSERVICE: 'x' },
      }),
    ).toBe('mario.rossi@example.com shop\n');

    expect(await run(['down'])).toMatchObject({
      code: 0,
      output: `${folder.split('-').at(-1)} has ended: ${quickStart}\n`,
      errors: '',
    });
    expect(existsSync(folder)).toBe(false);
    expect(commandLines().filter(line => line.includes(folder))).toEqual([]);
    expect(await run(['down'])).toMatchObject({
      code: 0,
      output: `nothing runs that was started in ${project}\n`,
      errors: '',
    });
  });

  full.test('several run, and down asks which', async () => {
    const both = await Promise.all([run(up(quickStart, '--detach')), run(up(shop, '--detach'))]);
    const [one, other] = both.map(({ output }) => folderOf(output));
    const [id, otherId] = [one, other].map(folder => folder.split('-').at(-1)!);
    const asked = await run(['down']);
    expect(asked.code).toBe(2);
    expect(asked.errors).toMatch(
      /^down: 2 run that were started in \S+, and down ends one: \w+ \(\S+\), \w+ \(\S+\); give the ids, or --all\n$/,
    );
    expect(await run(['down', id])).toMatchObject({ code: 0, output: `${id} has ended: ${quickStart}\n` });
    expect([existsSync(one), existsSync(other)]).toEqual([false, true]);
    expect((await run(['down', id])).errors).toContain(
      `down: ${id} does not run: an id is one that "up --detach" has printed; these run: `,
    );
    expect(await run(['down'])).toMatchObject({ code: 0, output: `${otherId} has ended: ${shop}\n` });
  });

  full.test('writes the reasons of refused sign-ins to a file', async () => {
    const { output, errors } = await run(up(quickStart, '--role', 'Visitor', '--detach'));
    execFileSync('sh', ['-c', `${output}\n${SIGN_IN.join(' ')}`]);
    const log = /refused sign-ins are listed in (\S+)\n/.exec(errors)![1];
    expect(readFileSync(log, 'utf8')).toMatch(/may not rds-db:connect as mario\.rossi@example\.com\n$/);
    await run(['down']);
  });

  full.test('leaves nothing when it is killed', async () => {
    const { output } = await run(up(quickStart, '--detach'));
    const folder = folderOf(output);
    expect(statSync(join(folder, 'detached.json')).mode & 0o777).toBe(0o600);
    const pid = execFileSync('ps', ['-A', '-o', 'pid=,args='], { encoding: 'utf8' })
      .split('\n')
      .find(line => line.includes(`up ${quickStart} --detach`))!;
    process.kill(Number(pid.trim().split(' ')[0]), 'SIGKILL');
    expect(await eventually(() => !existsSync(folder))).toBe(true);
    expect(await run(['down'])).toMatchObject({ output: `nothing runs that was started in ${project}\n` });
  });

  full.test('fails as a rehearsal does, with its exit code', async () => {
    expect(await run(up(shop, '--user', 'adam', '--detach'))).toMatchObject({ code: 2, output: '' });
    expect(await run(['down'])).toMatchObject({ output: `nothing runs that was started in ${project}\n` });
  });
});

test('nothing of all that is left', async () => {
  await eventually(() => readdirSync(TEMPORARY).length === 0);
  expect(readdirSync(TEMPORARY)).toEqual([]);
});
