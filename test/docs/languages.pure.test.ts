import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { samplesOf } from './pages';

const ROOT = join(__dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

const sample = (page: string, language: string) =>
  samplesOf(page).find(({ info }) => info.split(' ')[0] === language)!.code;

/** The app of README.md as JavaScript that Node.js runs without a compiler. */
const asJavaScript = (code: string) => code
  .replace(/^import (\{.*\}) from (.*);$/gm, 'const $1 = require($2);')
  .replace(/^import \* as (\w+) from (.*);$/gm, 'const $1 = require($2);');

/** The names that a program calls, as TypeScript spells them. */
const callsOf = (code: string) => [...code.matchAll(/\.([a-zA-Z_]\w*)\(/g)]
  .map(([, name]) => name.replace(/_([a-z\d])/g, (_, letter: string) => letter.toUpperCase())).sort();

describe('docs/languages.md', () => {
  test('has the app of README.md in JavaScript', () => {
    expect(sample('docs/languages.md', 'js')).toBe(asJavaScript(sample('README.md', 'ts')));
  });

  test('has it in Python, with the same calls and the one that Python needs at the end', () => {
    const python = sample('docs/languages.md', 'python');
    const classes = /\.(DatabaseCluster|Vpc|Role|AccountRootPrincipal)\(/;
    const calls = callsOf(python);
    expect(calls.length).toBeGreaterThan(10);
    expect(calls.filter(name => name !== 'synth')).toEqual(callsOf(sample('README.md', 'ts')));
    expect(python).toMatch(classes);
    expect(python).toMatch(/^app\.synth\(\)\n$/m);
  });

  test.each([
    ['java', 'examples/languages/java/src/main/java/example/QuickStart.java'],
    ['go', 'examples/languages/go/quickstart/main.go'],
  ])('has the quick start in %s as it is built', (language, file) => {
    expect(sample('docs/languages.md', language)).toBe(read(file));
  });
});

describe('examples/languages', () => {
  const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: Record<string, string> };

  test.each(['python/requirements.txt', 'java/pom.xml', 'go/go.mod'])(
    '%s has the versions of aws-cdk-lib and constructs that the templates of TypeScript are made with',
    (file) => {
      const text = read(`examples/languages/${file}`);
      expect(text).toContain(devDependencies['aws-cdk-lib']);
      expect(file.endsWith('go.mod') || text.includes(devDependencies.constructs)).toBe(true);
    },
  );
});
