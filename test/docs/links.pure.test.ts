import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { pictureFiles } from '../../scripts/pictures';
import { recordingOf, shownOf } from '../../scripts/record-demo';
import { anchorsOf, PAGES, read, ROOT, samplesOf, withoutSamples } from './pages';

interface Link {
  readonly text: string;
  /** From the root of the repository; undefined for an address. */
  readonly file?: string;
  readonly anchor?: string;
  readonly isPicture: boolean;
}

function linksOf(page: string, text = read(page)): Link[] {
  return [...withoutSamples(text).matchAll(/(!?)\[((?:[^\][]|\[[^\]]*\])*)\]\(([^)\s]+)\)/g)].map(
    ([, mark, label, target]) => {
      const [path, anchor] = target.split('#');
      const file = /^[a-z]+:/.test(target)
        ? undefined
        : path === ''
          ? page
          : posix.normalize(posix.join(dirname(page), path));
      return { text: label, file, anchor, isPicture: mark === '!' };
    },
  );
}

/** What does not exist of what a page leads to. */
function brokenIn(page: string, text = read(page)): string[] {
  return linksOf(page, text).flatMap(({ file, anchor }) => {
    if (file === undefined) {
      return [];
    }
    if (!existsSync(join(ROOT, file))) {
      return [`${page}: ${file} does not exist`];
    }
    const isPage = anchor !== undefined && file.endsWith('.md');
    return isPage && !anchorsOf(file === page ? text : read(file)).includes(anchor)
      ? [`${page}: ${file} has no headline #${anchor}`]
      : [];
  });
}

describe.each(PAGES)('%s', (page) => {
  test('leads to files and headlines that exist', () => {
    expect(brokenIn(page)).toEqual([]);
  });

  test('has a text for each picture, in place of it', () => {
    expect(linksOf(page).filter(({ isPicture, text }) => isPicture && text.length < 30)).toEqual([]);
  });

  test('has neither Mermaid nor alert boxes, which npm and Construct Hub do not render', () => {
    expect(samplesOf(page).filter(({ info }) => info.startsWith('mermaid'))).toEqual([]);
    expect(read(page)).not.toMatch(/^\s*> \[!/m);
  });
});

test('a link to a file or headline that does not exist is found', () => {
  const text = '# A b\n[a](#a-b) [b](#b) [c](missing.md) [d](https://example.com)\n```\n[e](gone.md)\n```\n';
  expect(brokenIn('docs/review.md', text)).toEqual([
    'docs/review.md: docs/review.md has no headline #b',
    'docs/review.md: docs/missing.md does not exist',
  ]);
});

describe('README.md', () => {
  // https://docs.npmjs.com/cli/v11/configuring-npm/package-json#files
  const ALWAYS = ['README.md', 'LICENSE', 'package.json'];

  test('leads to addresses and to files that are in the package', () => {
    const { files } = JSON.parse(read('package.json')) as { files: string[] };
    const isInPackage = (file: string) =>
      ALWAYS.includes(file) || files.some(entry => (entry.endsWith('/') ? file.startsWith(entry) : file === entry));
    expect(linksOf('README.md').flatMap(({ file }) => file === undefined || isInPackage(file) ? [] : file)).toEqual([]);
    expect(isInPackage('test/docs/links.pure.test.ts')).toBe(false);
  });

  test('has at most 150 lines', () => {
    expect(read('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(150);
  });

  test('leads, with docs/README.md, to every page', () => {
    const reached = new Set(['README.md', 'docs/README.md'].flatMap(page => linksOf(page).map(({ file }) => file)));
    const pages = PAGES.filter(
      page => page.startsWith('docs/') || /^(SECURITY|CONTRIBUTING|CHANGELOG)\.md$/.test(page),
    );
    expect(pages.filter(page => !reached.has(page))).toEqual([]);
  });
});

describe('docs/', () => {
  test('has pages that begin with what a reader has at their end', () => {
    const pages = PAGES.filter(page => page.startsWith('docs/') && page !== 'docs/README.md');
    expect(pages.length).toBeGreaterThan(18);
    expect(pages.filter(page => !/^(<!--.*-->\n\n)?# .*\n\nAt the end of this page /.test(read(page)))).toEqual([]);
  });

  test('has files that are all reached from a page', () => {
    const files = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
      .map(name => `docs/${name}`)
      .filter(name => statSync(join(ROOT, name)).isFile());
    const reached = new Set(PAGES.flatMap(page => linksOf(page).map(({ file }) => file)));
    expect(files.filter(file => !reached.has(file) && file !== 'docs/unknowns.json')).toEqual([]);
  });
});

describe('pictures', () => {
  test('are what scripts/pictures.ts draws', () => {
    for (const [name, svg] of pictureFiles()) {
      expect([name, read(`docs/images/${name}`)]).toEqual([name, svg]);
    }
  });

  test('have a title, and colors for dark pages', () => {
    const names = readdirSync(join(ROOT, 'docs/images'));
    expect(names.length).toBeGreaterThan(4);
    for (const name of names) {
      expect(read(`docs/images/${name}`)).toMatch(/<title id="title">[^<]{40,}<\/title>[^]*prefers-color-scheme: dark/);
    }
  });

  test('the recording shows the steps and checks of the demo, and nothing of the machine', () => {
    const [, description] = /<desc id="description">(.*)<\/desc>/.exec(read('docs/images/demo.svg')) ?? [];
    const source = read('rehearsal/demo.ts');
    const checks = [...source.matchAll(/check(?:Admin)?\(\s*server,\s*'([^']+)'|list\.check\(\s*'([^']+)'/g)].map(
      ([, first, second]) => first ?? second,
    );
    expect(checks.length).toBe(11);
    expect(checks.filter(name => !description.includes(`✓ ${name}: `))).toEqual([]);
    expect(description).toMatch(/All as expected\.$/);
    expect(description).not.toMatch(/\/(home|root|tmp|usr)\//);
  });

  test('the recording leaves out reasons and the table, and shortens long lines and the host', () => {
    const output = [
      ' 0.1 s  sign in at a-b1.cluster-c2.eu-west-1.rds.amazonaws.com:1',
      `        \u001b[32m✓\u001b[39m one: ${'x'.repeat(99)} (reason)`,
      '',
      'check  ok',
      'All as expected.',
    ].join('\n');
    const shown = shownOf(output);
    expect(shown).toEqual([
      '$ npm run demo',
      ' 0.1 s  sign in at quickstart.cluster-….eu-west-1.rds.amazonaws.com:1',
      `        ✓ one: ${'x'.repeat(76)}…`,
      'All as expected.',
    ]);
    expect(recordingOf(['a <b>'])).toContain('>a &lt;b&gt;</text>');
  });
});
