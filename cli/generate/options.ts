import { parseOptions } from '../parse-options';
import { InputError } from '../../rehearsal/rehearse/input-error';

export const USAGE = `Usage: cdk-aurora-iam-auth-cli generate [options] > lib/database-access.ts

Reads the catalogs of a database server, and writes the TypeScript that declares its group roles and the users that
sign in with IAM. To deploy it takes them over, and executes nothing but the statements of the registry. What cannot be
declared is listed at the top of the file and on the standard error, and stays as it is. Nothing is changed.

It connects as PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE and PGSSLROOTCERT say, with verified TLS. Without
PGPASSWORD it makes a token with the credentials that are here. Sign in as the admin that the provisioner uses.

  --database <name>          database to read; may be repeated (default: all that can be entered)
  --include-password-logins  logins with passwords too: their deployment grants rds_iam to them, and their passwords
                             stop working
  --include-public-connect   users too that connect with what PUBLIC has: their deployment grants them CONNECT
  --json                     write the file, the roles in it and the list as JSON
  --verbose                  the cause of an error
  --help                     this text

Exit codes: 0 written, also if something cannot be declared, 1 the database cannot be read, 2 wrong usage, 70 an error
in this program.`;

export interface GenerateOptions {
  /** All that can be entered if there are none. */
  readonly databases: string[];
  readonly includePasswordLogins: boolean;
  readonly includePublicConnect: boolean;
  readonly json: boolean;
}

/** Undefined when help is asked for. */
export function generateOptionsOf(args: string[]): GenerateOptions | undefined {
  const flag = { type: 'boolean', default: false } as const;
  const { values, positionals } = parseOptions({
    args,
    allowPositionals: true,
    options: {
      'database': { type: 'string', multiple: true, default: [] as string[] },
      'include-password-logins': flag,
      'include-public-connect': flag,
      'json': flag,
      'verbose': flag,
      'help': { ...flag, short: 'h' },
    },
  });
  if (values.help) {
    return undefined;
  }
  if (positionals.length > 0) {
    throw new InputError(
      `generate takes no ${positionals[0]}: the PG* variables say where the database is; --help says more`,
    );
  }
  return {
    databases: values.database,
    includePasswordLogins: values['include-password-logins'],
    includePublicConnect: values['include-public-connect'],
    json: values.json,
  };
}
