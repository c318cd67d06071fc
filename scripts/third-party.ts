/** Licences of the packages that a bundle includes. */
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Metafile } from 'esbuild';

const root = resolve(__dirname, '..');

const LICENCES = ['Apache-2.0', 'MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause'];

export const byName = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** Directory of the package that owns a bundled file; undefined for our own sources. */
function packageDir(input: string): string | undefined {
  const at = input.lastIndexOf('node_modules/');
  if (at < 0) {
    return undefined;
  }
  const parts = input.slice(at).split('/');
  return input.slice(0, at) + parts.slice(0, parts[1].startsWith('@') ? 3 : 2).join('/');
}

/** The licence texts of one package: its LICENSE and NOTICE files, or the licence section of its readme. */
function licenceText(dir: string): string {
  const read = (file: string) => readFileSync(join(root, dir, file), 'utf8').replace(/\r\n/g, '\n').trim();
  const files = readdirSync(join(root, dir)).sort(byName);
  const texts = files.filter(f => /^(licen[cs]e|notice|copying)/i.test(f)).map(read);
  const readme = files.find(f => /^readme\.md$/i.test(f));
  if (texts.length === 0 && readme) {
    const section = /^#+ *licen[cs]e\b[^\n]*\n([\s\S]*?)(?=^#+ |$(?![\s\S]))/im.exec(read(readme));
    texts.push(...(section ? [section[1].trim()] : []));
  }
  return texts.join('\n\n');
}

/** Licences of everything that really is in the output (what was tree-shaken away does not count). */
export function notices({ inputs }: Metafile['outputs'][string]): string {
  const dirs = Object.entries(inputs)
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([input]) => packageDir(input));
  const packages = [...new Set(dirs.filter(dir => dir !== undefined))].map((dir) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, dir, 'package.json'), 'utf8')) as Record<
      string,
      string
    >;
    if (!LICENCES.includes(license)) {
      throw new Error(
        `The licence of ${name}@${version} is ${license}; what is bundled has one of ${LICENCES.join(', ')}`,
      );
    }
    const text = licenceText(dir);
    if (!text && license !== 'Apache-2.0') {
      throw new Error(`No licence text found for ${name}@${version} (${license})`);
    }
    return {
      title: `** ${name}@${version} - ${license}`,
      text: text || '(no licence file in the package; the text of the Apache License 2.0 is in this file)',
    };
  });
  const byText = new Map<string, string[]>();
  for (const { title, text } of packages.sort((a, b) => byName(a.title, b.title))) {
    byText.set(text, [...byText.get(text) ?? [], title]);
  }
  const sections = [...byText].map(([text, titles]) => `${titles.join('\n')}\n\n${text}\n`);
  return ['This bundle includes the third-party packages listed below.\n', ...sections].join(`\n${'-'.repeat(80)}\n\n`);
}
