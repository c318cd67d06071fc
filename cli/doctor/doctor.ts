import { AwsAccount } from './aws/account';
import { regionHere } from './aws/region';
import { ProvisionerWitness } from './collect/catalog';
import { assemblyOf, databaseOf, findDeclaredUser } from './declared-target';
import { deployedStackFor } from './deployed-app';
import { diagnose } from './diagnosis';
import { Client, isSeen, Observations } from './observations';
import { Circumstances, observe, Secrets } from './observe';
import { DoctorOptions, doctorOptionsOf, Environment, environmentOf, USAGE } from './options';
import { redact } from './redact';
import { jsonReport, textReport } from './report';
import { hostFacts } from './target';
import { NETWORK } from './world';
import { isAssembly } from '../deployed/select-stacks';
import { CliError, EXIT_CODES } from '../exit-codes';
import { jsonText } from '../json-text';
import { AssemblyStack } from '../../rehearsal/cloudformation/cloud-assembly';

/** RDS hands its logs on to CloudWatch after some seconds; how many is not documented. */
const LOG_PATIENCE_MS = 15_000;

/** `doctor <user>` and `doctor --env` */
export async function main(args: string[]): Promise<number> {
  const options = doctorOptionsOf(args);
  if (!options) {
    console.log(USAGE);
    return EXIT_CODES.ok;
  }
  const circumstances = await (options.env ? fromEnvironment(options) : fromApp(options, options.user!));
  const seen = await observe(circumstances);
  // No colors without a terminal, and with NO_COLOR.
  console.log(written(seen, options, process.stdout.isTTY && process.stdout.hasColors()));
  return seen.signIn.outcome === 'in' ? EXIT_CODES.ok : EXIT_CODES.failed;
}

/** What is written of a diagnosis: nothing that is secret. */
export function written(
  seen: Observations & Secrets,
  { json, verbose }: Pick<DoctorOptions, 'json' | 'verbose'>,
  colors = false,
): string {
  const diagnosis = diagnose(seen);
  const text = json
    ? jsonText(jsonReport(diagnosis, seen))
    : textReport(diagnosis, seen, verbose, colors);
  return redact(text, seen.secrets);
}

async function fromEnvironment(options: DoctorOptions): Promise<Circumstances> {
  const environment = environmentOf(process.env, options.database);
  const region = options.region ?? hostFacts(environment.host).region ?? await regionHere();
  const aws = new AwsAccount(requireRegion(region), {}, now);
  const stacks = stacksAt(options);
  const find = async (identifier: string) =>
    stacks.length > 0 ? stacks : [await deployedStackFor(identifier, options.stack, aws.stacks)];
  return circumstancesOf(environment, options, aws, find, environment.password);
}

/** Of the app, if there is one here: the provisioner of the database is in one of them. */
function stacksAt({ app, stack }: DoctorOptions): readonly AssemblyStack[] {
  const stacks = app !== undefined || isAssembly('cdk.out') ? assemblyOf({ app }).stacks : [];
  return stacks.filter(({ id, name }) => stack === undefined || [id, name].includes(stack));
}

async function fromApp(options: DoctorOptions, username: string): Promise<Circumstances> {
  const assembly = assemblyOf(options);
  const user = findDeclaredUser(username, assembly, options);
  const region = options.region ?? user.top.region ?? await regionHere();
  const aws = new AwsAccount(requireRegion(region), {}, now);
  const database = await databaseOf(user, aws);
  if (!isSeen(database)) {
    throw new CliError(
      EXIT_CODES.failed,
      `the database of ${username} in stack ${user.stack.name} is not known: ${database.unseen}; pass --env with the PG* variables of its client`,
    );
  }
  const { kind, identifier, hosts, port, status } = database.value;
  if (hosts.length === 0) {
    throw new CliError(
      EXIT_CODES.failed,
      `${kind} ${identifier} has no endpoint, and its status is ${status}; wait until RDS shows it as available`,
    );
  }
  const { PGSSLROOTCERT, NODE_EXTRA_CA_CERTS } = process.env;
  const environment = environmentOf(
    { PGHOST: hosts[0], PGPORT: `${port}`, PGUSER: username, PGSSLROOTCERT, NODE_EXTRA_CA_CERTS },
    options.database ?? user.database ?? 'postgres',
  );
  const stacks = [user.top, ...assembly.stacks.filter(stack => stack !== user.top)];
  const circumstances = circumstancesOf(environment, { ...options, [kind]: identifier }, aws, () =>
    Promise.resolve(stacks),
  );
  return { ...circumstances, account: user.top.account };
}

function circumstancesOf(
  { host, port, username, database, sslMode, caFile, region, extraCaFile }: Environment,
  { inside, cluster, instance, proxy }: DoctorOptions,
  aws: AwsAccount,
  stacks: (identifier: string) => Promise<readonly AssemblyStack[]>,
  password?: string,
): Circumstances {
  const client: Client = { host, port, username, database, sslMode, caFile, region, inside };
  return {
    client,
    password,
    extraCaFile,
    named: { cluster, instance, proxy },
    aws,
    network: NETWORK,
    catalog: new ProvisionerWitness(stacks, aws),
    now,
    logPatienceMs: LOG_PATIENCE_MS,
  };
}

function requireRegion(region?: string): string {
  if (region === undefined) {
    throw new CliError(
      EXIT_CODES.usage,
      'the Region of the database is not known: neither its host or stack, nor AWS_REGION or the profile, names one; pass --region',
    );
  }
  return region;
}

function now(): Date {
  return new Date();
}
