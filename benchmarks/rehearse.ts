/**
 * `npm run bench:rehearse`: how long the command-line package takes to rehearse an app, from the first line to the
 * last. Fails above the limit.
 */
import { execFileSync } from 'node:child_process';
import { ROOT, timePackedCli } from './packed-cli';

const MAX_SECONDS = 5;

function rehearse(folder: string): number {
  const started = performance.now();
  execFileSync(process.execPath, ['dist/cli/index.js', 'rehearse', folder], { cwd: ROOT, stdio: 'ignore' });
  return (performance.now() - started) / 1000;
}

void timePackedCli(MAX_SECONDS, rehearse);
