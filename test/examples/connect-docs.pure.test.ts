import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');
const CLIENTS = join(ROOT, 'examples/clients');

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const recipes = (file: string) =>
  readdirSync(CLIENTS)
    .map(name => `examples/clients/${name}/${file}`)
    .filter(path => existsSync(join(ROOT, path)));
const samples = (page: string, language: string) =>
  [...read(page).matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map(([, code]) => code);

const PAGES = [
  ['docs/connect/nodejs.md', 'js', 'recipe.mjs'],
  ['docs/connect/python.md', 'python', 'recipe.py'],
  ['docs/connect/java.md', 'java', 'Recipe.java'],
  ['docs/connect/go.md', 'go', 'recipe.go'],
  ['docs/connect/rust.md', 'rust', 'recipe.rs'],
];

describe.each(PAGES)('%s', (page, language, file) => {
  test('has the recipes of examples/clients, and no other samples', () => {
    expect(recipes(file).length).toBeGreaterThan(0);
    expect(samples(page, language).sort()).toEqual(recipes(file).map(read).sort());
  });

  test('has a headline for each that docs/connect/README.md leads to', () => {
    const anchors = [
      ...read('docs/connect/README.md').matchAll(
        new RegExp(`\\(${page.split('/').at(-1)!.replace('.', '\\.')}#([^)]+)\\)`, 'g'),
      ),
    ].map(([, anchor]) => anchor);
    const headlines = [...read(page).matchAll(/^## (.*)$/gm)].map(([, title]) =>
      title
        .toLowerCase()
        .replace(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    );
    expect(anchors.length).toBe(recipes(file).length);
    expect(anchors).toEqual(headlines);
  });
});
