import { pairsOf, parseOptions } from '../parse-options';
import { InputError } from '../../rehearsal/rehearse/input-error';

export const USAGE = `Usage: cdk-aurora-iam-auth-cli plan <cdk.out> [options]

Writes the SQL that a deployment would execute, statement by statement, by asking the deployed provisioners. Nothing is
changed, neither in a database nor in AWS.

  <cdk.out>               folder that cdk synth has written

  --stack <id>            only this stack; * at the end stands for any text; may be repeated
  --only <name>           only this user or group role, by its logical id or the path of its construct; may be repeated
  --parameter <[stack:]name=value>   parameter of a template, as it is given to cdk deploy; may be repeated
  --json                  write JSON
  --markdown              write Markdown, for a comment on a pull request
  --help                  this text

Credentials and Region are found as the AWS CLI finds them. They need cloudformation:DescribeStacks, GetTemplate and
ListStackResources on the stacks, and what iamAuth.grantPlan(...) grants.

Exit codes: 0 nothing fails, 1 a resource would fail, 2 wrong usage, 3 not everything could be planned, for which the
reasons are listed, 70 an error in this program.`;

export interface PlanOptions {
  readonly folder: string;
  readonly stacks: readonly string[];
  readonly only: readonly string[];
  /** By name, or by stack and name. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly format: 'text' | 'json' | 'markdown';
}

/** Undefined when help is asked for. */
export function planOptionsOf(args: string[]): PlanOptions | undefined {
  const many = { type: 'string', multiple: true, default: [] as string[] } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values: { stack, only, parameter, json, markdown, help }, positionals } = parseOptions({
    args,
    allowPositionals: true,
    options: { stack: many, only: many, parameter: many, json: flag, markdown: flag, help: { ...flag, short: 'h' } },
  });
  if (help) {
    return undefined;
  }
  const [folder, ...others] = positionals;
  if (folder === undefined || others.length > 0) {
    throw new InputError(
      `expected one folder that cdk synth has written, not ${positionals.join(' ') || 'none'}; --help says more`,
    );
  }
  if (json && markdown) {
    throw new InputError('--json and --markdown are two formats; pass one of them');
  }
  return {
    folder,
    stacks: stack,
    only,
    parameters: pairsOf('--parameter', parameter),
    format: json ? 'json' : markdown ? 'markdown' : 'text',
  };
}
