import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { read, ROOT } from './pages';

/** What the functions write to their log, by the text in the call. */
const NOTICES = readdirSync(join(ROOT, 'lambda'), { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.ts'))
  .map(name => readFileSync(join(ROOT, 'lambda', name), 'utf8'))
  .flatMap(text =>
    [...text.matchAll(/log\.(?:info|warn|error)\(\s*(?:\w+ \? '([^']+)' : )?'([^']+)'/g)].flatMap(
      ([, first, second]) => [first, second],
    ),
  )
  .filter(notice => notice !== undefined);

/** The first column of the table of notices. */
const SHOWN = read('docs/troubleshooting.md').split('| notice | says |')[1].split('\n\n')[0].split('\n')
  .flatMap(row => [...row.split(' | ')[0].matchAll(/`([^`]+)`/g)].map(([, notice]) => notice));

test('docs/troubleshooting.md has each notice of the functions, and no other', () => {
  expect(NOTICES.length).toBeGreaterThan(30);
  expect([...new Set(SHOWN)].sort()).toEqual([...new Set(NOTICES)].sort());
  expect(new Set(SHOWN).size).toBe(SHOWN.length);
});
