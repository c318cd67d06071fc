import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { shared } from '../../rehearsal/shared-folder';

const ROOT = resolve(__dirname, '../..');

/**
 * The command line as its package has it, which starts in a third of the time of its sources. Made once in a run, for
 * all test files.
 *
 * @returns path of a program for Node.js
 */
export async function packedCli(): Promise<string> {
  await shared('cli', (path) => {
    execFileSync(process.execPath, ['--import', 'tsx', 'scripts/package-cli.ts'], { cwd: ROOT, stdio: 'ignore' });
    return Promise.resolve(writeFileSync(path, ''));
  });
  return join(ROOT, 'dist/cli/index.js');
}
