import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { RunFolder } from '../../rehearsal/run-folder';
import { packedCli } from '../cli/packed-cli';
import { full } from '../full';
import { synthesized } from '../rehearsal/synthesized';

const ROOT = resolve(__dirname, '../..');

/** A project with packages as they are installed here, and the command line. */
async function project(): Promise<string> {
  const folder = RunFolder.open().newFolder('project');
  const bin = join(folder, 'node_modules/.bin');
  mkdirSync(bin, { recursive: true });
  for (const name of readdirSync(join(ROOT, 'node_modules')).filter(each => !each.startsWith('.'))) {
    symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
  }
  const cli = `#!/bin/sh\nexec '${process.execPath}' '${await packedCli()}' "$@"\n`;
  writeFileSync(join(bin, 'cdk-aurora-iam-auth-cli'), cli, { mode: 0o755 });
  cpSync(join(ROOT, 'examples/local-login/jest'), folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{}');
  return folder;
}

full.test('tests of Jest sign in as the service does, and leave no database', async () => {
  const cwd = await project();
  const { folder: CDK_OUT } = await synthesized('examples/shop/app.ts');
  const env = { PATH: process.env.PATH, HOME: cwd, TMPDIR: process.env.TMPDIR, CDK_OUT, npm_config_offline: 'true' };
  const jest = join(ROOT, 'node_modules/jest/bin/jest.js');
  const { status, stderr } = spawnSync(process.execPath, [jest, '--ci', '--config', 'jest.config.json'], {
    cwd,
    env,
    encoding: 'utf8',
  });
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  expect(stderr).toMatch(/^Tests: +2 passed, 2 total$/m);
  const down = spawnSync(join(cwd, 'node_modules/.bin/cdk-aurora-iam-auth-cli'), ['down'], {
    cwd,
    env,
    encoding: 'utf8',
  });
  expect(down.stdout).toBe(`nothing runs that was started in ${cwd}\n`);
});
