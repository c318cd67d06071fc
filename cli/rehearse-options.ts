import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pairsOf, parseOptions } from './parse-options';
import { callerFolder } from '../rehearsal/caller-folder';
import { PolicyDocument } from '../rehearsal/iam/policy-document';
import { POSTGRESQL_MAJORS, PostgresqlMajor } from '../rehearsal/postgresql/binaries';
import { InputError } from '../rehearsal/rehearse/input-error';
import { RehearseOptions } from '../rehearsal/rehearse/rehearse-app';

export const USAGE = `Usage: cdk-aurora-iam-auth-cli rehearse [<app or folder>] [options]

  <app>                       TypeScript or JavaScript file of a CDK app; without one, "app" of ./cdk.json is run
  <folder>                    what cdk synth has written, such as cdk.out

What to deploy:
  --stack <id>                only this stack and those it depends on; * at the end stands for any text; may be repeated
  -c, --context <key=value>   context of the app; may be repeated
  --from <app or folder>      deploy this one first, then update it: shows what changes
  --sql <file>                run these statements before the update or, without --from, after the deployment
  --as <role>                 role that runs them (default: the master)
  --database <name>           database in which they run (default: that of the cluster)

What is not in the app (each may be repeated):
  --parameter <[stack:]name=value>   parameter of a template
  --export <name=value>       export of another app, or <stack>.<output>
  --ssm <name=value>          parameter of Systems Manager
  --policy <arn=file>         managed policy or permissions boundary, as a JSON file

  --postgres <major>          use only this installed major (default: the nearest to what the template asks for)
  --json                      write a report to the standard output; all else goes to the standard error
  --verbose                   each step of each resource, and the log of the functions
  --help                      this text

Exit codes: 0 all went well, 1 something is not as it should be, 2 wrong usage or an app that does not synthesize,
3 cannot be rehearsed (all reasons are listed before anything starts), 70 an error in this program.`;

/** Undefined when help is asked for. */
export function optionsOf(args: string[]): RehearseOptions | undefined {
  const many = { type: 'string', multiple: true, default: [] as string[] } as const;
  const { values, positionals } = parseOptions({
    args,
    allowPositionals: true,
    options: {
      stack: many,
      context: { ...many, short: 'c' },
      parameter: many,
      export: many,
      ssm: many,
      policy: many,
      from: { type: 'string' },
      sql: many,
      as: { type: 'string' },
      database: { type: 'string' },
      postgres: many,
      json: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    return undefined;
  }
  if (positionals.length > 1) {
    throw new InputError(`expected one app or folder, not ${positionals.join(' ')}; --help says more`);
  }
  if (values.sql.length === 0 && (values.as ?? values.database) !== undefined) {
    throw new InputError(
      `${values.as === undefined ? '--database' : '--as'} is for --sql: name a file with statements`,
    );
  }
  return {
    source: positionals[0],
    stacks: values.stack,
    context: pairsOf('--context', values.context),
    from: values.from,
    sql: values.sql.map(file => ({ file, text: contentOf('--sql', file) })),
    sqlRole: values.as,
    sqlDatabase: values.database,
    given: {
      parameters: pairsOf('--parameter', values.parameter),
      exports: pairsOf('--export', values.export),
      ssm: pairsOf('--ssm', values.ssm),
      policies: policiesOf(values.policy),
      majors: values.postgres.map(majorOf),
    },
    json: values.json,
    verbose: values.verbose,
  };
}

/** Policy documents by ARN, each given as `<arn>=<file>`. */
export function policiesOf(texts: string[]): Record<string, PolicyDocument> {
  return Object.fromEntries(Object.entries(pairsOf('--policy', texts)).map(([arn, file]) => [arn, policyOf(file)]));
}

export function majorOf(text: string): PostgresqlMajor {
  return (
    POSTGRESQL_MAJORS.find(major => `${major}` === text)
    ?? refuse(`--postgres ${text}: it is one of ${POSTGRESQL_MAJORS.join(', ')}`)
  );
}

export function policyOf(file: string): PolicyDocument {
  const text = contentOf('--policy', file);
  try {
    const content = Object(JSON.parse(text)) as PolicyDocument & { PolicyVersion?: { Document: PolicyDocument } };
    const document = content.PolicyVersion?.Document ?? content; // as aws iam get-policy-version prints it
    return (document as Partial<PolicyDocument>).Statement === undefined
      ? refuse(`--policy ${file}: it has no Statement`)
      : document;
  } catch (error) {
    throw error instanceof InputError ? error : new InputError(`--policy ${file}: it is not JSON`, { cause: error });
  }
}

export function contentOf(option: string, file: string): string {
  try {
    return readFileSync(resolve(callerFolder(), file), 'utf8');
  } catch (error) {
    throw new InputError(`${option} ${file}: no such file, or it cannot be read`, { cause: error });
  }
}

function refuse(message: string): never {
  throw new InputError(message);
}
