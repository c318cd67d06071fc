import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { samplesOf as samplesIn } from '../../scripts/samples';

export const ROOT = join(__dirname, '../..');

export const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

/** What people read on GitHub, npm and Construct Hub, but for API.md, which the source generates. */
export const PAGES = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--', '*.md'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter(file =>
    /^(README|SECURITY|CONTRIBUTING|CHANGELOG)\.md$|^(docs|cli|examples|integ-tests\/first-deployment)\//.test(file),
  )
  .sort();

/** The samples of a page, in any language. */
export const samplesOf = (page: string) => samplesIn(page, read(page));

/** A page without its samples; lines stay where they are. */
export function withoutSamples(text: string): string {
  let inside = false;
  return text.split('\n').map((line) => {
    const isFence = /^\s*```/.test(line);
    const keep = !inside && !isFence;
    inside = inside !== isFence;
    return keep ? line : '';
  }).join('\n');
}

/** The anchors of the headlines of a page, as GitHub makes them. */
export function anchorsOf(text: string): string[] {
  const seen = new Map<string, number>();
  return [...withoutSamples(text).matchAll(/^#+ (.*)$/gm)].map(([, title]) => {
    const anchor = title
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-');
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
}
