import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { RunFolder } from '../../rehearsal/run-folder';
import { firstOf } from '../full';

const SCRIPT = join(__dirname, 'fixtures/leave-behind.ts');
const SHARED_MEMORY = '/proc/sysvipc/shm';

/** Command lines of processes that have to do with the folder, or ran the handler that does not end. */
function processesOf(folder: string): string[] {
  return execFileSync('ps', ['-A', '-o', 'args='], { encoding: 'utf8' })
    .split('\n')
    .filter(line => line.includes(folder));
}

function childrenOf(pid: number): number[] {
  const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(row => row.trim().split(/\s+/).map(Number));
  return rows.filter(([, parent]) => parent === pid).map(([child]) => child);
}

/** Ids of shared-memory segments that a process made. */
function segmentsOf(pid: number): string[] {
  if (!existsSync(SHARED_MEMORY)) {
    return [];
  }
  return readFileSync(SHARED_MEMORY, 'utf8')
    .split('\n')
    .map(row => row.trim().split(/\s+/))
    .filter(row => row[4] === `${pid}`)
    .map(row => row[1]);
}

const isRunning = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

async function eventually(condition: () => boolean): Promise<boolean> {
  for (let i = 0; i < 100 && !condition(); i++) {
    await new Promise(done => setTimeout(done, 100));
  }
  return condition();
}

describe('nothing is left behind', () => {
  test.each(firstOf<[string, string, NodeJS.Signals | undefined]>(1, [
    ['is killed', 'wait', 'SIGKILL'],
    ['ends without stopping its server', 'exit', undefined],
    ['is interrupted with Ctrl-C', 'wait', 'SIGINT'],
  ]))('by a process that %s', async (_name, ending, signal) => {
    // A process group of its own, as a terminal would make it.
    const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, ending], {
      cwd: resolve(__dirname, '../..'), detached: true, stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit').then(() => ['{}']);
    const [line] = await Promise.race([once(child.stdout.setEncoding('utf8'), 'data'), ended]) as [string];
    const { folder, postgres } = JSON.parse(line) as { folder: string; postgres: number };
    const children = signal ? childrenOf(child.pid!) : [];
    if (signal) {
      expect(processesOf(folder).length).toBeGreaterThan(0);
      expect(children.length).toBeGreaterThanOrEqual(3); // the server, the handler, and the one that cleans up
      process.kill(signal === 'SIGINT' ? -child.pid! : child.pid!, signal);
    }
    expect(await eventually(() => !existsSync(folder))).toBe(true);
    expect(processesOf(folder)).toEqual([]);
    expect(await eventually(() => !children.some(isRunning))).toBe(true);
    expect(isRunning(postgres)).toBe(false);
    expect(segmentsOf(postgres)).toEqual([]);
  });

  test('by a server that was stopped', async () => {
    const server = await AuroraLikeServer.start({ major: 17 });
    const [{ folder, pid }] = await server.sql<{ folder: string; pid: number }>(
      'SELECT current_setting(\'data_directory\') AS folder, pg_backend_pid() AS pid');
    expect(processesOf(folder).length).toBeGreaterThan(0);
    await server.stop();
    expect(existsSync(folder)).toBe(false);
    expect(existsSync(server.caFile)).toBe(false);
    expect(processesOf(folder)).toEqual([]);
    expect(isRunning(pid)).toBe(false);
    expect(existsSync(RunFolder.open().path)).toBe(true);
  });
});
