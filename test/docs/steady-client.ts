import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { Pool, PoolConfig } from 'pg';
import { reusedToken } from '../../examples/reused-token';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { ResourceState } from '../../rehearsal/cloudformation/template';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { GatewaySocket } from '../../rehearsal/sign-in';

const PAUSE_MILLISECONDS = 100;

/** Connections are replaced this often, so that a sign-in that fails is noticed in each step. */
const CONNECTION_SECONDS = 1;

/** A pool as a service has it. */
export function newPool(server: AuroraLikeServer, signIn: Pick<PoolConfig, 'user' | 'password' | 'database'>): Pool {
  const { host, port, caCertificate: ca, gatewayPort } = server;
  const pool = new Pool({
    host,
    port,
    ...signIn,
    ssl: { ca },
    max: 3,
    maxLifetimeSeconds: CONNECTION_SECONDS,
    stream: () => new GatewaySocket(gatewayPort),
  });
  return pool.on('error', () => undefined);
}

/** A pool with tokens of a role. */
export function tokenPool(
  rehearsal: Rehearsal,
  server: AuroraLikeServer,
  role: ResourceState,
  user: string,
  database: string,
): Pool {
  const { host: hostname, port, region } = server;
  const password = reusedToken({ hostname, port, region, username: user }, () =>
    Promise.resolve(rehearsal.credentialsOf(role)),
  );
  return newPool(server, { user, password, database });
}

interface Container {
  readonly Environment: { readonly Name: string; readonly Value: string }[];
  readonly Secrets?: { readonly Name: string; readonly ValueFrom: string }[];
}

/** What the stack Service says at this moment, as Amazon ECS reads it: secrets once, with the execution role. */
export async function deployedService(
  rehearsal: Rehearsal,
): Promise<{ variables: Record<string, string>; taskRole: ResourceState }> {
  const resources = rehearsal.resources('Service');
  const definition = resources.find(({ type }) => type === 'AWS::ECS::TaskDefinition')!;
  const [{ Environment, Secrets = [] }] = definition.properties.ContainerDefinitions as Container[];
  const roleOf = (property: string) =>
    resources.find(({ attributes }) => attributes.Arn === definition.properties[property])!;
  const variables = Object.fromEntries(Environment.map(({ Name, Value }) => [Name, Value]));
  for (const { Name, ValueFrom } of Secrets) {
    variables[Name] = await secretValue(ValueFrom, rehearsal, roleOf('ExecutionRoleArn'));
  }
  return { variables, taskRole: roleOf('TaskRoleArn') };
}

/** The value of a secret that is `<ARN>:<key>::`. */
async function secretValue(valueFrom: string, rehearsal: Rehearsal, role: ResourceState): Promise<string> {
  const [, arn, key] = /^(arn:(?:[^:]+:){5}[^:]+):([^:]+)::$/.exec(valueFrom)!;
  const client = new SecretsManagerClient({
    endpoint: rehearsal.endpointUrl,
    region: 'eu-central-1',
    credentials: rehearsal.credentialsOf(role),
  });
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: arn }));
  return (JSON.parse(SecretString!) as Record<string, string>)[key];
}

/** The pool of a task of the service: with the password of its secret, or with tokens. */
export async function poolOfTask(rehearsal: Rehearsal, server: AuroraLikeServer): Promise<Pool> {
  const {
    variables: { PGUSER: user, PGDATABASE: database, PGPASSWORD: password },
    taskRole,
  } = await deployedService(rehearsal);
  return password === undefined
    ? tokenPool(rehearsal, server, taskRole, user, database)
    : newPool(server, { user, password, database });
}

/** A client that sends a query every 100 ms, whatever happens to the database and to its own pool. */
export class SteadyClient {
  readonly failures: string[] = [];
  /** Queries that were answered, by the user that they ran as. */
  readonly answered = new Map<string, number>();
  private readonly underWay = new Set<Promise<void>>();
  private readonly timer: NodeJS.Timeout;

  /** @param query with the user in the column `user` of its first row */
  constructor(private pool: Pool, private readonly query: string) {
    this.timer = setInterval(() => this.send(), PAUSE_MILLISECONDS);
  }

  /**
   * As a rolling deployment does: a new task answers before the former one is stopped, which finishes what it was
   * asked.
   */
  async replacePool(next: Pool): Promise<void> {
    await next.query('SELECT 1'); // its health check
    const former = this.pool;
    this.pool = next;
    await former.end();
  }

  /** Resolves when the user has answered some more queries, or one has failed. */
  async hasAnswered(user: string, more = 5): Promise<void> {
    const count = () => this.answered.get(user) ?? 0;
    for (const before = count(); count() < before + more && this.failures.length === 0;) {
      await new Promise(resolve => setTimeout(resolve, PAUSE_MILLISECONDS));
    }
  }

  async end(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all(this.underWay);
    await this.pool.end();
  }

  get count(): number {
    return [...this.answered.values()].reduce((sum, each) => sum + each, 0);
  }

  private send(): void {
    const answer = this.pool.query<{ user: string }>(this.query).then(({ rows: [{ user }] }) => {
      this.answered.set(user, (this.answered.get(user) ?? 0) + 1);
    }, (error: Error) => {
      this.failures.push(error.message);
    }).finally(() => this.underWay.delete(answer));
    this.underWay.add(answer);
  }
}
