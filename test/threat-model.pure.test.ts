import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const ROOT = join(__dirname, '..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

const ROWS = read('SECURITY.md').split('\n').filter(line => line.startsWith('| ')).slice(1)
  .map(line => line.split('|').slice(1, -1).map(cell => cell.trim()));

/** The parts of docs/security.md, each with its headline. */
const SECTIONS = read('docs/security.md')
  .split(/^(?=##+ )/m)
  .slice(1)
  .map((text): [string, string] => [text.split('\n')[0], text]);

/** The tests that a text names, relative to where it stands: `[title](file): "name", "name"`. */
function testsIn(text: string): { file: string; names: string[] }[] {
  return [...text.matchAll(/\]\(([^)]*\.test\.ts)\)((?:[:,] "[^"]+")*)/g)].map(([, file, list]) => ({
    file,
    names: [...list.matchAll(/"([^"]+)"/g)].map(([, name]) => name),
  }));
}

/** With a name right behind the parenthesis in front of it, which may end the line before. */
const sourceOf = (file: string) => read(file).replaceAll("\\'", "'").replace(/\(\s+/g, '(');

/** What is named in a text that stands in a file, and does not exist. */
function missing(text: string, from: string): string[] {
  return testsIn(text).flatMap(({ file, names }) => {
    const path = relative(ROOT, join(ROOT, dirname(from), file));
    if (!existsSync(join(ROOT, path))) {
      return [path];
    }
    const source = sourceOf(path);
    return names
      .filter(name => !["'", '"', '`'].some(quote => source.includes(`(${quote}${name}${quote},`)))
      .map(name => `${path}: ${name}`);
  });
}

/** Whether `npm test` leaves a test of a file to `npm run test:full`. */
function isFull(file: string, name: string): boolean {
  const source = sourceOf(file);
  const at = Math.max(...['\'', '"', '`'].map(quote => source.indexOf(`(${quote}${name}${quote},`)));
  const [beginning] = source
    .slice(0, at)
    .split('\n')
    .filter(line => /^\s*(full\.)?(test|describe)\b/.test(line))
    .slice(-1);
  return beginning.trim().startsWith('full.');
}

describe('the threat model in SECURITY.md', () => {
  test('has four columns in each row', () => {
    expect(ROWS.length).toBeGreaterThan(10);
    expect(ROWS.filter(cells => cells.length !== 4)).toEqual([]);
  });

  test.each(ROWS.map(cells => [cells[0], cells[3]]))('names tests that exist: %s', (_, cell) => {
    expect(testsIn(cell)).not.toEqual([]);
    expect(testsIn(cell).filter(({ names }) => names.length === 0)).toEqual([]);
    // Each part of the cell is one of them.
    expect(testsIn(cell)).toHaveLength(cell.split('; [').length);
    expect(missing(cell, 'SECURITY.md')).toEqual([]);
  });

  test('names tests that npm test runs', () => {
    const named = testsIn(read('SECURITY.md')).flatMap(({ file, names }) => names.map(name => ({ file, name })));
    expect(named.filter(({ file, name }) => isFull(file, name))).toEqual([]);
  });

  test('would not pass with one that it leaves to npm run test:full', () => {
    expect(isFull('test/rehearsal/network.server.test.ts', 'outside of the VPC it does not reach the database')).toBe(
      false,
    );
    expect(
      isFull(
        'test/rehearsal/shop.server.test.ts',
        "tables of the migrations are the service's to write and the analysts' to read, and nothing is left in the end",
      ),
    ).toBe(true);
    expect(
      isFull(
        'test/rehearsal/network.server.test.ts',
        'isolated ones, %s for Secrets Manager: the deployment fails, and says which endpoint to add',
      ),
    ).toBe(true);
  });
});

describe('docs/security.md', () => {
  test.each(SECTIONS)('names tests that exist: %s', (_, text) => {
    expect(missing(text, 'docs/security.md')).toEqual([]);
  });

  test.each(SECTIONS)('has a test or a source: %s', (_, text) => {
    expect(text).toMatch(/\]\((https:\/\/|[^)]*\.test\.ts\))/);
  });

  test('names most of what it says by the names of tests', () => {
    expect(SECTIONS.flatMap(([, text]) => testsIn(text).flatMap(({ names }) => names)).length).toBeGreaterThan(100);
  });
});
