/**
 * Compiles the TypeScript of all pages, of README.md and of the doc comments: `npx projen samples`. jsii-rosetta does
 * it for what an assembly has, in one program. So it gets a copy of the assembly whose README has the samples of the
 * pages, too.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const ROOT = join(__dirname, '..');

export interface Sample {
  readonly page: string;
  /** In the page, from 1 on: of the first line of the sample. */
  readonly line: number;
  /** What is behind the backticks, such as `ts nofixture`. */
  readonly info: string;
  readonly code: string;
}

/** The samples of a page, in any language, without what indents them. */
export function samplesOf(page: string, text: string): Sample[] {
  const samples: Sample[] = [];
  let open: { indent: string; info: string; line: number; code: string[] } | undefined;
  text.split('\n').forEach((line, index) => {
    const [, indent, info] = /^(\s*)```(.*)$/.exec(line) ?? [];
    if (open === undefined) {
      open = indent === undefined ? undefined : { indent, info, line: index + 2, code: [] };
    } else if (indent === undefined) {
      open.code.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line.trimStart());
    } else {
      samples.push({ page, line: open.line, info: open.info, code: `${open.code.join('\n')}\n` });
      open = undefined;
    }
  });
  return samples;
}

/** The pages that the package has, from its root. */
export function pagesOfPackage(): string[] {
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).filter(name =>
    name.endsWith('.md'),
  );
  return ['README.md', ...docs.map(name => `docs/${name}`)].sort();
}

/** One Markdown file with the samples of all pages, each with where it comes from. */
export function readmeOf(samples: Sample[]): string {
  return samples.map(({ page, line, info, code }) => `\`\`\`${info}\n// ${page}:${line}\n${code}\`\`\`\n`).join('\n');
}

export function typescriptOfPages(): Sample[] {
  return pagesOfPackage()
    .flatMap(page => samplesOf(page, readFileSync(join(ROOT, page), 'utf8')))
    .filter(({ info }) => info.split(' ')[0] === 'ts');
}

function main(): void {
  const samples = typescriptOfPages();
  const folder = mkdtempSync(join(ROOT, '.samples-'));
  try {
    const assembly = JSON.parse(readFileSync(join(ROOT, '.jsii'), 'utf8')) as object;
    writeFileSync(join(folder, '.jsii'), JSON.stringify({ ...assembly, readme: { markdown: readmeOf(samples) } }));
    for (const name of ['package.json', 'build', 'node_modules', 'rosetta']) {
      symlinkSync(relative(folder, join(ROOT, name)), join(folder, name));
    }
    mkdirSync(join(folder, 'lib'));
    execFileSync('npx', ['jsii-rosetta', 'extract', folder, '--strict', '--batch'], { cwd: ROOT, stdio: 'inherit' });
    console.log(`${samples.length} samples of ${new Set(samples.map(({ page }) => page)).size} pages compile`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (require.main === module) {
  main();
}
