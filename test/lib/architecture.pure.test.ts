import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

const LIB = resolve(__dirname, '../../lib');
const FILES = readdirSync(LIB, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts')).sort();

interface Import {
  readonly from: string;
  readonly to: string;
  readonly isType: boolean;
}

/** What lint keeps in one form: `import ... from '...'` at the beginning of a line. */
const IMPORT = /^(?:import|export) (type )?[^;]*? from '(\.[^']*)';$/gm;

const IMPORTS = FILES.flatMap(importsOf);

function importsOf(from: string): Import[] {
  return [...readFileSync(join(LIB, from), 'utf8').matchAll(IMPORT)].map(([, type, path]) => {
    const target = resolve(LIB, dirname(from), path);
    const file = existsSync(`${target}.ts`) ? `${target}.ts` : join(target, 'index.ts');
    return { from, to: relative(LIB, file), isType: type !== undefined };
  });
}

/** Imports on a way from a file back to itself. */
function inCircles(imports: Import[]): Import[] {
  const next = new Map<string, string[]>();
  imports.forEach(({ from, to }) => next.set(from, [...next.get(from) ?? [], to]));
  const reachable = (file: string) => {
    const found = new Set(next.get(file));
    for (const each of found) {
      next.get(each)?.forEach(further => found.add(further));
    }
    return found;
  };
  const reachableFrom = new Map(FILES.map(file => [file, reachable(file)]));
  return imports.filter(({ from, to }) => reachableFrom.get(to)?.has(from));
}

/** The first folder of a path; none for the public constructs, among which are the mixins. */
function folderOf(file: string): string {
  const [first, ...rest] = file.split(sep);
  return rest.length === 0 || first === 'mixins' ? '' : first;
}

test('finds the imports of the whole folder', () => {
  expect(FILES.length).toBeGreaterThan(100);
  expect(IMPORTS.filter(({ to }) => !FILES.includes(to))).toEqual([]);
  expect(IMPORTS).toContainEqual({ from: 'index.ts', to: 'privileges.ts', isType: false });
  const [from, to] = ['declared-role.ts', 'access-model.ts'].map(file => join('model', file));
  expect(IMPORTS).toContainEqual({ from, to, isType: true });
});

test('finds a circle', () => {
  const [a, b, c] = FILES;
  const circle = [{ from: a, to: b, isType: false }, { from: b, to: a, isType: true }];
  expect(inCircles([...circle, { from: a, to: c, isType: false }])).toEqual(circle);
});

test('no files need each other, not even their types', () => {
  expect(inCircles(IMPORTS)).toEqual([]);
});

test('has the folders that eslint.config.mjs has the layers of, and none deeper than it looks', () => {
  const folders = [...new Set(FILES.map(folderOf))].sort();
  expect(folders).toEqual(['', 'alarms', 'checks', 'contract', 'database', 'model', 'provisioner', 'report']);
  expect(FILES.filter(file => file.split(sep).length > 3)).toEqual([]);
});
