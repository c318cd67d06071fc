import { pairsOf, parseOptions } from './parse-options';
import { contentOf, majorOf, policiesOf } from './rehearse-options';
import { LocalDatabaseOptions } from '../rehearsal/local/local-database';
import { tokenLifetime } from '../rehearsal/local/token-lifetime';
import { InputError } from '../rehearsal/rehearse/input-error';

export const USAGE = `Usage: cdk-aurora-iam-auth-cli up [<app or folder>] [options] -- <command> [<argument>...]
       cdk-aurora-iam-auth-cli up [<app or folder>] [options] --detach
       cdk-aurora-iam-auth-cli down [<id>...] [--all]

Deploys an app to a local PostgreSQL, as rehearse does, and runs a command that signs in there with IAM tokens. The
command gets PGHOST, PGPORT, PGUSER, PGDATABASE, PGSSLMODE, PGSSLROOTCERT, AWS_REGION, and credentials of the app's IAM
roles as profiles. The database ends with the command.

  <app>                       TypeScript or JavaScript file of a CDK app; without one, "app" of ./cdk.json is run
  <folder>                    what cdk synth has written, such as cdk.out: starts faster
  --detach                    run no command: leave the database running, and print how to use it
  --token-lifetime <time>     how long a token is accepted, such as 20s (default: 15m, as on AWS)

How the command signs in:
  --user <name>               PGUSER (default: the only user that is possible)
  --role <name>               AWS_PROFILE: an IAM role of the app, or its profile (default: the only one)
  --endpoint <name>           database, replica or proxy to connect to (default: the only database)
  --database <name>           PGDATABASE (default: that of the cluster or instance)

After the deployment:
  --sql <file>                run these statements in PGDATABASE; may be repeated
  --as <role>                 PostgreSQL role that runs them (default: the master)

What to deploy, and what is not in the app, as for rehearse:
  --stack <id>, -c <key=value>, --parameter <name=value>, --export <name=value>, --ssm <name=value>,
  --policy <arn=file>, --postgres <major>

  --verbose                   each step of each resource, the log of the functions, and each sign-in
  --help                      this text

Exit codes: that of the command (128 and the number of the signal that ended it, 126 and 127 as in a shell); before the
command runs, 1 a deployment failed, 2 wrong usage, 3 the app cannot be rehearsed, 70 an error in this program.`;

export interface UpOptions extends LocalDatabaseOptions {
  readonly detach: boolean;
  /** With arguments. */
  readonly command: string[];
}

/** Undefined when help is asked for. */
export function upOptionsOf(args: string[]): UpOptions | undefined {
  const many = { type: 'string', multiple: true, default: [] as string[] } as const;
  const end = args.indexOf('--');
  const command = end < 0 ? [] : args.slice(end + 1);
  const { values, positionals } = parseOptions({
    args: end < 0 ? args : args.slice(0, end),
    allowPositionals: true,
    options: {
      'stack': many,
      'context': { ...many, short: 'c' },
      'parameter': many,
      'export': many,
      'ssm': many,
      'policy': many,
      'postgres': many,
      'sql': many,
      'as': { type: 'string' },
      'database': { type: 'string' },
      'endpoint': { type: 'string' },
      'user': { type: 'string' },
      'role': { type: 'string' },
      'token-lifetime': { type: 'string' },
      'detach': { type: 'boolean', default: false },
      'verbose': { type: 'boolean', default: false },
      'help': { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    return undefined;
  }
  if (positionals.length > 1) {
    throw new InputError(`expected one app or folder, not ${positionals.join(' ')}; the command comes after --`);
  }
  if (values.detach && end >= 0) {
    throw new InputError(`--detach runs no command, and -- ${command.join(' ')} is one; leave one of them out`);
  }
  if (!values.detach && command.length === 0) {
    throw new InputError(`no command ${end < 0 ? 'was given' : 'follows --'}: up ends with the command that it runs; `
      + 'write -- and the command, or --detach');
  }
  if (values.sql.length === 0 && values.as !== undefined) {
    throw new InputError(`--as ${values.as} is for --sql: name a file with statements`);
  }
  return {
    source: positionals[0],
    stacks: values.stack,
    context: pairsOf('--context', values.context),
    sql: values.sql.map(file => ({ file, text: contentOf('--sql', file) })),
    sqlRole: values.as,
    database: values.database,
    endpoint: values.endpoint,
    user: values.user,
    role: values.role,
    ...values['token-lifetime'] === undefined ? {} : { tokenLifetimeSeconds: tokenLifetime(values['token-lifetime']) },
    given: {
      parameters: pairsOf('--parameter', values.parameter),
      exports: pairsOf('--export', values.export),
      ssm: pairsOf('--ssm', values.ssm),
      policies: policiesOf(values.policy),
      majors: values.postgres.map(majorOf),
    },
    detach: values.detach,
    verbose: values.verbose,
    command,
  };
}
