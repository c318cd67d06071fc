import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { RunFolder, SERVER_USER } from '../run-folder';
import { binariesFolder, PostgresqlMajor } from './binaries';

/** The bootstrap superuser, as on RDS. */
export const SUPERUSER = 'rdsadmin';

/** Of all programs of PostgreSQL. */
export const ENVIRONMENT = { LC_ALL: 'C', TZ: 'UTC', PATH: process.env.PATH };

/** Environment variable: a folder with a template by the name of each major, where many processes share them. */
export const TEMPLATES = 'POSTGRESQL_DATA_FOLDER_TEMPLATES';

/** Between two servers started one after the other. */
const IDLE_MILLISECONDS = 2000;

/**
 * Fresh data folders to copy, since initdb takes ten times as long as a copy. They go when no server is left, and
 * not only with the process: the many test files that one process runs each have their own.
 */
export class DataFolderTemplates {
  private static readonly folders = new Map<PostgresqlMajor, Promise<string>>();
  private static users = 0;

  /** Each use is to be released. */
  static async use(major: PostgresqlMajor): Promise<string> {
    this.users++;
    const shared = process.env[TEMPLATES];
    if (shared !== undefined) {
      return join(shared, String(major));
    }
    const folder = this.folders.get(major) ?? initialize(major, RunFolder.open().newPath(`template-${major}`));
    this.folders.set(major, folder);
    return folder;
  }

  static release(): void {
    this.users--;
    setTimeout(() => void this.removeIdle(), IDLE_MILLISECONDS).unref();
  }

  private static async removeIdle(): Promise<void> {
    if (this.users === 0) {
      const folders = [...this.folders.values()];
      this.folders.clear();
      (await Promise.allSettled(folders)).forEach(result => result.status === 'fulfilled' && RunFolder.open().remove(result.value));
    }
  }
}

/** A new data folder. */
export async function initialize(major: PostgresqlMajor, folder: string): Promise<string> {
  mkdirSync(folder, { mode: 0o700 });
  if (SERVER_USER.uid !== undefined) {
    chownSync(folder, SERVER_USER.uid, SERVER_USER.gid);
  }
  const args = ['-D', folder, '-U', SUPERUSER, '--auth=trust', '--encoding=UTF8', '--locale=C', '-N', '--wal-segsize=1'];
  const child = RunFolder.open().spawn(join(binariesFolder(major), 'initdb'), args, 'KILL', {
    ...SERVER_USER, env: ENVIRONMENT, stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => output += text);
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', code => code === 0 ? resolve() : reject(new Error(`initdb of PostgreSQL ${major} failed: ${output.trim()}${remedy(output)}`)));
  });
  return folder;
}

function remedy(output: string): string {
  return output.includes('could not look up effective user ID') ? ': PostgreSQL needs a user with a name; add one to /etc/passwd' : '';
}
