import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PAGES, read, ROOT, withoutSamples } from './pages';
import { sentencesOf, wordsIn } from './prose';

/** What must not come back, and what to say instead. */
const WORDS: [RegExp, string][] = [
  [/\b(nobody|somebody|whoever|everybody|anybody)\b/i,
    'who it is: the provisioner, a principal, no identity, every role'],
  [/\bin the case (it|he|that)\b/i, 'exactly as spelled in the database'],
  [/\bswitch(es|ed|ing)? (\w+ ){0,4}o(n|ff)\b/i, 'enable, disable'],
  [/\bgood to know\b/i, 'limitations'],
  [/\bwhat must be there\b/i, 'prerequisites'],
  [/\bhalf alone\b/i, '`rds-db:connect` only'],
  [/\bas good as (the|its) admin\b/i, "has the admin's rights"],
  [/\bon record\b/i, 'registered'],
  [/\bheirs?\b/i, 'new owner'],
  [/\bbereft\b/i, 'what the set holds'],
  [/\bleavers?\b/i, 'user being removed'],
  [/\b(become|becomes|became|comes) of\b/i, 'what happens to'],
  [/\bdoors?\b/i, 'entry point, decoder, login'],
  [/\bis there twice\b/i, 'is listed more than once'],
  [/\blets? in as\b/i, 'allows signing in as'],
  [/\bcan(not)? be seen from here\b|\bnobody can see from here\b/i, 'cannot be verified at synthesis'],
  [/\bthe ways? to a database\b/i, 'connection settings'],
  [/\bwho may sign in to what\b/i, 'access'],
  [/\ball the same\b/i, 'anyway, unchanged'],
  [/\bwithout more ado\b|\bto its heart\b|\bneedless to say\b/i, 'nothing'],
  [/(^|[.:;] )(Refused|Checked|Tried|Asked) (is|are) /, 'a subject first: the provisioner refuses'],
];

/** What a reader of a page reads as words of this project. */
const prose = (text: string) =>
  withoutSamples(text)
    .replace(/`[^`]*`/g, 'CODE')
    .replace(/\]\([^)]*\)/g, ']')
    .replace(/"[^"\n]*"/g, 'QUOTE');

const foundIn = (name: string, text: string) =>
  text
    .split('\n')
    .flatMap((line, index) =>
      WORDS.flatMap(([pattern, instead]) =>
        pattern.test(line) ? [`${name}:${index + 1}: ${pattern.exec(line)![0]} (${instead})`] : [],
      ),
    );

/** Docstrings, comments and messages. */
const sourcesOf = (folder: string) => readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.ts') && !name.includes('node_modules'))
  .flatMap(name => foundIn(`${folder}/${name}`, readFileSync(join(ROOT, folder, name), 'utf8')));

const tooLong = (page: string) => sentencesOf(read(page)).filter(sentence => wordsIn(sentence) > 30);

/** Lines with such words that are left in the sources: the user `nobody` of the operating system. */
const LEFT_IN_SOURCES = { lib: 0, lambda: 0, cli: 0, rehearsal: 1 };

/** Sentences of more than 30 words that are left in pages. These numbers may only shrink. */
const LEFT_IN_PAGES: Record<string, number> = {
  'docs/security.md': 2, // lists of what was tried
};

describe('words that must not come back', () => {
  test.each(PAGES)('are not in %s', (page) => {
    expect(foundIn(page, prose(read(page)))).toEqual([]);
  });

  test.each(Object.entries(LEFT_IN_SOURCES))('are not added in %s/', (folder, count) => {
    const found = sourcesOf(folder);
    expect(found.length > count ? found : []).toEqual([]);
  });

  test('are found', () => {
    expect(foundIn('a.md', prose('Whoever it is.\n`nobody` and "nobody"\nSwitch it on.'))).toEqual([
      'a.md:1: Whoever (who it is: the provisioner, a principal, no identity, every role)',
      'a.md:3: Switch it on (enable, disable)',
    ]);
  });
});

describe('sentences', () => {
  test.each(PAGES)('of %s have at most 30 words', (page) => {
    const sentences = tooLong(page);
    expect(sentences.length > (LEFT_IN_PAGES[page] ?? 0) ? sentences : []).toEqual([]);
  });

  test.each(PAGES)('of %s have at most 18 words on average', (page) => {
    const lengths = sentencesOf(read(page)).filter(sentence => /[.!?]$/.test(sentence)).map(wordsIn);
    expect(lengths.reduce((sum, length) => sum + length, 0) / Math.max(lengths.length, 1)).toBeLessThanOrEqual(18);
  });

  test('are counted without samples, links and code', () => {
    expect(
      sentencesOf(
        '# No\n\nOne `two words` [three](four five). Six\nseven.\n\n- Eight.\n\n| nine | `a|b` |\n|---|---|\n\n```\nten\n```\n',
      ).map(sentence => [sentence, wordsIn(sentence)]),
    ).toEqual([['One CODE three.', 3], ['Six seven.', 2], ['Eight.', 1], ['nine', 1], ['CODE', 1]]);
  });
});
