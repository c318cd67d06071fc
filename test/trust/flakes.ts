import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Item, Options, Outcome, Violation } from './item';

const RUNS = 10;

/** Does nothing, as fast as it can. */
const BUSY = 'for (;;);';

async function run({ runs = RUNS, isOver, progress }: Options): Promise<Outcome> {
  const violations: Violation[] = [];
  const figures = { 'runs of npm test': 0, 'beside a busy process': 0, 'red': 0 };
  for (let n = 0; n < runs && !isOver(); n++) {
    const busy = n % 2 === 1 ? spawn(process.execPath, ['-e', BUSY], { stdio: 'ignore' }) : undefined;
    const tests = spawn('npm', ['test'], { cwd: join(__dirname, '../..'), stdio: ['ignore', 'inherit', 'inherit'] });
    const code = await new Promise<number | null>(resolve => tests.on('close', resolve));
    busy?.kill();
    figures['runs of npm test']++;
    figures['beside a busy process'] += busy === undefined ? 0 : 1;
    if (code !== 0) {
      figures.red++;
      violations.push({
        what: `run ${n + 1}${busy === undefined ? '' : ', beside a busy process,'} is red`,
        replay: `--runs ${n + 1}`,
      });
    }
    progress(`${n + 1} of ${runs} runs, ${figures.red} red`);
  }
  return { figures, violations };
}

export const FLAKES: Item = {
  name: 'flakes',
  title: 'Runs of all tests',
  goal: `${RUNS} runs in a row without a red one`,
  claim: '`npm test` runs again and again, every second time beside a process that keeps a core busy.',
  canFail: 'It fails if a test fails in one of the runs.',
  run,
};
