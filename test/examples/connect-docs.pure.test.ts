import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');
const CLIENTS = join(ROOT, 'examples/clients');

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const recipes = (extension: string) => readdirSync(CLIENTS).map(name => `examples/clients/${name}/recipe.${extension}`).filter(file => existsSync(join(ROOT, file)));
const samples = (page: string, language: string) => [...read(page).matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map(([, code]) => code);

describe.each([['docs/connect/nodejs.md', 'js', 'mjs'], ['docs/connect/python.md', 'python', 'py']])('%s', (page, language, extension) => {
  test('has the recipes of examples/clients, and no other samples', () => {
    expect(recipes(extension).length).toBeGreaterThan(0);
    expect(samples(page, language).sort()).toEqual(recipes(extension).map(read).sort());
  });

  test('has a headline for each that docs/connect/README.md leads to', () => {
    const anchors = [...read('docs/connect/README.md').matchAll(new RegExp(`\\(${page.split('/').at(-1)!.replace('.', '\\.')}#([^)]+)\\)`, 'g'))].map(([, anchor]) => anchor);
    const headlines = [...read(page).matchAll(/^## (.*)$/gm)].map(([, title]) => title.toLowerCase().replace(/[^\w -]/g, '').replaceAll(' ', '-'));
    expect(anchors.length).toBe(recipes(extension).length);
    expect(anchors).toEqual(headlines);
  });
});
