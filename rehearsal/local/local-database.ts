import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chooseEndpoint, chooseSignIn, endpointsOf, LocalEndpoint, LocalRole, SignInChoice } from './choices';
import { configFile, credentialsFile, profileNames } from './aws-files';
import { ClientEnvironment } from './client-environment';
import { AssemblyStack } from '../cloudformation/cloud-assembly';
import { GivenValues, preflight } from '../plan/preflight';
import { fullResourceName, resourceName } from '../plan/resource-name';
import { Rehearsal } from '../rehearsal';
import { principalsFor } from '../rehearse/measure-access';
import { Progress } from '../rehearse/progress';
import { printNotes } from '../rehearse/rehearse-app';
import { runStatements, StatementsFile } from '../rehearse/run-statements';
import { assemblyOf, refuseUnused, selectStacks } from '../rehearse/source';
import { RunFolder } from '../run-folder';
import { inOneLine, textTable } from '../text-table';
import { INDENT, Timeline } from '../timeline';

export interface LocalDatabaseOptions extends SignInChoice {
  /** Path of an app or of a cloud assembly. @default - "app" of ./cdk.json is run */
  readonly source?: string;
  /** Ids; none are all. */
  readonly stacks: string[];
  readonly context: Record<string, string>;
  readonly given: GivenValues;
  /** Run after the deployment. */
  readonly sql: StatementsFile[];
  /** @default - the master */
  readonly sqlRole?: string;
  /** Of the statements and of PGDATABASE. @default - the database that is made with the cluster or instance */
  readonly database?: string;
  /** A database, replica or proxy. @default - the only database with users */
  readonly endpoint?: string;
  /** How long tokens are accepted. @default 900 */
  readonly tokenLifetimeSeconds?: number;
  readonly verbose: boolean;
}

/** An app that cannot be rehearsed. */
export class NotRehearsed extends Error {
  constructor(readonly problems: string[]) {
    super('the app cannot be rehearsed');
  }
}

/** A deployment, or statements after it, that failed. */
export class StartFailed extends Error {}

/** How clients get to an endpoint: all clients resolve this name, and the certificate has it. */
const HOST = 'localhost';

/** A rehearsed deployment that stays, and what an application needs to sign in there. */
export class LocalDatabase {
  /** @param print a line for people */
  static async start(options: LocalDatabaseOptions, print: (line: string) => void): Promise<LocalDatabase> {
    const timeline = new Timeline(print);
    const assembly = await assemblyOf(options.source, options.context);
    const stacks = selectStacks(assembly, options.stacks);
    refuseUnused(assembly.stacks, options.given);
    const checked = preflight(stacks, assembly.assets, options.given);
    if (checked.problems.length > 0) {
      throw new NotRehearsed(checked.problems);
    }
    timeline.step(`${options.source ?? 'cdk.json'}: ${stacks.map(({ id }) => id).join(', ')}`);
    printNotes(checked.notes, checked, options.verbose, print);
    const progress = new Progress(print);
    const rehearsal = await Rehearsal.start({
      plan: checked.plan,
      onEvent: (event) => {
        const { stackName, logicalId } = event;
        if (options.verbose) {
          timeline.event(event);
        } else {
          const definition = definitionIn(stacks, stackName)?.template.Resources[logicalId];
          progress.event(event, resourceName(logicalId, definition), checked.plan.isNeeded(stackName, logicalId));
        }
      },
    });
    try {
      // The CDK CLI deploys no stack without resources.
      for (const { id } of stacks.filter(({ template }) => Object.keys(template.Resources).length > 0)) {
        timeline.step(`deploy ${id}`);
        const { status, reason } = await rehearsal.deploy(assembly, id);
        progress.end();
        if (options.verbose) {
          timeline.logs(rehearsal.logs);
        }
        if (reason !== undefined) {
          throw new StartFailed(`stack ${id} is ${status}: ${inOneLine(reason)}`);
        }
      }
      for (const file of options.sql) {
        timeline.step(`run ${file.file} as ${options.sqlRole ?? 'the master'}`);
        const result = await runStatements(rehearsal, file, { role: options.sqlRole, database: options.database });
        result.notes.forEach(note => print(`${INDENT}${note}`));
        if (result.failure !== undefined) {
          throw new StartFailed(result.failure);
        }
      }
      const database = new LocalDatabase(rehearsal, options, print);
      timeline.step(`ready: ${database.endpoint.name} at ${HOST}:${database.endpoint.target.gatewayPort}`);
      database.describe(print);
      return database;
    } catch (error) {
      await rehearsal.close();
      throw error;
    }
  }

  /** Of an application. */
  readonly environment: ClientEnvironment;

  readonly endpoint: LocalEndpoint;

  /** What an application reads, in a folder of its own. */
  private readonly folder = RunFolder.open().newFolder('client');

  private readonly roles: LocalRole[];

  private constructor(
    readonly rehearsal: Rehearsal, private readonly options: LocalDatabaseOptions, print: (line: string) => void,
  ) {
    this.endpoint = chooseEndpoint(endpointsOf(rehearsal), options.endpoint);
    this.roles = rolesOf(rehearsal, this.endpoint);
    const { target } = this.endpoint;
    const choice = chooseSignIn(this.roles, this.endpoint.users.map(({ name }) => name), options);
    target.alias = { host: HOST, port: target.gatewayPort };
    target.tokenLifetimeSeconds = options.tokenLifetimeSeconds ?? target.tokenLifetimeSeconds;
    target.onLog = (line) => {
      if (options.verbose || !line.includes(': signed in ')) {
        print(`${INDENT}${this.endpoint.name}: ${line}`);
      }
    };
    this.environment = {
      PGHOST: HOST,
      PGPORT: `${target.gatewayPort}`,
      ...choice.user === undefined ? {} : { PGUSER: choice.user },
      PGDATABASE: options.database ?? this.databaseOf(choice.user),
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: this.write('ca.pem', target.caCertificate),
      // For node-postgres with `ssl: true`, which reads no PGSSLROOTCERT.
      NODE_EXTRA_CA_CERTS: this.write('node-ca.pem', `${target.caCertificate}\n${otherCertificates()}`),
      AWS_REGION: target.region,
      AWS_DEFAULT_REGION: target.region, // what boto3 and the AWS CLI read
      AWS_EC2_METADATA_DISABLED: 'true', // a profile that is missing is an error, and not a question to the network
      AWS_SHARED_CREDENTIALS_FILE: this.write('credentials', credentialsFile(this.roles)),
      AWS_CONFIG_FILE: this.write('config', configFile(this.roles, target.region)),
      ...choice.role === undefined ? {} : { AWS_PROFILE: choice.role },
    };
  }

  /** @returns path of a file that only this user reads */
  write(name: string, content: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  }

  async close(): Promise<void> {
    await this.rehearsal.close();
  }

  private databaseOf(username: string | undefined): string {
    const { made, users } = this.endpoint;
    const databases = users.find(({ name }) => name === username)?.databases ?? [];
    return made !== undefined && (databases.length === 0 || databases.includes(made))
      ? made
      : (databases[0] ?? 'postgres');
  }

  private describe(print: (line: string) => void): void {
    const rows = this.roles
      .filter(({ users }) => users.length > 0)
      .map(({ roleName, name, users }) => [roleName, name, users.join(', ')]);
    textTable(['IAM role', 'profile', 'signs in as'], rows).forEach(line => print(`${INDENT}${line}`));
    const others = this.roles.filter(({ users }) => users.length === 0).map(({ name }) => name);
    if (others.length > 0) {
      print(`${INDENT}profiles of roles that may not sign in: ${others.join(', ')}`);
    }
    const { PGUSER, AWS_PROFILE } = this.environment;
    const unset = [
      ...PGUSER === undefined ? ['PGUSER is not set: name one with --user'] : [],
      ...AWS_PROFILE === undefined ? ['AWS_PROFILE is not set: name one with --role'] : [],
    ];
    const set = Object.entries({ PGUSER, AWS_PROFILE }).filter(([, value]) => value !== undefined);
    print(`${INDENT}${[...set.map(([name, value]) => `${name}=${value}`), ...unset].join('; ')}`);
    if (this.options.tokenLifetimeSeconds !== undefined) {
      print(`${INDENT}a token is accepted for ${this.options.tokenLifetimeSeconds} s`);
    }
  }
}

function definitionIn(stacks: readonly AssemblyStack[], id: string): AssemblyStack | undefined {
  for (const stack of stacks) {
    const found = stack.id === id ? stack : definitionIn(Object.values(stack.nested), id);
    if (found) {
      return found;
    }
  }
  return undefined;
}

function rolesOf(rehearsal: Rehearsal, { state, target, users }: LocalEndpoint): LocalRole[] {
  const { stackIds } = rehearsal;
  const found = stackIds.flatMap(id =>
    rehearsal
      .resources(id)
      .filter(({ type }) => type === 'AWS::IAM::Role')
      .map(role => ({
        name:
          stackIds.length > 1
            ? fullResourceName(id, role.logicalId, role.definition)
            : resourceName(role.logicalId, role.definition),
        arn: role.attributes.Arn as string,
        credentials: rehearsal.credentialsOf(role),
      })),
  );
  const profiles = profileNames(found.map(({ name }) => name));
  const principals = principalsFor(state, target, found, (arn, action, resource) =>
    rehearsal.allows(arn, action, resource),
  );
  return principals.map((principal, index) => ({
    roleName: principal.name,
    name: profiles[index],
    credentials: principal.credentials,
    users: users.map(({ name }) => name).filter(username => isAllowed(() => principal.mayConnectAs(username))),
  }));
}

/** What is not known of a policy is not allowed here. */
function isAllowed(ask: () => boolean): boolean {
  try {
    return ask();
  } catch {
    return false;
  }
}

/** Certificates that Node.js of the caller trusts beside its own. */
function otherCertificates(): string {
  const { NODE_EXTRA_CA_CERTS: path } = process.env;
  return path !== undefined && existsSync(path) ? readFileSync(path, 'utf8') : '';
}
