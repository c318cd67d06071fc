import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..');
const ROWS = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8').split('\n').filter(line => line.startsWith('| ')).slice(1)
  .map(line => line.split('|').slice(1, -1).map(cell => cell.trim()));

/** The tests that a cell names: `[title](file): "name", "name"; [title](file): "name"`. */
function testsIn(cell: string): { file: string; names: string[] }[] {
  return cell.split('; [').map(part => ({
    file: /\]\((.+?)\)/.exec(part)?.[1] ?? part,
    names: [...part.matchAll(/"([^"]+)"/g)].map(([, name]) => name),
  }));
}

describe('the threat model in SECURITY.md', () => {
  test('has four columns in each row', () => {
    expect(ROWS.length).toBeGreaterThan(10);
    expect(ROWS.filter(cells => cells.length !== 4)).toEqual([]);
  });

  test.each(ROWS.map(cells => [cells[0], cells[3]]))('names tests that exist: %s', (_, cell) => {
    for (const { file, names } of testsIn(cell)) {
      expect(`${file} exists: ${existsSync(join(ROOT, file))}`).toBe(`${file} exists: true`);
      const source = readFileSync(join(ROOT, file), 'utf8');
      expect(names).not.toEqual([]);
      expect(names.filter(name => !['\'', '"', '`'].some(quote => source.includes(`(${quote}${name}${quote},`)))).toEqual([]);
    }
  });
});
