import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { RunFolder } from '../../rehearsal/run-folder';
import { run } from './program';

const APT_ENVIRONMENT = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };

/**
 * Installs packages; returns why it could not. What is there already is not upgraded: a database server of the machine
 * would be restarted.
 */
export async function install(packages: string[]): Promise<string | undefined> {
  if (process.getuid?.() !== 0) {
    return 'only root can install packages';
  }
  return apt([
    'install',
    '--yes',
    '--no-upgrade',
    '--no-install-recommends',
    '-o',
    'DPkg::Lock::Timeout=120',
    ...packages,
  ]);
}

/** Unpacks packages into a folder, which is returned; nothing is installed. Throws why it cannot. */
export async function unpack(packages: string[]): Promise<string> {
  const folder = RunFolder.open().newFolder('packages');
  const hindrance = await apt(['download', ...packages], folder);
  if (hindrance !== undefined) {
    throw new Error(`${packages.join(' ')} could not be downloaded: ${hindrance}`);
  }
  for (const file of readdirSync(folder).filter(name => name.endsWith('.deb'))) {
    const { code, stderr } = await run('dpkg-deb', ['--extract', join(folder, file), folder]);
    if (code !== 0) {
      throw new Error(stderr.trim());
    }
  }
  return folder;
}

/** Returns why it failed. */
async function apt(args: string[], cwd?: string): Promise<string | undefined> {
  const attempt = (words: string[]) =>
    run('apt-get', ['--quiet', ...words], { ...(cwd === undefined ? {} : { cwd }), env: APT_ENVIRONMENT });
  let result = await attempt(args);
  if (result.code !== 0 && process.getuid?.() === 0) {
    // The lists of a new machine are empty, those of another may be old.
    await attempt(['update']);
    result = await attempt(args);
  }
  if (result.code === 127) {
    return 'there is no apt-get';
  }
  return result.code === 0
    ? undefined
    : (result.stderr.split('\n').find(line => line.startsWith('E: ')) ?? `apt-get failed: ${result.stderr.trim()}`);
}
