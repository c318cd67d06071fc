import { SSL_MODES, SslMode } from './observations';
import { parseOptions } from '../parse-options';
import { regionOf } from '../region';
import { InputError } from '../../rehearsal/rehearse/input-error';

export const USAGE = `Usage: cdk-aurora-iam-auth-cli doctor <user> [options]
       cdk-aurora-iam-auth-cli doctor --env [options]

Says why a sign-in with IAM fails: looks at one thing after the other, names the first cause and what removes it.
Nothing is changed. What it prints has no token, password or key, and may go into a ticket.

  <user>                  a user of the app in ./cdk.out
  --env                   connect as PGHOST, PGPORT, PGUSER, PGDATABASE, PGSSLMODE and PGSSLROOTCERT say; a token in
                          PGPASSWORD is looked at and used, without one it is made with the credentials that are here

  --app <folder>          what cdk synth has written (default: cdk.out); with --env, to find the provisioner alone
  --stack <name>          the stack that declares the user, if several do; with --env, that has the provisioner: one of
                          the app, or one that is deployed (default: the stack that has made the database)
  --database <name>       database to sign in to (default: the first in which the user has privileges)
  --cluster <identifier>  with --env, the database, if its host does not tell; also --instance and --proxy <name>
  --region <region>       Region of the database (default: that of its host or stack, of AWS_REGION, or of the profile)
  --inside                this host is one of the client's: a database that does not answer is a cause
  --json                  write the steps to the standard output as JSON
  --verbose               more of what was seen
  --help                  this text

Exit codes: 0 signed in, 1 not signed in, with or without a cause, 2 wrong usage, 70 an error in this program.`;

export interface DoctorOptions {
  readonly user?: string;
  readonly env: boolean;
  readonly app?: string;
  readonly stack?: string;
  readonly database?: string;
  readonly cluster?: string;
  readonly instance?: string;
  readonly proxy?: string;
  readonly region?: string;
  readonly inside: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
}

/** Undefined when help is asked for. */
export function doctorOptionsOf(args: string[]): DoctorOptions | undefined {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values, positionals } = parseOptions({
    args,
    allowPositionals: true,
    options: {
      env: flag,
      app: text,
      stack: text,
      database: text,
      cluster: text,
      instance: text,
      proxy: text,
      region: text,
      inside: flag,
      json: flag,
      verbose: flag,
      help: { ...flag, short: 'h' },
    },
  });
  if (values.help) {
    return undefined;
  }
  const { env, app, stack, database, cluster, instance, proxy, region, inside, json, verbose } = values;
  const options = { env, app, stack, database, cluster, instance, proxy, region, inside, json, verbose };
  const [user, ...others] = positionals;
  if (others.length > 0) {
    throw new InputError(`expected one user, not ${positionals.join(' ')}; --help says more`);
  }
  if (options.env ? user !== undefined : user === undefined) {
    throw new InputError(
      options.env
        ? `--env takes the user from PGUSER, so leave out ${user}`
        : 'name a user, or pass --env; --help says more',
    );
  }
  const named = ['cluster', 'instance', 'proxy'].filter(name => options[name as 'cluster'] !== undefined);
  if (named.length > 1) {
    throw new InputError(`--${named.join(' and --')}: the client connects to one of them; name that one`);
  }
  if (user !== undefined && named.length > 0) {
    throw new InputError(
      `--${named[0]} is for --env: a user of the app signs in to the database of its stack; pass --env with the PG* variables of the client`,
    );
  }
  return { ...options, user };
}

/** What the PG* variables of a client say. */
export interface Environment {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly database: string;
  readonly sslMode: SslMode;
  readonly caFile?: string;
  readonly region?: string;
  readonly password?: string;
  readonly extraCaFile?: string;
}

export function environmentOf(env: Readonly<Record<string, string | undefined>>, database?: string): Environment {
  const given = (name: string) => env[name] || undefined; // set to nothing means not set, as libpq does it
  const host = given('PGHOST') ?? missing('PGHOST', 'the endpoint of the database');
  if (/[\s,/]/.test(host)) {
    throw new InputError(
      `PGHOST ${host} is not the name of one host: a token is for the endpoint of a database; set it to that`,
    );
  }
  const username = given('PGUSER') ?? missing('PGUSER', 'the user to sign in as');
  const sslMode = given('PGSSLMODE') ?? 'verify-full';
  if (!SSL_MODES.includes(sslMode as SslMode)) {
    throw new InputError(`PGSSLMODE ${sslMode} is none of ${SSL_MODES.join(', ')}; set it to verify-full`);
  }
  return {
    host,
    port: portOf(given('PGPORT') ?? '5432'),
    username,
    // As libpq does it.
    database: database ?? given('PGDATABASE') ?? username,
    sslMode: sslMode as SslMode,
    caFile: given('PGSSLROOTCERT'),
    region: regionOf(env),
    password: given('PGPASSWORD'),
    extraCaFile: given('NODE_EXTRA_CA_CERTS'),
  };
}

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  return port >= 1 && port <= 65_535
    ? port
    : refuse(`PGPORT ${text} is not a number from 1 to 65535; the port of the database is in the RDS console`);
}

function missing(name: string, what: string): never {
  return refuse(`${name} is not set, which is ${what}; user.connectionEnvironment() has the variables`);
}

function refuse(message: string): never {
  throw new InputError(message);
}
