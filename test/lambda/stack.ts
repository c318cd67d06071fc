import tls from 'node:tls';
import { setTimeout } from 'node:timers/promises';
import { Client } from 'pg';
import { readAuthorities } from '../../lambda/provisioner/transport/postgresql/authorities';
import { overConnections } from '../../lambda/provisioner/transport/postgresql/connections';
import { Clock } from '../../lambda/shared/clock';
import { Admin } from '../../lambda/provisioner/transport/credentials';
import { Deployment } from '../../lambda/provisioner/deployment';
import { createExpiryHandler } from '../../lambda/provisioner/expiry';
import { Answer, createHandler } from '../../lambda/provisioner/handler';
import { createDriftHandler, createPlanHandler } from '../../lambda/provisioner/look';
import { Statement, Transport } from '../../lambda/provisioner/transport/session';
import { Context, Event } from '../../lambda/shared/event';
import { Drift, Plan, SignInFacts } from '../../lib/contract/look';
import {
  DATABASE_ROLE_RESOURCE_TYPE,
  DATABASE_USER_RESOURCE_TYPE,
  DATABASE_USERS_RESOURCE_TYPE,
  DatabasePrivileges,
  PUBLIC_PRIVILEGES_RESOURCE_TYPE,
  RemovalProperties,
  SettingProperties,
} from '../../lib/contract/wire';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { Setup, SETUPS } from '../../rehearsal/setups';
import { throughDataApi } from './over-data-api';
import { asFromIam, STRICT, underStrictLogin } from './strict-admin';

export { snapshot } from './catalog';

/** What a test declares of a user: in short, or as it is in the template. */
export interface User {
  readonly username: string;
  /** Databases to connect to. @default ['shop'], and none beside `privileges` */
  readonly connect?: string[];
  readonly memberOf?: string[];
  /** By group; milliseconds since 1970. */
  readonly membershipExpiresAt?: { readonly [group: string]: number };
  readonly settings?: SettingProperties;
  readonly privileges?: { readonly [database: string]: DatabasePrivileges };
  readonly onRemoval?: RemovalProperties;
  readonly exclusive?: boolean;
  readonly adoptExisting?: boolean;
  readonly reapply?: string;
  readonly expiresAt?: Date;
}

/** Many users that may do the same. */
export interface Users extends Omit<User, 'username'> {
  readonly usernames: string[];
}

/** A group role. */
export interface Role extends Omit<User, 'username'> {
  readonly roleName: string;
}

/** What PUBLIC loses in a database. */
export interface OfPublic {
  readonly database: string;
  /** @default - CONNECT on the database, and CREATE on its schema public */
  readonly revoked?: DatabasePrivileges;
  readonly lockOut?: string[];
  readonly reapply?: string;
}

/** What manages roles. */
export type Declared = User | Users | Role;

/** Any resource of this library. */
export type DeclaredResource = Declared | OfPublic;

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

interface Handlers {
  readonly event: ReturnType<typeof createHandler>;
  readonly plan: ReturnType<typeof createPlanHandler>;
  readonly drift: ReturnType<typeof createDriftHandler>;
  readonly expiry: ReturnType<typeof createExpiryHandler>;
}

/** The events that CloudFormation sends for the resources of one stack, to the real handler. */
export class Stack {
  /** What the handler logged, newest last. */
  public readonly log: { notice: string; [field: string]: unknown }[] = [];
  private readonly handlers: Handlers;
  private readonly executed: { readonly database: string; readonly sql: string }[] = [];
  private readonly physicalIds = new Map<string, string>();

  constructor(private readonly server: AuroraLikeServer, private readonly options: StackOptions = {}) {
    const {
      transport = OVER_DATA_API && !options.admin ? throughDataApi(server) : throughConnections(server, options),
    } = options;
    this.handlers = this.handlersWith(transport);
  }

  private handlersWith(transport: Transport): Handlers {
    const {
      host = this.server.host,
      resourceId = this.server.resourceId,
      registryOwner,
      deployment: others,
      clock,
    } = this.options;
    const deployment = {
      stackId: this.stackId,
      resourceId,
      host,
      transport: recording(transport, this.executed),
      registryOwner,
      ...others,
    };
    const dependencies = {
      deployment: () => deployment,
      clock: clock ?? { now: () => performance.now(), sleep: setTimeout },
      write: (line: string) => void this.log.push(JSON.parse(line) as { notice: string }),
    };
    return {
      event: createHandler(dependencies),
      plan: createPlanHandler(dependencies),
      drift: createDriftHandler(dependencies),
      expiry: createExpiryHandler(dependencies),
    };
  }

  /** Under a login that counts each membership, once more with a token if the password is of no use. */
  private carryOut<Result>(work: (handlers: Handlers) => Promise<Result>): Promise<Result> {
    const { server, options, handlers, log, executed } = this;
    if (server.roleRules !== 'strict' || (options.transport && !process.env.STRICT) || options.admin) {
      return work(handlers);
    }
    const withToken = this.handlersWith(throughConnections(server, { ...options, admin: asFromIam(server) }));
    const [logged, done] = [log.length, executed.length];
    const { username, password } = server.master;
    return underStrictLogin(
      server,
      () =>
        signIn(server, username, password, 'postgres').then(
          () => true,
          () => false,
        ),
      (admin) => {
        log.splice(logged);
        executed.splice(done);
        return work(admin === 'a token' ? withToken : handlers);
      },
    );
  }

  /** What was executed since this was asked last, without what is about the session, the lock and the registry. */
  public takeExecuted(): { database: string; sql: string }[] {
    return this.executed
      .splice(0)
      .filter(
        ({ sql }) =>
          !/^\s*(SELECT|WITH|SAVEPOINT|RELEASE|ROLLBACK|SET TRANSACTION|SET LOCAL createrole_self_grant)\b|\bcdk_aurora_iam_auth(_lock)?\b/.test(
            sql,
          ),
      );
  }

  /** What events would do, in this order. */
  public plan(...events: PlannedEvent[]): Promise<Plan> {
    return this.planOf({ resources: events.map(event => this.planned(event)) });
  }

  /** Of an event of any shape. */
  public planOf(event: unknown): Promise<Plan> {
    return this.carryOut(({ plan }) => plan(event, this.context()) as Promise<Plan>);
  }

  /** What decides about a sign-in. */
  public signIn(username: string, database = 'shop'): Promise<SignInFacts> {
    return this.carryOut(
      ({ plan }) => plan({ signIn: { username, database } }, this.context()) as Promise<SignInFacts>,
    );
  }

  public drift(event: unknown = {}): Promise<Drift> {
    return this.carryOut(({ drift }) => drift(event, this.context()));
  }

  /** What a schedule invokes. */
  public expire(event: unknown = {}): Promise<void> {
    return this.carryOut(({ expiry }) => expiry(event, this.context()));
  }

  private planned({ logicalId, declared, before, physicalId, action }: PlannedEvent): unknown {
    return {
      RequestType: action ?? (before === undefined ? 'Create' : 'Update'),
      LogicalResourceId: logicalId,
      ...(before === undefined && action === undefined
        ? {}
        : { PhysicalResourceId: physicalId ?? this.physicalIdOf(logicalId) }),
      ResourceType: resourceTypeOf(declared),
      ResourceProperties: {
        ServiceToken: 'arn:aws:lambda:eu-central-1:123456789012:function:framework',
        Database: { 'Fn::GetAtt': ['Cluster', 'DBClusterResourceId'] },
        ...propertiesOf(declared),
      },
      ...before === undefined ? {} : { OldResourceProperties: propertiesOf(before) },
    };
  }

  private context(): Context {
    const { lambdaMs = 300_000 } = this.options;
    const start = performance.now();
    return {
      awsRequestId: 'invocation',
      functionName: 'provisioner',
      getRemainingTimeInMillis: () => lambdaMs - (performance.now() - start),
    };
  }

  public get stackId(): string {
    const { name = 'shop', unique = '1' } = this.options;
    return `arn:aws:cloudformation:eu-central-1:123456789012:stack/${name}/${unique}`;
  }

  /** What was changed since this was asked last, in words. */
  public takeChanges(): unknown[] {
    return this.log.splice(0).filter(({ notice }) => notice === 'changing').map(({ change }) => change);
  }

  public create(logicalId: string, user: DeclaredResource): Promise<Answer> {
    return this.send({ RequestType: 'Create', LogicalResourceId: logicalId }, user);
  }

  public update(logicalId: string, user: DeclaredResource, physicalId = this.physicalIdOf(logicalId)): Promise<Answer> {
    return this.send({ RequestType: 'Update', LogicalResourceId: logicalId, PhysicalResourceId: physicalId }, user);
  }

  /** @param user as it was declared when the physical resource was made */
  public delete(logicalId: string, user: DeclaredResource, physicalId = this.physicalIdOf(logicalId)): Promise<Answer> {
    return this.send({ RequestType: 'Delete', LogicalResourceId: logicalId, PhysicalResourceId: physicalId }, user);
  }

  /**
   * As the last answer gave it. Without one, it is none that CloudFormation has made up, which would be for a creation
   * that was cancelled.
   */
  public physicalIdOf(logicalId: string): string {
    return (
      this.physicalIds.get(logicalId) ?? `${this.options.resourceId ?? this.server.resourceId}/unknown/${logicalId}`
    );
  }

  /** @param event sent a second after the one before it, unless it says something else; `NaN`: its URL says nothing */
  public async send({ sentAt = nextTime(), ...event }: Partial<Event>, declared: DeclaredResource): Promise<Answer> {
    const { resourceId = this.server.resourceId } = this.options;
    const answer = await this.invoke({
      RequestId: 'request',
      ResponseURL: `https://cloudformation-custom-resource-response-eucentral1.s3.eu-central-1.amazonaws.com/answer${Number.isNaN(sentAt) ? '' : `?X-Amz-Date=${new Date(sentAt).toISOString().replace(/[:-]|\.\d+/g, '')}`}`,
      StackId: this.stackId,
      ResourceType: resourceTypeOf(declared),
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
    return this.carryOut(({ event: handler }) => handler(event, this.context()));
  }
}

/** A resource as an event of a plan: deployed before if there is a declaration before. */
export interface PlannedEvent {
  readonly logicalId: string;
  readonly declared: DeclaredResource;
  readonly before?: DeclaredResource;
  readonly physicalId?: string;
  readonly action?: 'Delete';
}

function resourceTypeOf(declared: DeclaredResource): string {
  return 'database' in declared
    ? PUBLIC_PRIVILEGES_RESOURCE_TYPE
    : 'usernames' in declared
      ? DATABASE_USERS_RESOURCE_TYPE
      : 'roleName' in declared
        ? DATABASE_ROLE_RESOURCE_TYPE
        : DATABASE_USER_RESOURCE_TYPE;
}

/** The same, with all that is executed in a list. */
function recording(transport: Transport, executed: { database: string; sql: string }[]): Transport {
  const texts = (database: string, statements: Statement[]) =>
    statements.flatMap(sql => (typeof sql === 'string' ? [{ database, sql }] : []));
  return async (...args) => {
    const access = await transport(...args);
    const open = async (database: string) => {
      const session = await access.open(database);
      const noted = (method: 'execute' | 'commit') => (statements: Statement[], answerMs: number) => {
        executed.push(...texts(database, statements));
        return session[method](statements, answerMs) as Promise<unknown>;
      };
      // Everything else is the session's own, whose state its methods share.
      return new Proxy(session, {
        get: (_, name) => {
          const value: unknown = Reflect.get(session, name, session);
          return name === 'execute' || name === 'commit'
            ? noted(name)
            : typeof value === 'function'
              ? (value as () => unknown).bind(session)
              : value;
        },
      });
    };
    return { ...access, open };
  };
}

let time = Math.floor(Date.now() / 1000) * 1000 - 12 * 60 * 60 * 1000;

/**
 * Deployments take longer than tests: each event is sent a second after the one before it. The last one is still in the
 * past.
 */
export function nextTime(): number {
  return time += 1000;
}

/** How a handler connects to a server. */
export function throughConnections(
  server: AuroraLikeServer,
  {
    host = server.host,
    port = server.port,
    admin = () => server.master,
  }: Pick<StackOptions, 'host' | 'port' | 'admin'> = {},
): Transport {
  return overConnections({ host, port, authorities: readAuthorities(server.caFile), readAdmin: async () => admin() });
}

function propertiesOf(declared: DeclaredResource): { [property: string]: unknown } {
  if ('database' in declared) {
    const {
      database,
      revoked = { Database: ['CONNECT'], Schemas: { public: { Schema: ['CREATE'] } } },
      lockOut,
      reapply,
    } = declared;
    return {
      DatabaseName: database,
      Revoked: revoked,
      ...(lockOut ? { LockOut: lockOut } : {}),
      ...(reapply === undefined ? {} : { Reapply: reapply }),
    };
  }
  const {
    privileges,
    memberOf,
    membershipExpiresAt,
    onRemoval = { Action: 'DROP_OR_DISABLE' },
    exclusive,
    adoptExisting,
    reapply,
    expiresAt,
  } = declared;
  const { connect = privileges || 'roleName' in declared ? [] : ['shop'] } = declared;
  return {
    ...('usernames' in declared
      ? { Usernames: declared.usernames }
      : 'roleName' in declared
        ? { RoleName: declared.roleName }
        : { Username: declared.username }),
    Privileges: {
      ...Object.fromEntries(connect.map(database => [database, { Database: ['CONNECT'] }])),
      ...privileges,
    },
    ...memberOf ? { MemberOf: memberOf } : {},
    ...declared.settings ? { Settings: declared.settings } : {},
    OnRemoval: onRemoval,
    ...exclusive ? { Exclusive: 'true' } : {},
    ...adoptExisting ? { AdoptExisting: 'true' } : {},
    ...reapply === undefined ? {} : { Reapply: reapply },
    ...expiresAt === undefined ? {} : { ExpiresAt: expiresAt.toISOString() },
    ...(membershipExpiresAt
      ? {
          MembershipExpiresAt: Object.fromEntries(
            Object.entries(membershipExpiresAt).map(([group, time]) => [group, new Date(time).toISOString()]),
          ),
        }
      : {}),
  };
}

/**
 * Some of the set-ups, so that the suites together have them all; each suite has all of them if ALL_SETUPS is set, and
 * the strict login if it names that. STRICT=1 npx jest test/lambda is a look at what is different there.
 */
export function setups(...names: string[]): readonly Setup[] {
  if (process.env.STRICT) {
    return names.length === 0 ? [] : [STRICT];
  }
  return process.env.ALL_SETUPS
    ? [...SETUPS, ...(names.includes(STRICT.name) ? [STRICT] : [])]
    : SETUPS.filter(({ name }) => names.includes(name));
}

export type TransportName = 'connections' | 'the Data API';

/**
 * The same, for suites over both transports. What an event does depends on its transport in few of them, and through
 * the Data API it takes three times the processor time.
 */
export function setupsOver(names: Record<TransportName, string[]>): (Setup & { readonly transport: TransportName })[] {
  return (Object.keys(names) as TransportName[])
    .flatMap(transport => setups(...names[transport]).map(setup => ({ ...setup, transport })));
}

let trusted: tls.SecureContext | undefined;
const { createSecureContext } = tls;
tls.createSecureContext = options => options?.cert || options?.ca || !trusted ? createSecureContext(options) : trusted;
// Other test files run in the same process. The benchmarks use this file without jest.
globalThis.afterAll?.(() => tls.createSecureContext = createSecureContext);

/**
 * Makes the clients of this process trust a certificate authority, as NODE_EXTRA_CA_CERTS does at the start of the
 * Lambda. One at a time, and one context for all connections: to fill a store of certificates takes longer than to
 * connect.
 */
export function trust(certificate: string): void {
  trusted = createSecureContext();
  (trusted.context as { addCACert(pem: string): void }).addCACert(certificate);
}

/** Signs in over verified TLS and returns the name of the role. */
export async function signIn(
  server: AuroraLikeServer,
  username: string,
  password: string,
  database = 'shop',
): Promise<string> {
  const client = new Client({
    host: server.host,
    port: server.port,
    user: username,
    password,
    database,
    ssl: { rejectUnauthorized: true },
  });
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
  const rows = await server.sql<{ name: string }>(
    "SELECT rolname::text AS name FROM pg_roles WHERE rolname !~ '^(pg_|rds)' AND rolname <> $1 ORDER BY 1",
    [server.master.username],
  );
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
