import { transformSync } from 'esbuild';
import { App } from 'aws-cdk-lib';
import { read, samplesOf } from './pages';
import { CloudAssembly } from '../../rehearsal/cloudformation/cloud-assembly';

const PAGE = 'docs/migrate.md';

/** A sample of the page, with the headline that it stands under. */
interface PageSample {
  readonly headline: string;
  readonly language: string;
  readonly code: string;
}

/** docs/migrate.md: what a test takes from it to execute, so that the page cannot say something else. */
export class MigratePage {
  private readonly samples: PageSample[];
  private readonly taken = new Set<PageSample>();

  constructor() {
    const lines = read(PAGE).split('\n');
    const headlineAbove = (line: number) =>
      lines
        .slice(0, line)
        .filter(text => /^##+ /.test(text))
        .at(-1)!
        .replace(/^#+ /, '');
    this.samples = samplesOf(PAGE).map(({ info, code, line }) => ({
      headline: headlineAbove(line - 2),
      language: info.split(' ')[0],
      code,
    }));
  }

  /** @returns the n-th sample of a language under a headline */
  take(headline: string, language: string, n = 0): string {
    const found = this.samples.filter(sample => sample.headline === headline && sample.language === language)[n];
    if (found === undefined) {
      throw new Error(`${PAGE} has no sample ${n} of ${language} under ${headline}`);
    }
    this.taken.add(found);
    return found.code;
  }

  /** The stacks that `npx cdk deploy` names, in their order. */
  deployed(headline: string, n = 0): string[] {
    return /^npx cdk deploy (.*)\n$/.exec(this.take(headline, 'sh', n))![1].split(' ');
  }

  /** What was never taken. */
  get left(): PageSample[] {
    return this.samples.filter(sample => !this.taken.has(sample));
  }
}

/** What the samples import, by the name of the package. */
const IMPORTS = read('rosetta/migrate.ts-fixture').split('\n').filter(line => line.startsWith('import ')).join('\n');

/** What the apps of tests have beside the samples. */
const IMPORTS_OF_TESTS = `
import { ArnFormat, CustomResource } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Provider } from 'aws-cdk-lib/custom-resources';`;

/**
 * Synthesizes an app of samples, as they stand in the page.
 *
 * @param samples in the order in which they are executed
 */
export function synthesizePage(samples: string[], context: Record<string, string> = {}): CloudAssembly {
  const { code } = transformSync(`${IMPORTS}${IMPORTS_OF_TESTS}\n${samples.join('\n')}`, {
    loader: 'ts',
    format: 'cjs',
  });
  const load = (name: string): unknown => jest.requireActual(name === 'cdk-aurora-iam-auth' ? '../../lib' : name);
  process.env.CDK_CONTEXT_JSON = JSON.stringify(context);
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the text under test is a text
    const run = new Function('require', 'module', 'exports', `${code}; return app;`) as (...globals: unknown[]) => App;
    return new CloudAssembly(run(load, { exports: {} }, {}).synth().directory);
  } finally {
    delete process.env.CDK_CONTEXT_JSON;
  }
}
