import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { RunFolder, SERVER_USER } from '../run-folder';
import { shared } from '../shared-folder';
import { binariesFolder, PostgresqlMajor } from './binaries';

/** The bootstrap superuser, as on RDS. */
export const SUPERUSER = 'rdsadmin';

/** Of all programs of PostgreSQL. */
export const ENVIRONMENT = { LC_ALL: 'C', TZ: 'UTC', PATH: process.env.PATH };

/** A fresh data folder to copy, since initdb takes ten times as long as a copy. */
export function dataFolderTemplate(major: PostgresqlMajor): Promise<string> {
  return shared(`data-folder-${major}`, folder => initialize(major, folder));
}

async function initialize(major: PostgresqlMajor, folder: string): Promise<void> {
  mkdirSync(folder, { mode: 0o700 });
  if (SERVER_USER.uid !== undefined) {
    chownSync(folder, SERVER_USER.uid, SERVER_USER.gid);
  }
  const args = [
    '-D',
    folder,
    '-U',
    SUPERUSER,
    '--auth=trust',
    '--encoding=UTF8',
    '--locale=C',
    '-N',
    '--wal-segsize=1',
  ];
  const child = RunFolder.open().spawn(join(await binariesFolder(major), 'initdb'), args, 'KILL', {
    ...SERVER_USER, env: ENVIRONMENT, stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => output += text);
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', code =>
      code === 0
        ? resolve()
        : reject(new Error(`initdb of PostgreSQL ${major} failed: ${output.trim()}${remedy(output)}`)),
    );
  });
}

function remedy(output: string): string {
  return output.includes('could not look up effective user ID')
    ? ': PostgreSQL needs a user with a name; add one to /etc/passwd'
    : '';
}
