import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAnswers, readUnknowns, record, renderUnknowns, Unknown } from '../scripts/unknowns';

const ROOT = join(__dirname, '..');
const PAGE = 'docs/unknowns.md';

/** What people read or write; tests and snapshots refer to nothing. */
const FILES = execFileSync('git', ['ls-files', '--', '*.md', '*.ts', '*.mjs'], { cwd: ROOT, encoding: 'utf8' })
  .split('\n')
  .filter(file => file !== '' && file !== PAGE && !file.startsWith('test/') && !file.includes('.snapshot/'));
const TEXTS = new Map(FILES.map(file => [file, readFileSync(join(ROOT, file), 'utf8')]));
const IDS = readUnknowns().map(({ id }) => id);

/** The ids that a text refers to. */
const referred = (text: string) => [...text.matchAll(/unknowns\.md#([\w-]+)/g)].map(([, id]) => id);

/** Paragraphs, items of a list and rows of a table. */
const statements = (text: string) => text.split(/\n\s*\n|\n(?=\s*(?:\||- |\d+\. ))/);

/** How a text says that no source was found. */
const UNSAID = new RegExp(
  [
    '\\b(documented nowhere|undocumented)\\b',
    '\\bis (not|neither) documented\\b',
    '\\bnot known whether\\b',
    '\\bis unknown\\b',
    '\\bAWS does not (say|document)\\b',
    '\\b(not|nowhere) (verified|tried) on AWS\\b',
    '\\bwas tried on no\\b',
    '\\bit was not tried\\b',
    '\\bpartly a guess\\b',
  ].join('|'),
  'i',
);

/** These say something of PostgreSQL, of an app or of this page itself. */
const NOT_OF_AWS = [
  'it is not known whether it was dropped or renamed',
  'Nothing here was tried on AWS',
  'Nothing of it was tried on AWS unless',
];

const SOME: Unknown = {
  id: 'some',
  question: 'Does it?',
  dependsOn: 'A.',
  expected: 'Yes.',
  otherwise: 'B.',
  source: 'C.',
  probe: 'D.',
  kit: true,
};
const CIRCUMSTANCES = { date: '2026-12-01', region: 'eu-central-1', engineVersion: '17.7' };
const answers = (outcome: string, seen = 'it did') =>
  parseAnswers(
    [CIRCUMSTANCES, { fact: 'quota', value: 10 }, { id: 'some', outcome, seen }]
      .map(line => JSON.stringify(line))
      .join('\n'),
  );

describe('the ledger of unknowns', () => {
  test('has ids of lower-case words, each once', () => {
    expect(IDS.filter(id => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id))).toEqual([]);
    expect(new Set(IDS).size).toBe(IDS.length);
  });

  test('says of each what depends on it, what is expected, what happens otherwise, the source and the probe', () => {
    const parts = ['question', 'dependsOn', 'expected', 'otherwise', 'source', 'probe'] as const;
    expect(
      readUnknowns().flatMap(unknown =>
        parts.filter(part => !/^\S.*[.?]$/.test(unknown[part])).map(part => `${unknown.id}: ${part}`),
      ),
    ).toEqual([]);
  });

  test('says of each that the kit asks whether yes or no is expected', () => {
    expect(
      readUnknowns()
        .filter(({ kit, expected }) => kit && !/^(Yes|No|Not known)\b/.test(expected))
        .map(({ id }) => id),
    ).toEqual([]);
  });

  test('is what docs/unknowns.md shows', () => {
    expect(readFileSync(join(ROOT, PAGE), 'utf8')).toBe(renderUnknowns(readUnknowns()));
  });

  test('has what the README of the first-deployment kit says it asks', () => {
    const asked = [
      ...TEXTS.get('integ-tests/first-deployment/README.md')!
        .split('## What it does')[1]
        .split('\n## ')[0]
        .matchAll(/`([a-z0-9-]+)`/g),
    ].map(([, id]) => id);
    expect([...new Set(asked)].sort()).toEqual(
      readUnknowns()
        .filter(({ kit }) => kit)
        .map(({ id }) => id)
        .sort(),
    );
  });

  test('has every id that is referred to', () => {
    const dangling = [...TEXTS].flatMap(([file, text]) =>
      referred(text)
        .filter(id => !IDS.includes(id))
        .map(id => `${file}: ${id}`),
    );
    expect(dangling).toEqual([]);
  });

  test('has no unknown that neither README nor docs refer to', () => {
    const referredTo = new Set(
      [...TEXTS]
        .filter(([file]) => file === 'README.md' || file.startsWith('docs/'))
        .flatMap(([, text]) => referred(text)),
    );
    expect(IDS.filter(id => !referredTo.has(id))).toEqual([]);
  });

  test.each([...TEXTS.keys()].filter(file => /^(README|SECURITY|docs\/.*)\.md$/.test(file)))(
    'is referred to wherever %s says that something is not known of AWS',
    (file) => {
      const unsaid = statements(TEXTS.get(file)!).filter(text => UNSAID.test(text) && referred(text).length === 0);
      expect(unsaid.filter(text => !NOT_OF_AWS.some(words => text.includes(words)))).toEqual([]);
    },
  );
});

describe('an answer file', () => {
  test('is recorded, and shown with what was seen', () => {
    const [recorded] = record([SOME], answers('yes', 'a `word`\nand more'));
    expect(recorded.answers).toEqual([{ ...CIRCUMSTANCES, outcome: 'yes', seen: 'a `word`\nand more' }]);
    expect(renderUnknowns([recorded])).toContain('| [some](#some) | Does it? | kit | yes, as expected |');
    expect(renderUnknowns([recorded])).toContain(
      "- Answer of 2026-12-01, eu-central-1, 17.7: **yes**. `a 'word' and more`\n",
    );
  });

  test.each([
    ['no', 'Yes, mostly.', 'no, **not as expected**'],
    ['no', 'No.', 'no, as expected'],
    ['yes', 'No.', 'yes, **not as expected**'],
    ['yes', 'Not known.', 'yes'],
    ['no', 'Not known.', 'no'],
    ['not decided', 'Yes.', 'open'],
  ])('that says %s where "%s" is expected gives "%s"', (outcome, expected, verdict) => {
    expect(renderUnknowns(record([{ ...SOME, expected }], answers(outcome)))).toContain(
      `| Does it? | kit | ${verdict} |\n`,
    );
  });

  test('takes the place of one of the same date, Region and engine version, and is added to others', () => {
    const first = record([SOME], answers('yes'));
    expect(record(first, answers('no'))[0].answers).toHaveLength(1);
    const elsewhere = record(first, { ...answers('no'), circumstances: { ...CIRCUMSTANCES, region: 'cn-north-1' } });
    expect(elsewhere[0].answers).toHaveLength(2);
    expect(renderUnknowns(elsewhere)).toContain('| yes and no: see below |');
  });

  test('leaves an unknown alone that it does not answer', () => {
    expect(record([{ ...SOME, id: 'other' }, SOME], answers('yes'))[0]).toEqual({ ...SOME, id: 'other' });
  });

  test('with an id that the ledger does not have is refused', () => {
    expect(() => record([{ ...SOME, id: 'other' }], answers('yes'))).toThrow(
      'some: not in docs/unknowns.json; correct the id, or add the unknown',
    );
  });

  test.each([
    ['{"date":"2026-12-01"}', 'the first line of an answer file must have date, region and engineVersion'],
    ['', 'the first line of an answer file must have date, region and engineVersion'],
    ['yes', 'line 1 of the answer file is not JSON: "yes"'],
    [
      `${JSON.stringify(CIRCUMSTANCES)}\n{"id":"some","outcome":"maybe","seen":""}`,
      '{"id":"some","outcome":"maybe","seen":""} is not an answer: it must have id, seen and an outcome of yes, no, not decided',
    ],
  ])('that is %j is refused', (text, message) => {
    expect(() => parseAnswers(text)).toThrow(message);
  });
});
