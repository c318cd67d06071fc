import tls from 'node:tls';
import { setTimeout } from 'node:timers/promises';
import { Client } from 'pg';
import { readAuthorities } from '../../lambda/provisioner/authorities';
import { overConnections } from '../../lambda/provisioner/connections';
import { Clock } from '../../lambda/shared/clock';
import { Admin } from '../../lambda/provisioner/credentials';
import { Deployment } from '../../lambda/provisioner/deployment';
import { Answer, createHandler } from '../../lambda/provisioner/handler';
import { Transport } from '../../lambda/provisioner/session';
import { Event } from '../../lambda/shared/event';
import { DATABASE_ROLE_RESOURCE_TYPE, DATABASE_USER_RESOURCE_TYPE, DATABASE_USERS_RESOURCE_TYPE, DatabasePrivileges, RemovalProperties } from '../../lib/contract/wire';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { Setup, SETUPS } from '../../rehearsal/setups';
import { throughDataApi } from './over-data-api';

export { snapshot } from './catalog';

/** What a test declares of a user: in short, or as it is in the template. */
export interface User {
  readonly username: string;
  /** Databases to connect to. @default ['shop'], and none beside `privileges` */
  readonly connect?: string[];
  readonly memberOf?: string[];
  readonly privileges?: { readonly [database: string]: DatabasePrivileges };
  readonly onRemoval?: RemovalProperties;
  readonly exclusive?: boolean;
  readonly adoptExisting?: boolean;
  readonly reapply?: string;
}

/** Many users that may do the same. */
export interface Users extends Omit<User, 'username'> {
  readonly usernames: string[];
}

/** A group role. */
export interface Role extends Omit<User, 'username'> {
  readonly roleName: string;
}

export type Declared = User | Users | Role;

export interface StackOptions {
  readonly name?: string;
  /** The unique part of the stack id. A stack that was deleted and made again has another. */
  readonly unique?: string;
  readonly admin?: () => Admin | Promise<Admin>;
  readonly host?: string;
  readonly port?: number;
  readonly resourceId?: string;
  readonly lambdaMs?: number;
  readonly clock?: Clock;
  /** @default - connections, as the admin */
  readonly transport?: Transport;
  /** @default - the admin */
  readonly registryOwner?: string;
  /** What the function was deployed for. @default - what the events say */
  readonly deployment?: Partial<Deployment>;
}

/** All suites use the Data API, for a look at what is different: DATA_API=1 npx jest test/lambda */
const OVER_DATA_API = process.env.DATA_API !== undefined;

/** The events that CloudFormation sends for the resources of one stack, to the real handler. */
export class Stack {
  /** What the handler logged, newest last. */
  public readonly log: { notice: string; [field: string]: unknown }[] = [];
  private readonly handler: ReturnType<typeof createHandler>;
  private readonly physicalIds = new Map<string, string>();

  constructor(private readonly server: AuroraLikeServer, private readonly options: StackOptions = {}) {
    const { host = server.host, resourceId = server.resourceId, transport = OVER_DATA_API && !options.admin ? throughDataApi(server) : throughConnections(server, options) } = options;
    const deployment = { stackId: this.stackId, resourceId, host, transport, registryOwner: options.registryOwner, ...options.deployment };
    this.handler = createHandler({
      deployment: () => deployment,
      clock: options.clock ?? { now: () => performance.now(), sleep: setTimeout },
      write: line => this.log.push(JSON.parse(line) as { notice: string }),
    });
  }

  public get stackId(): string {
    const { name = 'shop', unique = '1' } = this.options;
    return `arn:aws:cloudformation:eu-central-1:123456789012:stack/${name}/${unique}`;
  }

  /** What was changed since this was asked last, in words. */
  public takeChanges(): unknown[] {
    return this.log.splice(0).filter(({ notice }) => notice === 'changing').map(({ change }) => change);
  }

  public create(logicalId: string, user: Declared): Promise<Answer> {
    return this.send({ RequestType: 'Create', LogicalResourceId: logicalId }, user);
  }

  public update(logicalId: string, user: Declared, physicalId = this.physicalIdOf(logicalId)): Promise<Answer> {
    return this.send({ RequestType: 'Update', LogicalResourceId: logicalId, PhysicalResourceId: physicalId }, user);
  }

  /** @param user as it was declared when the physical resource was made */
  public delete(logicalId: string, user: Declared, physicalId = this.physicalIdOf(logicalId)): Promise<Answer> {
    return this.send({ RequestType: 'Delete', LogicalResourceId: logicalId, PhysicalResourceId: physicalId }, user);
  }

  /** As the last answer gave it. Without one, it is none that CloudFormation has made up, which would be for a creation that was cancelled. */
  public physicalIdOf(logicalId: string): string {
    return this.physicalIds.get(logicalId) ?? `${this.options.resourceId ?? this.server.resourceId}/unknown/${logicalId}`;
  }

  public async send(event: Partial<Event>, declared: Declared): Promise<Answer> {
    const { resourceId = this.server.resourceId } = this.options;
    const answer = await this.invoke({
      RequestId: 'request',
      StackId: this.stackId,
      ResourceType: 'usernames' in declared ? DATABASE_USERS_RESOURCE_TYPE : 'roleName' in declared ? DATABASE_ROLE_RESOURCE_TYPE : DATABASE_USER_RESOURCE_TYPE,
      ResourceProperties: {
        ServiceToken: 'arn:aws:lambda:eu-central-1:123456789012:function:framework',
        ServiceTimeout: '420',
        Database: { ResourceId: resourceId },
        ...propertiesOf(declared),
      },
      RequestType: 'Create',
      LogicalResourceId: 'User',
      ...event,
    });
    if (event.RequestType !== 'Delete') {
      this.physicalIds.set(event.LogicalResourceId ?? 'User', answer.PhysicalResourceId);
    }
    return answer;
  }

  /** An event of any shape. */
  public invoke(event: unknown): Promise<Answer> {
    const { lambdaMs = 300_000 } = this.options;
    const start = performance.now();
    return this.handler(event, { awsRequestId: 'invocation', getRemainingTimeInMillis: () => lambdaMs - (performance.now() - start) });
  }
}

/** How a handler connects to a server. */
export function throughConnections(server: AuroraLikeServer, { host = server.host, port = server.port, admin = () => server.master }: Pick<StackOptions, 'host' | 'port' | 'admin'> = {}): Transport {
  return overConnections({ host, port, authorities: readAuthorities(server.caFile), readAdmin: async () => admin() });
}

function propertiesOf(declared: Declared): { [property: string]: unknown } {
  const { privileges, memberOf, onRemoval = { Action: 'DROP_OR_DISABLE' }, exclusive, adoptExisting, reapply } = declared;
  const { connect = privileges || 'roleName' in declared ? [] : ['shop'] } = declared;
  return {
    ...'usernames' in declared ? { Usernames: declared.usernames } : 'roleName' in declared ? { RoleName: declared.roleName } : { Username: declared.username },
    Privileges: { ...Object.fromEntries(connect.map(database => [database, { Database: ['CONNECT'] }])), ...privileges },
    ...memberOf ? { MemberOf: memberOf } : {},
    OnRemoval: onRemoval,
    ...exclusive ? { Exclusive: 'true' } : {},
    ...adoptExisting ? { AdoptExisting: 'true' } : {},
    ...reapply === undefined ? {} : { Reapply: reapply },
  };
}

/** Some of the set-ups, for suites that take long; all of them if ALL_SETUPS is set. */
export function setups(...names: string[]): readonly Setup[] {
  return process.env.ALL_SETUPS ? SETUPS : SETUPS.filter(({ name }) => names.includes(name));
}

let trusted: tls.SecureContext | undefined;
const { createSecureContext } = tls;
tls.createSecureContext = options => options?.cert || options?.ca || !trusted ? createSecureContext(options) : trusted;
// Other test files run in the same process. The benchmarks use this file without jest.
globalThis.afterAll?.(() => tls.createSecureContext = createSecureContext);

/**
 * Makes the clients of this process trust a certificate authority, as NODE_EXTRA_CA_CERTS does at the start of the Lambda.
 * One at a time, and one context for all connections: to fill a store of certificates takes longer than to connect.
 */
export function trust(certificate: string): void {
  trusted = createSecureContext();
  (trusted.context as { addCACert(pem: string): void }).addCACert(certificate);
}

/** Signs in over verified TLS and returns the name of the role. */
export async function signIn(server: AuroraLikeServer, username: string, password: string, database = 'shop'): Promise<string> {
  const client = new Client({ host: server.host, port: server.port, user: username, password, database, ssl: { rejectUnauthorized: true } });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<{ user: string }>('SELECT session_user::text AS "user"');
    return rows[0].user;
  } finally {
    await client.end();
  }
}

export function signInWithToken(server: AuroraLikeServer, username: string, database?: string): Promise<string> {
  return signIn(server, username, server.token('application', username), database);
}

/** Names of all roles that are not the server's own. */
export async function users(server: AuroraLikeServer): Promise<string[]> {
  const rows = await server.sql<{ name: string }>("SELECT rolname::text AS name FROM pg_roles WHERE rolname !~ '^(pg_|rds)' AND rolname <> $1 ORDER BY 1", [server.master.username]);
  return rows.map(({ name }) => name);
}

/** The message of the error that a promise must end in. */
export async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it did not fail');
}
