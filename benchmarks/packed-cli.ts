import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { synthesize } from '../rehearsal/cloudformation/synthesize';

const RUNS = 4;

export const ROOT = resolve(__dirname, '..');

/**
 * Times a command of the command-line package, as it is packed, with what `cdk synth` has written of
 * examples/quick-start. The process fails if the best run after the first is above the limit.
 *
 * @param run runs the command with that folder, and gives the seconds that count
 */
export async function timePackedCli(
  maxSeconds: number,
  run: (folder: string) => number | Promise<number>,
): Promise<void> {
  execFileSync(process.execPath, ['--import', 'tsx', 'scripts/package-cli.ts'], { cwd: ROOT, stdio: 'ignore' });
  const { folder } = await synthesize('examples/quick-start/app.ts');
  const seconds: number[] = [];
  for (let n = 0; n < RUNS; n++) {
    seconds.push(await run(folder));
  }
  const [first, ...others] = seconds.map(each => each.toFixed(1));
  const warm = Math.min(...seconds.slice(1));
  console.log(`first ${first} s, then ${others.join(', ')} s; at best ${warm.toFixed(1)} s, at most ${maxSeconds} s`);
  process.exitCode = warm <= maxSeconds ? 0 : 1;
}
