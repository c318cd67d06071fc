import { execFileSync, spawn, SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ResourceDefinition } from '../../rehearsal/cloudformation/template';
import { RunFolder } from '../../rehearsal/run-folder';
import { packedCli } from '../cli/packed-cli';
import { firstOf, full } from '../full';
import { synthesized } from './synthesized';

const ROOT = resolve(__dirname, '../..');
const TWO_STACKS = 'test/rehearsal/fixtures/two-stacks-app.ts';
const USER: ResourceDefinition = { Type: 'Custom::RdsIamUser' };

let cli: string;
beforeAll(async () => cli = await packedCli());

const start = (args: string[], options: SpawnOptions = {}) =>
  spawn(process.execPath, [cli, 'rehearse', ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], ...options });

/** What `npm run rehearse -- <args>` runs. */
async function rehearse(
  ...args: string[]
): Promise<{ code: number | null; output: string; lines: string[]; errors: string }> {
  const child = start(args);
  let [output, errors] = ['', ''];
  child.stdout!.setEncoding('utf8').on('data', (text: string) => output += text);
  child.stderr!.setEncoding('utf8').on('data', (text: string) => errors += text);
  const [code] = await once(child, 'close') as [number | null];
  return { code, output, lines: output.split('\n').map(line => line.trim().replace(/ {2,}/g, ' | ')), errors };
}

/** A folder as `cdk synth` writes it, with one stack Shop. */
function assembly(
  Resources: Record<string, ResourceDefinition>,
  artifacts: object = { Shop: { type: 'aws:cloudformation:stack', properties: { templateFile: 'Shop.json' } } },
): string {
  const folder = RunFolder.open().newFolder('cdk.out');
  writeFileSync(join(folder, 'Shop.json'), JSON.stringify({ Resources }));
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ artifacts }));
  return folder;
}

function processesOf(text: string): string[] {
  return execFileSync('ps', ['-A', '-o', 'args='], { encoding: 'utf8' })
    .split('\n')
    .filter(line => line.includes(text));
}

async function eventually(condition: () => boolean): Promise<boolean> {
  for (let i = 0; i < 900 && !condition(); i++) {
    await new Promise(done => setTimeout(done, 100));
  }
  return condition();
}

describe('npm run rehearse', () => {
  full.test('of examples/quick-start', async () => {
    const { folder } = await synthesized('examples/quick-start/app.ts');
    const { code, output, lines, errors } = await rehearse(folder);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(output).toContain(`
IAM role      mario.rossi@example.com
------------  -----------------------
Operator      yes
and 3 others  -

user                     database  may               what
-----------------------  --------  ----------------  --------------------------------
mario.rossi@example.com  shop      connect           database shop
                                   use               schema public
                                   read, write, own  nothing: there are no tables yet
PUBLIC                   postgres  connect           database postgres
                                   use               schema public
                         shop      connect           database shop
                                   use               schema public
`);
    expect(lines).toContain('Cluster: roles and privileges are as they were before');
    expect(lines).toContain('All went well.');
  });

  full.test('of examples/quick-start without the grant', async () => {
    const { code, output } = await rehearse('examples/quick-start/app.ts', '-c', 'grant=false');
    expect(code).toBe(0);
    expect(output).toContain(`
IAM role  mario.rossi@example.com
--------  -----------------------
4 roles   -
`);
    expect(output).toMatch(/^mario\.rossi@example\.com {2}shop .*\n\(no sign-in\) /m);
  });

  full.test('of examples/shop', async () => {
    const { code, output, lines, errors } = await rehearse('examples/shop/app.ts');
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(lines).toEqual(expect.arrayContaining([
      'IAM role | ada | grace | migrator | orders',
      'ada role | yes | - | - | -',
      'migrator role | - | - | yes | -',
      'and 2 others | - | - | - | -',
    ]));
    expect(output).toContain(`
ada              shop      connect            database shop
grace                      act as             role readers
                           use                schema public
                           later read         tables that migrator creates in public
                           later read         sequences that migrator creates in public
                           read, write, own   nothing: there are no tables yet
migrator         shop      connect            database shop
                           use, create in     schema public
                           read, write, own   nothing: there are no tables yet
orders           shop      connect            database shop
                           use                schema public
                           later read, write  tables that migrator creates in public
                           later read, use    sequences that migrator creates in public
                           read, write, own   nothing: there are no tables yet
readers (group)  shop `);
    expect(Math.max(...output.split('\n').map(line => line.length))).toBeLessThanOrEqual(120);
  });

  full.test('of examples/rds-instance, with its read replica', async () => {
    const { code, lines, errors } = await rehearse('examples/rds-instance/app.ts');
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(lines).toEqual(expect.arrayContaining([
      expect.stringMatching(/^CREATE_COMPLETE \| AWS::RDS::DBInstance Instance /),
      expect.stringMatching(/ s \| sign in to Instance, PostgreSQL 17: 2 users with tokens of 4 IAM roles$/),
      'Service | yes | -',
      expect.stringMatching(
        / s \| sign in to Replica, PostgreSQL 17, a read replica: 2 users with tokens of 4 IAM roles$/,
      ),
      'Reports | - | yes',
      'Instance: roles and privileges are as they were before',
    ]));
  });

  full.test('of examples/proxy, with who gets through the proxy', async () => {
    const { code, output, errors } = await rehearse('examples/proxy/app.ts');
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(output).toMatch(
      / s {2}sign in to Cluster, PostgreSQL 17\.7: 2 users with tokens of 5 IAM roles\n\nIAM role {6}orders {2}reports\n-+ .*\nProxyRole {5}yes {5}- *\nReports {7}- {7}yes *\nand 3 others/,
    );
    expect(output).toMatch(
      / s {2}sign in to Cluster through Proxy, a proxy: 2 users with tokens of 5 IAM roles\n\nIAM role {13}orders {2}reports\n-+ .*\nService\/ServiceRole {2}yes {5}- *\nand 4 others/,
    );
  });

  full.test('of several stacks, with what it cannot know and what is kept', async () => {
    const { code, lines } = await rehearse(TWO_STACKS, '--stack', 'Team');
    expect(code).toBe(0);
    expect(lines).toEqual(expect.arrayContaining([
      expect.stringMatching(/ s \| deploy Data$/),
      expect.stringMatching(/ s \| deploy Team$/),
      'Team/BillingRole | yes | - | -',
      'Team/Reader | ? | ? | ?',
      '? Team/Reader: managed policy arn:aws:iam::aws:policy/ReadOnlyAccess is in no rehearsed stack, so its statements are not known',
      expect.stringMatching(
        /^\? IAM user \S+ has a policy with rds-db:connect and was not tried: only roles of these stacks are$/,
      ),
      'own | schema own',
      'Data/Cluster: roles and privileges are as they were before, but for what is kept',
      'kept: role keeper, with login: its onRemoval is retain',
    ]));
    expect(lines.findIndex(line => line.includes('deploy Data'))).toBeLessThan(
      lines.findIndex(line => line.includes('deploy Team')),
    );
  });

  full.test('of an app whose deployment fails', async () => {
    const { code, lines, errors } = await rehearse(TWO_STACKS, '--stack', 'Data', '-c', 'database=none');
    expect(code).toBe(1);
    expect(errors).toMatch(
      /^rehearse: stack Data is ROLLBACK_COMPLETE: IamAuthowner\w+ \(Custom::RdsIamUser\): cannot sign in to database "none" .*\n$/,
    );
    expect(lines).toEqual(expect.arrayContaining([
      expect.stringMatching(
        /^CREATE_FAILED \| Custom::RdsIamUser \| IamAuth\/owner \(.* s\): cannot sign in to database "none"/,
      ),
      expect.stringMatching(/^DELETE_COMPLETE | AWS::RDS::DBCluster | Cluster/),
    ]));
  });

  test.each<[string, () => string[], string]>(firstOf(1, [
    ['two apps', () => ['examples/shop/app.ts', 'cdk.out'],
      'expected one app or folder, not examples/shop/app.ts cdk.out; --help says more'],
    ['no app', () => [], `expected an app or folder, or "app" in ${ROOT}/cdk.json; --help says more`],
    ['no such file', () => ['examples/none.ts'], 'examples/none.ts: no such file or folder'],
    ['an app that throws', () => ['test/rehearsal/fixtures/synthesized-app.ts'],
      `${ROOT}/test/rehearsal/fixtures/synthesized-app.ts does not synthesize: Error: no size in the context`],
    ['a program that is no app', () => ['test/prepare.ts'],
      `${ROOT}/test/prepare.ts does not synthesize: it ran and wrote no cloud assembly, so it is no CDK app`],
    ['a folder that is no cloud assembly', () => ['examples'],
      `${ROOT}/examples is not a cloud assembly: it has no manifest.json; run cdk synth first`],
    ['context for what is synthesized', () => [assembly({}), '-c', 'a=b'],
      '<folder> is synthesized already: context is for apps'],
    ['context without a value', () => ['examples/shop/app.ts', '-c', 'grant'],
      '--context grant is not of the form key=value'],
    ['no such stack', () => ['examples/shop/app.ts', '--stack', 'Shops'], 'there is no stack Shops, only Shop'],
    ['no such file with statements', () => ['examples/shop/app.ts', '--sql', 'none.sql'],
      '--sql none.sql: no such file, or it cannot be read'],
    ['a role without statements', () => ['examples/shop/app.ts', '--as', 'orders'],
      '--as is for --sql: name a file with statements'],
    ['no such major', () => ['examples/shop/app.ts', '--postgres', '9'], '--postgres 9: it is one of 14, 15, 16, 17, 18'],
    ['context for an app whose former state is synthesized',
      () => ['examples/shop/app.ts', '-c', 'a=b', '--from', assembly({}, {})], 'there is no stack in the cloud assembly'],
    ['an empty assembly', () => [assembly({}, {})], 'there is no stack in the cloud assembly'],
  ]))('says in one line what is wrong with %s, and ends with 2', async (_name, args, expected) => {
    const given = args();
    const { code, output, errors } = await rehearse(...given);
    expect({
      code,
      output,
      errors: errors.replaceAll(given[0] || '-', name => (name.startsWith(RunFolder.open().path) ? '<folder>' : name)),
    }).toEqual({ code: 2, output: '', errors: `rehearse: ${expected}\n` });
  });

  test('lists all that stops it before anything starts, and ends with 3', async () => {
    const { code, output, errors } = await rehearse(assembly({
      Cluster: { Type: 'AWS::RDS::DBCluster', Properties: { Engine: 'aurora-mysql', EngineVersion: '8.0' } },
      Role: { Type: 'AWS::IAM::Role', Properties: { RoleName: { 'Fn::Unheard': 1 } } },
      User: {
        ...USER,
        Properties: {
          Database: { ResourceId: { 'Fn::GetAtt': ['Cluster', 'DBClusterResourceId'] } },
          Username: 'orders',
          Of: { Ref: 'Role' },
        },
      },
    }));
    expect({ code, output }).toEqual({ code: 3, output: '' });
    expect(errors).toMatch(
      /^rehearse: .* cannot be rehearsed, for 2 reasons:\n {2}- stack Shop: .*Fn::Unheard is not rehearsed\n {2}- Shop\/User is a user of Shop\/Cluster, which has Engine "aurora-mysql": users are for aurora-postgresql and postgres\n$/,
    );
  });

  full.test('tells how it is used, on a screen', async () => {
    const { code, output, lines } = await rehearse('--help');
    expect(code).toBe(0);
    expect(output).toMatch(/^Usage: cdk-aurora-iam-auth-cli rehearse \[<app or folder>\] \[options\]\n/);
    expect(lines.length).toBeLessThanOrEqual(40);
    expect(Math.max(...output.split('\n').map(line => line.length))).toBeLessThanOrEqual(120);
  });

  full.test('writes a report as JSON, and what is for people beside it', async () => {
    const { code, output, errors } = await rehearse('examples/quick-start/app.ts', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(output)).toMatchObject({
      format: 1,
      stacks: ['QuickStart'],
      postgresql: [{ database: 'QuickStart/Cluster', asked: '17.7', used: 17 }],
      access: [
        {
          name: 'Cluster',
          kind: 'database',
          attempts: expect.arrayContaining([
            { principal: 'Operator', username: 'mario.rossi@example.com', outcome: 'yes' },
          ]) as unknown,
        },
      ],
      result: 'ok',
    });
    expect(errors).toContain('All went well.');
  });

  full.test.each<[string, NodeJS.Signals]>([['Ctrl-C', 'SIGINT'], ['being killed', 'SIGKILL']])(
    'leaves nothing behind after %s',
    async (_name, signal) => {
      const folder = RunFolder.open().newFolder('tmp');
      // A process group of its own, as a terminal would make it.
      const child = start(['examples/shop/app.ts'], {
        detached: true,
        env: { ...process.env, TMPDIR: folder, TSX_DISABLE_CACHE: '1' },
      });
      let output = '';
      child.stdout!.setEncoding('utf8').on('data', (text: string) => output += text);
      const ended = once(child, 'exit');
      expect(await eventually(() => output.includes('CREATE_COMPLETE  AWS::RDS::DBCluster'))).toBe(true);
      expect(readdirSync(folder)).not.toEqual([]);
      expect(processesOf(folder)).not.toEqual([]);
      process.kill(signal === 'SIGINT' ? -child.pid! : child.pid!, signal);
      expect(await ended).toEqual([null, signal]);
      expect(await eventually(() => readdirSync(folder).length === 0 && processesOf(folder).length === 0)).toBe(true);
    },
  );
});
