import { existsSync, mkdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { RunFolder } from './run-folder';

/** Environment variable: the shared folder, where a run has several processes. */
export const SHARED_FOLDER = 'REHEARSAL_SHARED_FOLDER';

const POLL_MILLISECONDS = 20;

let own: string | undefined;

/**
 * Something that takes long to make and is used by all processes of a run: the first who needs it makes it, the others
 * wait. It goes with the run.
 */
export async function shared(name: string, make: (path: string) => Promise<void>): Promise<string> {
  const path = join(process.env[SHARED_FOLDER] ?? (own ??= RunFolder.open().newFolder('shared')), name);
  while (!existsSync(path)) {
    if (!lock(path)) {
      await setTimeout(POLL_MILLISECONDS);
      continue;
    }
    try {
      // Another process may have finished it between the question and the lock.
      if (!existsSync(path)) {
        const unfinished = `${path}.unfinished`;
        rmSync(unfinished, { recursive: true, force: true });
        await make(unfinished);
        renameSync(unfinished, path);
      }
    } finally {
      rmdirSync(`${path}.lock`);
    }
  }
  return path;
}

function lock(path: string): boolean {
  try {
    mkdirSync(`${path}.lock`);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      return false;
    }
    throw error;
  }
}
