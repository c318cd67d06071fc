import { parseOptions } from '../parse-options';
import { InputError } from '../../rehearsal/rehearse/input-error';

export const USAGE = `Usage: cdk-aurora-iam-auth-cli drift <stack...> [options]
       cdk-aurora-iam-auth-cli drift <cdk.out> [options]

Compares the roles in the databases with what deployed stacks declare, and writes the differences as the SQL that the
next deployment of each user would execute. Nothing is changed.

  <stack...>              names of deployed stacks
  <cdk.out>               folder that cdk synth has written: all stacks of it in which users or group roles are declared

  --only <name>           only this user or group role, by its logical id or the path of its construct; may be repeated
  --region <region>       Region of stacks that do not say their own in cdk.out (default: the caller's)
  --all                   also each login, and member of rds_iam, that no stack declares
  --expect <role>         a login that is to be there, though no stack declares it; may be repeated
  --fail-on-drift         end with exit code 1 if something differs
  --fail-on-undeclared    end with exit code 1 if there is a login that no stack declares, and that is neither the admin,
                          nor rdsadmin, nor expected; implies --all
  --json                  write JSON, with its date, for an auditor
  --help                  this text

Credentials and Region are found as the AWS CLI finds them. They need cloudformation:DescribeStacks, GetTemplate and
ListStackResources on the stacks, and what iamAuth.grantDrift(...) grants.

Exit codes: 0 compared, 1 something that the flags above name, 2 wrong usage, 3 not everything could be compared, for
which the reasons are listed, 70 an error in this program.`;

export interface DriftOptions {
  /** Of stacks, or a folder. */
  readonly names: readonly string[];
  /** @default - all users and group roles of the stacks */
  readonly only: readonly string[];
  readonly region?: string;
  readonly all: boolean;
  readonly expected: readonly string[];
  readonly failOnDrift: boolean;
  readonly failOnUndeclared: boolean;
  readonly json: boolean;
}

/** Undefined when help is asked for. */
export function driftOptionsOf(args: string[]): DriftOptions | undefined {
  const flag = { type: 'boolean', default: false } as const;
  const { values, positionals: names } = parseOptions({
    args,
    allowPositionals: true,
    options: {
      'only': { type: 'string', multiple: true, default: [] },
      'region': { type: 'string' },
      'all': flag,
      'expect': { type: 'string', multiple: true, default: [] },
      'fail-on-drift': flag,
      'fail-on-undeclared': flag,
      'json': flag,
      'help': { ...flag, short: 'h' },
    },
  });
  if (values.help) {
    return undefined;
  }
  if (names.length === 0) {
    throw new InputError('name stacks, or a folder that cdk synth has written; --help says more');
  }
  const {
    only,
    region,
    all,
    expect: expected,
    json,
    'fail-on-drift': failOnDrift,
    'fail-on-undeclared': failOnUndeclared,
  } = values;
  if (expected.length > 0 && !all && !failOnUndeclared) {
    throw new InputError(`--expect ${expected[0]} is for --all: logins are not looked for without it; pass --all`);
  }
  return { names, only, region, all: all || failOnUndeclared, expected, failOnDrift, failOnUndeclared, json };
}
