/**
 * `npm run bench:up`: how long the command-line package takes from its start to the start of the command. Fails above
 * the limit.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ROOT, timePackedCli } from './packed-cli';

const MAX_SECONDS = 3;

async function up(folder: string): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, ['dist/cli/index.js', 'up', folder, '--', 'echo', 'ready'], {
    cwd: ROOT, stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  const seconds = (performance.now() - started) / 1000;
  await ended;
  return seconds;
}

void timePackedCli(MAX_SECONDS, up);
