/**
 * `npm run test:languages -- python java go`: generates the library for other languages, builds the samples of
 * examples/languages with it, and compares what they synthesize with the same samples in TypeScript. Without names, all
 * languages whose tools are there. .NET is generated alone.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CheckList } from '../../rehearsal/check-list';
import type { CloudAssembly } from '../../rehearsal/cloudformation/cloud-assembly';
import { synthesize, synthesizeWith } from '../../rehearsal/cloudformation/synthesize';
import { differences } from './differences';
import { go } from './go';
import { java } from './java';
import { type Language, run, type Sample } from './language';
import { python } from './python';

const ROOT = resolve(__dirname, '../..');
const LANGUAGES = [python, java, go];
const SAMPLES: Sample[] = ['quick-start', 'shop'];

const SAME = 'the template of TypeScript';

const list = new CheckList(console.log);

function selected(): Language[] {
  const names = process.argv.slice(2);
  const unknown = names.find(name => LANGUAGES.every(language => language.name !== name));
  if (unknown !== undefined) {
    throw new Error(`there is no language ${unknown}; there are ${LANGUAGES.map(({ name }) => name).join(', ')}`);
  }
  return LANGUAGES.filter(({ name, tools }) => {
    const missing = tools.filter(tool => spawnSync('which', [tool]).status !== 0);
    if (names.length === 0 && missing.length > 0) {
      console.log(`skipped  ${name}: ${missing.join(' and ')} is not here`);
    }
    return names.length === 0 ? missing.length === 0 : names.includes(name);
  });
}

async function main(folder: string): Promise<void> {
  const languages = selected();
  const generated = join(folder, 'generated');
  run(
    ROOT,
    process.execPath,
    join(ROOT, 'node_modules/jsii-pacmak/bin/jsii-pacmak'),
    '--code-only',
    '--targets',
    ...languages.map(({ name }) => name),
    'dotnet',
    '--outdir',
    generated,
  );
  console.log('generated  dotnet: source only, it is not compiled');
  const expected = new Map<Sample, CloudAssembly>();
  for (const sample of SAMPLES) {
    expected.set(sample, await synthesize(`examples/${sample}/app.ts`));
  }
  for (const language of languages) {
    const own = join(folder, language.name);
    mkdirSync(own);
    const command = language.build(join(generated, language.name), own);
    for (const sample of SAMPLES) {
      const found = differences(expected.get(sample)!, await synthesizeWith(command(sample), own));
      list.check(`${sample} in ${language.name}`, SAME, found.length === 0 ? SAME : found.join('; '));
    }
  }
  list.table();
  process.exitCode = list.failed === 0 ? 0 : 1;
}

const folder = mkdtempSync(join(tmpdir(), 'languages-'));
main(folder).catch((error: unknown) => {
  console.error(`test:languages: ${(error as Error).message}`);
  process.exitCode = 1;
}).finally(() => rmSync(folder, { recursive: true, force: true }));
