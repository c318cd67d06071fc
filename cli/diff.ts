import { assemblyIn } from './deployed/select-stacks';
import { EXIT_CODES } from './exit-codes';
import { jsonText } from './json-text';
import { parseOptions } from './parse-options';
import { policiesOf } from './rehearse-options';
import { accessDiff } from '../rehearsal/diff/access-diff';
import { declaredAccess } from '../rehearsal/diff/declared-access';
import { markdownOfDiff } from '../rehearsal/diff/diff-text';
import { InputError } from '../rehearsal/rehearse/input-error';

const USAGE = `Usage: cdk-aurora-iam-auth-cli diff <old folder> <new folder> [options]

Writes who gains and who loses what between two folders that cdk synth has written, as Markdown, and nothing else. It
reads the templates alone: it needs no AWS account, no server and no app.

  --fail-on-gain          end with exit code 4 if access is gained, or if that cannot be decided
  --policy <arn=file>     managed policy or permissions boundary that is not in the app, as a JSON file; may be repeated
  --json                  write JSON instead of Markdown
  --help                  this text

Exit codes: 0 done, 2 wrong usage, 4 access is gained and --fail-on-gain is given, 70 an error in this program.`;

/** `diff <old cdk.out> <new cdk.out>` */
export function main(args: string[]): Promise<number> {
  const { values, positionals } = parseOptions({
    args,
    allowPositionals: true,
    options: {
      'fail-on-gain': { type: 'boolean', default: false },
      'policy': { type: 'string', multiple: true, default: [] },
      'json': { type: 'boolean', default: false },
      'help': { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return Promise.resolve(EXIT_CODES.ok);
  }
  if (positionals.length !== 2) {
    throw new InputError(`expected two folders, the old and the new one, not ${positionals.length}; --help says more`);
  }
  const given = new Map(Object.entries(policiesOf(values.policy)));
  const used = new Set<string>();
  const policies = (arn: string) => {
    used.add(arn);
    return given.get(arn);
  };
  const [before, after] = positionals.map(folder => declaredAccess(assemblyIn(folder).stacks, { policies }));
  const unused = [...given.keys()].find(arn => !used.has(arn));
  if (unused !== undefined) {
    throw new InputError(
      `--policy ${unused}: no identity of the two apps has this managed policy or permissions boundary; correct the ARN, or leave it out`,
    );
  }
  const diff = accessDiff(before, after);
  process.stdout.write(values.json ? `${jsonText(diff)}\n` : markdownOfDiff(diff));
  return Promise.resolve(values['fail-on-gain'] && diff.gains.length > 0 ? EXIT_CODES.gain : EXIT_CODES.ok);
}
