import type * as util from 'node:util';
import { PAGES, read, samplesOf } from './pages';

/** What a command of the program has understood, in place of doing it. */
class Parsed extends Error {
  public constructor(public readonly positionals: string[]) {
    super('parsed');
  }
}

jest.mock('node:util', () => {
  const actual = jest.requireActual<typeof util>('node:util');
  return {
    ...actual,
    parseArgs: (config: util.ParseArgsConfig) => {
      throw new Parsed(actual.parseArgs(config).positionals);
    },
  };
});

interface Module {
  readonly main: (args: string[]) => Promise<number>;
}

/** Loaded here, because node:util is replaced before: the transformer hoists nothing. */
const PROGRAM = new Map(
  ['rehearse', 'up', 'down', 'diff', 'plan/plan', 'drift/drift', 'doctor/doctor', 'generate/generate'].map(path => [
    path.split('/')[0],
    jest.requireActual<Module>(`../../cli/${path}`).main,
  ]),
);

interface Command {
  readonly page: string;
  readonly text: string;
}

/** The lines of samples for a shell, and what stands in a line of text. */
function commandsOf(page: string): Command[] {
  const inSamples = samplesOf(page)
    .filter(({ info }) => /^(sh|console|yaml|)$/.test(info.split(' ')[0]))
    .flatMap(({ code }) => code.split('\n'));
  const inText = [...read(page).matchAll(/`([^`\n]+)`/g)].map(([, text]) => text);
  return [...inSamples, ...inText].map(text => ({ page, text: text.replace(/^\s*\$ /, '').replace(/\s+# .*$/, '') }));
}

const COMMANDS = PAGES.flatMap(commandsOf);
const CLI = COMMANDS.filter(({ text }) => /npx cdk-aurora-iam-auth-cli /.test(text));

/** The words of what stands behind the name of the program, up to what the shell does with it. */
function wordsOf(text: string): string[] {
  // A placeholder is a word.
  const [, rest] = text.replace(/<[^>]*>/g, 'WORD').split('npx cdk-aurora-iam-auth-cli ');
  const own = rest.split(/\s(?:--(?=\s)|[|>]|>>|&&)|[;)]/)[0];
  return own.match(/"[^"]*"|'[^']*'|\S+/g)!.map(word => word.replace(/^["']|["']$/g, ''));
}

/** Undefined if the command is understood. */
async function refusalOf(words: string[]): Promise<string | undefined> {
  const [name, ...args] = words;
  const main = PROGRAM.get(name);
  if (main === undefined) {
    return `there is no command ${name}`;
  }
  try {
    await main(args);
    return 'not parsed';
  } catch (error) {
    return error instanceof Parsed ? undefined : (error as Error).message;
  }
}

describe('the commands of all pages', () => {
  test('are found', () => {
    expect(CLI.length).toBeGreaterThan(30);
  });

  test.each([...new Map(CLI.map(({ page, text }) => [wordsOf(text).join(' '), page]))])(
    'cdk-aurora-iam-auth-cli %s is understood (%s)',
    async (words) => {
      await expect(refusalOf(words.split(' '))).resolves.toBeUndefined();
    },
  );

  test.each([['rehearse cdk.out --form old'], ['deploy cdk.out']])('would not pass with: %s', async (words) => {
    await expect(refusalOf(words.split(' '))).resolves.toEqual(expect.any(String));
  });

  test('of npm and projen exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const run = COMMANDS.flatMap(({ page, text }) =>
      [...text.matchAll(/\b(?:npm run|npx projen) ([a-z:]+)/g)].map(([, name]) => ({ page, name })));
    expect(run.length).toBeGreaterThan(20);
    const OF_READERS = ['test:renewal']; // an application's own
    expect(run.filter(({ name }) => !Object.hasOwn(scripts, name) && !OF_READERS.includes(name))).toEqual([]);
  });
});
