import { ChildProcess, spawn, SpawnOptions } from 'node:child_process';
import { accessSync, chmodSync, constants, mkdirSync, mkdtempSync, rmSync, statfsSync, statSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** PostgreSQL refuses to run as root. 65534 is `nobody`, and initdb wants a user that has a name. */
export const SERVER_USER = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

/** A socket's path may have 107 bytes on Linux and 103 on macOS. */
const LONGEST_FOLDER = 70;

/** In front of the name of each run's folder. */
export const PREFIX = 'aurora-';

const ROOM_FOR_SERVERS = 1024 ** 3;

/**
 * Reads from a pipe whose other end only this process holds, so it sees the process end in every case:
 * return, Ctrl-C, crash, SIGKILL. SIGQUIT lets PostgreSQL give back its shared memory, SIGKILL would not.
 */
const JANITOR = `
started=
while read -r verb pid signal; do
  case $verb in
    started) started="$started $pid:$signal" ;;
    ended) rest=; for each in $started; do [ "\${each%:*}" = "$pid" ] || rest="$rest $each"; done; started=$rest ;;
  esac
done
for each in $started; do kill -s "\${each#*:}" "\${each%:*}"; done
for each in $started; do
  tries=0
  while kill -0 "\${each%:*}" && [ $tries -lt 100 ]; do sleep 0.05; tries=$((tries + 1)); done
  kill -s KILL "\${each%:*}"
done
rm -rf "$0" || { sleep 1; rm -rf "$0"; }
`;

/** The temp folder of this process and all processes started for it. Neither outlives this process. */
export class RunFolder {
  private static opened?: RunFolder;

  static open(): RunFolder {
    return RunFolder.opened ??= new RunFolder();
  }

  readonly path: string;
  private readonly janitor: ChildProcess;
  private folders = 0;

  private constructor() {
    if (process.platform === 'win32') {
      throw new Error(
        'platform win32 is not supported: PostgreSQL is reached through a unix socket; use Linux, macOS or WSL',
      );
    }
    this.path = mkdtempSync(join(baseFolder(), PREFIX));
    chmodSync(this.path, 0o755);
    // A session of its own, so that Ctrl-C in the terminal does not reach it.
    this.janitor = spawn('/bin/sh', ['-c', JANITOR, this.path], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      cwd: '/',
    });
    this.janitor.unref();
    (this.janitor.stdin as Socket).on('error', () => undefined).unref();
  }

  /** A new path inside; nothing is created. */
  newPath(name: string): string {
    return join(this.path, `${name}-${++this.folders}`);
  }

  /** A new folder inside that the server's user may pass through, whatever the umask is. */
  newFolder(name: string): string {
    const path = this.newPath(name);
    mkdirSync(path);
    chmodSync(path, 0o755);
    return path;
  }

  spawn(command: string, args: string[], signal: 'QUIT' | 'KILL' | 'TERM', options: SpawnOptions = {}): ChildProcess {
    const child = spawn(command, args, { cwd: this.path, ...options });
    const { pid } = child;
    if (pid !== undefined) {
      this.janitor.stdin?.write(`started ${pid} ${signal}\n`);
      child.once('exit', () => this.janitor.stdin?.write(`ended ${pid}\n`));
    }
    return child;
  }

  remove(path: string): void {
    rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
}

/** Where folders of runs are. */
export function baseFolders(): string[] {
  return [...new Set(['/dev/shm', tmpdir(), '/tmp'])];
}

/** In memory where there is room, because most of a test's time is data folders being copied. */
function baseFolder(): string {
  // The programs may have to be copied as well, and /dev/shm need not allow to run them.
  const memory
    = !process.env.TMPDIR && isOpenToServerUser(__dirname) && freeBytes('/dev/shm') > ROOM_FOR_SERVERS
      ? ['/dev/shm']
      : [];
  const candidates = [...memory, tmpdir(), '/tmp'];
  const suitable = candidates.find(
    folder => folder.length <= LONGEST_FOLDER && isWritable(folder) && isOpenToServerUser(folder),
  );
  if (!suitable) {
    throw new Error(`no temp folder among ${candidates.join(', ')} is writable and short enough for a unix socket `
      + `(${LONGEST_FOLDER} characters): set TMPDIR to one that is`);
  }
  return suitable;
}

function freeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return 0;
  }
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether the user that PostgreSQL runs as may pass through the folder and all its parents. */
export function isOpenToServerUser(folder: string): boolean {
  if (SERVER_USER.uid === undefined) {
    return true;
  }
  const { mode } = statSync(folder);
  const parent = dirname(folder);
  return (mode & 0o001) !== 0 && (parent === folder || isOpenToServerUser(parent));
}
