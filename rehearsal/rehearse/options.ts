import { parseArgs } from 'node:util';

export const USAGE = `Usage: npm run rehearse -- <app or folder> [options]

  <app>           TypeScript or JavaScript file of a CDK app
  <folder>        what cdk synth has written, such as cdk.out

  --stack <name>  only this stack and those it depends on; may be repeated
  -c, --context <key=value>  context of the app; may be repeated
  --verbose       each step of each resource, and the log of the handler
  --help          this text`;

export interface Options {
  /** Path of an app or of a cloud assembly. */
  readonly source: string;
  /** Names; none are all. */
  readonly stacks: string[];
  readonly context: Record<string, string>;
  readonly verbose: boolean;
}

/** Undefined when help is asked for. */
export function optionsOf(args: string[]): Options | undefined {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      stack: { type: 'string', multiple: true, default: [] },
      context: { type: 'string', short: 'c', multiple: true, default: [] },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    return undefined;
  }
  if (positionals.length !== 1) {
    throw new Error(`expected one app or folder, not ${positionals.length === 0 ? 'none' : positionals.join(' ')}; --help says more`);
  }
  return { source: positionals[0], stacks: values.stack, context: Object.fromEntries(values.context.map(contextEntry)), verbose: values.verbose };
}

function contextEntry(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) {
    throw new Error(`context ${text} is not of the form key=value`);
  }
  return [text.slice(0, at), text.slice(at + 1)];
}
