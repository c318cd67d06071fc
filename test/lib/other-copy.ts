import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type * as library from '../../lib';

export type Library = typeof library;

const ROOT = resolve(__dirname, '../..');

/**
 * The library once more, with its own classes and modules, beside the same aws-cdk-lib: as in an app that gets the
 * library from two packages.
 *
 * @param format of its access model, as another version may have it
 */
export function otherCopy(format?: number): Library {
  const folder = mkdtempSync(join(tmpdir(), 'other-copy-'));
  ['lib', 'assets'].forEach(name => cpSync(join(ROOT, name), join(folder, name), { recursive: true }));
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  if (format !== undefined) {
    const file = join(folder, 'lib/model/app-access.ts');
    const source = readFileSync(file, 'utf8');
    const changed = source.replace(/^const FORMAT = \d+;$/m, `const FORMAT = ${format};`);
    if (changed === source) {
      throw new Error(`${file} has no FORMAT`);
    }
    writeFileSync(file, changed);
  }
  return jest.requireActual(join(folder, 'lib'));
}
