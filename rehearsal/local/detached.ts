import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, Socket } from 'node:net';
import { basename, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { baseFolders, PREFIX, RunFolder } from '../run-folder';

/** A local database whose command line has ended. */
export interface Detached {
  readonly id: string;
  /** What was deployed, as it was named. */
  readonly source: string;
  /** Where it was started. */
  readonly startedIn: string;
  /** Folder of its run, which goes with it. */
  readonly runFolder: string;
}

/** Both are in the folder of the run: whatever ends the run removes them. */
const DESCRIPTION = 'detached.json';
const CONTROL = 'control';

const WAIT_MILLISECONDS = 50;
const MAX_WAITS = 600;

/** Lets this process be found, and be ended. @returns when it is to end */
export async function untilStopped(
  source: string,
  startedIn: string,
  ready: (detached: Detached) => void,
): Promise<void> {
  const { path: runFolder } = RunFolder.open();
  const detached: Detached = { id: basename(runFolder).slice(PREFIX.length), source, startedIn, runFolder };
  const server = createServer();
  const asked = once(server, 'connection');
  const signalled = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  server.listen(join(runFolder, CONTROL));
  await once(server, 'listening');
  writeFileSync(join(runFolder, DESCRIPTION), JSON.stringify(detached), { mode: 0o600 });
  ready(detached);
  await Promise.race([asked.then(([socket]: Socket[]) => socket.destroy()), signalled]);
  server.close();
}

/** Those of this user that run. */
export function findDetached(): Detached[] {
  const folders = baseFolders()
    .filter(existsSync)
    .flatMap(base =>
      readdirSync(base)
        .filter(name => name.startsWith(PREFIX))
        .map(name => join(base, name)),
    );
  return folders.filter(isOwn).flatMap((folder): Detached[] => {
    try {
      return [JSON.parse(readFileSync(join(folder, DESCRIPTION), 'utf8')) as Detached];
    } catch {
      return []; // it is not detached, or it goes at this moment
    }
  });
}

/** Ends one, and waits until nothing is left of it. */
export async function stopDetached({ runFolder }: Detached): Promise<void> {
  // One that has ended does not answer, and is cleaned up by itself.
  const socket = connect(join(runFolder, CONTROL)).on('error', () => undefined);
  for (let waits = 0; existsSync(runFolder); waits++) {
    if (waits === MAX_WAITS) {
      throw new Error(
        `${runFolder} is still there after ${(MAX_WAITS * WAIT_MILLISECONDS) / 1000} s, and should have gone with `
        + 'the processes that use it; end those, and remove it',
      );
    }
    await setTimeout(WAIT_MILLISECONDS);
  }
  socket.destroy();
}

/** Another user of the machine must not lead this one anywhere. */
function isOwn(folder: string): boolean {
  try {
    return statSync(folder).uid === process.getuid?.();
  } catch {
    return false;
  }
}
