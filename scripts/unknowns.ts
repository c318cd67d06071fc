/**
 * Writes docs/unknowns.md from docs/unknowns.json. With the name of an answer file of the first deployment, its answers
 * are recorded first:
 *
 *     npx projen unknowns [<answer file>]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DATA = join(__dirname, '../docs/unknowns.json');
const PAGE = join(__dirname, '../docs/unknowns.md');

const OUTCOMES = ['yes', 'no', 'not decided'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Where and when something was asked. */
export interface Circumstances {
  readonly date: string;
  readonly region: string;
  readonly engineVersion: string;
}

/** Something about AWS that no source says, as docs/unknowns.json has it. Texts are Markdown. */
export interface Unknown {
  readonly id: string;
  /** With `kit` one that can be answered with yes or no. */
  readonly question: string;
  readonly dependsOn: string;
  /** What the library goes by. With `kit` it begins with "Yes", "No" or "Not known". */
  readonly expected: string;
  /** What happens if it is not as expected. */
  readonly otherwise: string;
  readonly source: string;
  readonly probe: string;
  /** Whether the first-deployment kit asks it. */
  readonly kit?: true;
  readonly answers?: (Circumstances & { readonly outcome: Outcome; readonly seen: string })[];
}

/** A line of an answer file. */
export interface Answer {
  readonly id: string;
  readonly outcome: Outcome;
  /** What was seen, in the words of AWS where there are any. */
  readonly seen: string;
}

export interface AnswerFile {
  readonly circumstances: Circumstances;
  readonly answers: Answer[];
}

export function readUnknowns(): Unknown[] {
  return JSON.parse(readFileSync(DATA, 'utf8')) as Unknown[];
}

/**
 * An answer file is JSON, one object a line: the circumstances, then an answer for each id. Other lines have a `fact`,
 * and are for people.
 */
export function parseAnswers(text: string): AnswerFile {
  const lines = text
    .split('\n')
    .filter(line => line.trim() !== '')
    .map((line, index) => parseLine(line, index + 1));
  const [circumstances, ...others] = lines;
  if (
    typeof circumstances?.date !== 'string'
    || typeof circumstances.region !== 'string'
    || typeof circumstances.engineVersion !== 'string'
  ) {
    throw new Error('the first line of an answer file must have date, region and engineVersion');
  }
  const { date, region, engineVersion } = circumstances;
  return {
    circumstances: { date, region, engineVersion },
    answers: others.filter(line => line.fact === undefined).map(line => answerOf(line)),
  };
}

function parseLine(line: string, number: number): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    throw new Error(`line ${number} of the answer file is not JSON: ${JSON.stringify(line)}`);
  }
}

function answerOf({ id, outcome, seen }: Record<string, unknown>): Answer {
  if (typeof id !== 'string' || typeof seen !== 'string' || !OUTCOMES.includes(outcome as Outcome)) {
    throw new Error(
      `${JSON.stringify({ id, outcome, seen })} is not an answer: `
      + `it must have id, seen and an outcome of ${OUTCOMES.join(', ')}`,
    );
  }
  return { id, outcome: outcome as Outcome, seen };
}

/** The ledger with these answers. An answer of the same date, Region and engine version is replaced. */
export function record(unknowns: Unknown[], { circumstances, answers }: AnswerFile): Unknown[] {
  const dangling = answers.filter(({ id }) => !unknowns.some(unknown => unknown.id === id)).map(({ id }) => id);
  if (dangling.length > 0) {
    throw new Error(`${dangling.join(', ')}: not in docs/unknowns.json; correct the id, or add the unknown`);
  }
  const isSame = (other: Circumstances) =>
    (['date', 'region', 'engineVersion'] as const).every(key => other[key] === circumstances[key]);
  return unknowns.map((unknown) => {
    const { outcome, seen } = answers.find(({ id }) => id === unknown.id) ?? {};
    return outcome === undefined || seen === undefined || outcome === 'not decided'
      ? unknown
      : {
          ...unknown,
          answers: [...(unknown.answers ?? []).filter(other => !isSame(other)), { ...circumstances, outcome, seen }],
        };
  });
}

/** Whether the answers are what the library goes by. */
function verdict({ expected, answers = [] }: Unknown): string {
  const outcomes = [...new Set(answers.map(({ outcome }) => outcome))];
  if (outcomes.length !== 1) {
    return outcomes.length === 0 ? 'open' : 'yes and no: see below';
  }
  const [expectation] = /^(Yes|No)\b/.exec(expected) ?? [];
  if (expectation === undefined) {
    return outcomes[0];
  }
  return `${outcomes[0]}, ${expectation.toLowerCase() === outcomes[0] ? 'as expected' : '**not as expected**'}`;
}

const HEAD = `<!-- Generated from docs/unknowns.json by \`npx projen unknowns\`. -->

# What is not known of AWS

At the end of this page you know which facts about AWS have no source, and what happens if they are not as expected.

The ledger of what this library could not find out from documentation, source code or published dumps, and what happens if it is not as expected. Nothing of it was tried on AWS unless an answer says so. README and docs refer to these ids, and a test fails for an id that does not exist.

[The first-deployment kit](../integ-tests/first-deployment/README.md) settles those that are marked with "kit", for less than 1 USD and in about an hour. Deleting its stack then takes up to 40 minutes more.
`;

export function renderUnknowns(unknowns: Unknown[]): string {
  const table = unknowns.map(
    unknown =>
      `| [${unknown.id}](#${unknown.id}) | ${unknown.question} | ${unknown.kit ? 'kit' : ''} | ${verdict(unknown)} |`,
  );
  const sections = unknowns.map(({ id, question, dependsOn, expected, otherwise, source, probe, answers = [] }) =>
    [
      `## ${id}`,
      '',
      `**${question}**`,
      '',
      `- Expected: ${expected}`,
      `- Otherwise: ${otherwise}`,
      `- Depends on it: ${dependsOn}`,
      `- Source: ${source}`,
      `- Probe: ${probe}`,
      ...answers.map(
        ({ date, region, engineVersion, outcome, seen }) =>
          `- Answer of ${date}, ${region}, ${engineVersion}: **${outcome}**. ${quoted(seen)}`,
      ),
      '',
    ].join('\n'),
  );
  return [HEAD, '| id | question | | answer |\n|---|---|---|---|', ...table, '', ...sections].join('\n');
}

/** What AWS said, as text. */
function quoted(text: string): string {
  return `\`${text.replaceAll('`', "'").replace(/\s+/g, ' ').trim()}\``;
}

function main([file]: string[]): void {
  const unknowns
    = file === undefined ? readUnknowns() : record(readUnknowns(), parseAnswers(readFileSync(file, 'utf8')));
  writeFileSync(DATA, `${JSON.stringify(unknowns, undefined, 2)}\n`);
  writeFileSync(PAGE, renderUnknowns(unknowns));
}

if (require.main === module) {
  main(process.argv.slice(2));
}
