import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');
const ID = /cdk-aurora-iam-auth:[a-zA-Z]+/g;

const SOURCES = readdirSync(join(ROOT, 'lib'), { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.ts'))
  .map(name => readFileSync(join(ROOT, 'lib', name), 'utf8'));

const idsIn = (texts: string[]) => [...new Set(texts.flatMap(text => text.match(ID) ?? []))].sort();

test('docs/checks.md has the id of each warning of the constructs, and no other', () => {
  const table = readFileSync(join(ROOT, 'docs/checks.md'), 'utf8')
    .split('## Warnings of the constructs')[1]
    .split('\n## ')[0];
  expect(idsIn([table])).toEqual(idsIn(SOURCES));
  expect(idsIn(SOURCES).length).toBeGreaterThan(10);
});
