import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PAGES, read, ROOT } from './pages';

/** The actions of GitHub that a text has a workflow run, as in `actions/checkout@<commit>`. */
const actionsIn = (text: string) =>
  [...text.matchAll(/^\s*(?:-\s+)?["']?uses["']?:\s*["']?([^\s"'#]+)/gm)].map(([, action]) => action);

const WORKFLOWS = join(ROOT, '.github/workflows');
const OURS = readdirSync(WORKFLOWS).flatMap(file => actionsIn(readFileSync(join(WORKFLOWS, file), 'utf8')));
const SHOWN = PAGES.flatMap(page => actionsIn(read(page)).map(action => ({ page, action })));

test('actions are found however a step is written', () => {
  expect(
    actionsIn('      - uses: a/b@v4\n        uses: a/c@v1 # two\n- "uses": "a/d/e@main"\n- run: uses a/f@v4'),
  ).toEqual(['a/b@v4', 'a/c@v1', 'a/d/e@main']);
  expect(new Set(SHOWN.map(({ page }) => page))).toEqual(new Set(['docs/access-diff.md', 'docs/plan.md']));
});

test('a workflow that a page shows names actions by their commits: what a tag is can be changed by others', () => {
  expect(SHOWN.filter(({ action }) => !/^[\w.-]+\/[\w./-]+@[0-9a-f]{40}$/.test(action))).toEqual([]);
});

test('an action that the workflows of this project run has the same commit on a page', () => {
  const nameOf = (action: string) => action.split('@')[0];
  const known = SHOWN.filter(({ action }) => OURS.some(each => nameOf(each) === nameOf(action)));
  expect(known.length).toBeGreaterThan(4);
  expect(known.filter(({ action }) => !OURS.includes(action))).toEqual([]);
});
