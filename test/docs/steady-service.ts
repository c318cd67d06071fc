import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { Pool } from 'pg';
import { reusedToken } from '../../examples/reused-token';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { ResourceState } from '../../rehearsal/cloudformation/template';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { GatewaySocket } from '../../rehearsal/sign-in';

const PAUSE_MILLISECONDS = 100;

/** Connections are replaced this often, so that a sign-in that fails is noticed in each step. */
const CONNECTION_SECONDS = 1;

interface Container {
  readonly Environment: { readonly Name: string; readonly Value: string }[];
  readonly Secrets?: { readonly Name: string; readonly ValueFrom: string }[];
}

/** What the stack of the service says at this moment, as Amazon ECS reads it: secrets once, with the execution role. */
export async function deployedService(rehearsal: Rehearsal): Promise<{ variables: Record<string, string>; taskRole: ResourceState }> {
  const resources = rehearsal.resources('Service');
  const definition = resources.find(({ type }) => type === 'AWS::ECS::TaskDefinition')!;
  const [{ Environment, Secrets = [] }] = definition.properties.ContainerDefinitions as Container[];
  const roleOf = (property: string) => resources.find(({ attributes }) => attributes.Arn === definition.properties[property]) as ResourceState;
  const variables = Object.fromEntries(Environment.map(({ Name, Value }) => [Name, Value]));
  for (const { Name, ValueFrom } of Secrets) {
    variables[Name] = await secretValue(ValueFrom, rehearsal, roleOf('ExecutionRoleArn'));
  }
  return { variables, taskRole: roleOf('TaskRoleArn') };
}

/** One copy of the service, with the pool that it has. */
class Task {
  static async start(rehearsal: Rehearsal, server: AuroraLikeServer): Promise<Task> {
    const { variables: { PGHOST: host, PGUSER: user, PGDATABASE: database, PGPASSWORD }, taskRole } = await deployedService(rehearsal);
    const signIn = { hostname: host, port: server.port, username: user, region: server.region };
    const pool = new Pool({
      host, port: server.port, user, database, ssl: { ca: server.caCertificate }, max: 3, maxLifetimeSeconds: CONNECTION_SECONDS,
      password: PGPASSWORD ?? reusedToken(signIn, () => Promise.resolve(rehearsal.credentialsOf(taskRole))),
      stream: () => new GatewaySocket(server.gatewayPort),
    });
    pool.on('error', () => undefined);
    return new Task(pool);
  }

  private constructor(readonly pool: Pool) {}
}

/** The value of a secret that is `<ARN>:<key>::`. */
async function secretValue(valueFrom: string, rehearsal: Rehearsal, role: ResourceState): Promise<string> {
  const [, arn, key] = /^(arn:(?:[^:]+:){5}[^:]+):([^:]+)::$/.exec(valueFrom)!;
  const client = new SecretsManagerClient({ endpoint: rehearsal.endpointUrl, region: 'eu-central-1', credentials: rehearsal.credentialsOf(role) });
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: arn }));
  return (JSON.parse(SecretString!) as Record<string, string>)[key];
}

/** A service that a query is sent to every 100 ms, whatever happens to the database and to its own tasks. */
export class SteadyService {
  static async start(rehearsal: Rehearsal, server: AuroraLikeServer, query: string): Promise<SteadyService> {
    return new SteadyService(rehearsal, server, query, await Task.start(rehearsal, server));
  }

  readonly failures: string[] = [];
  /** Queries that were answered, by the user that they ran as. */
  readonly answered = new Map<string, number>();
  private readonly underWay = new Set<Promise<void>>();
  private readonly timer: NodeJS.Timeout;

  private constructor(private readonly rehearsal: Rehearsal, private readonly server: AuroraLikeServer, private readonly query: string, private task: Task) {
    this.timer = setInterval(() => this.send(), PAUSE_MILLISECONDS);
  }

  /** As a rolling deployment does: a new task answers before the former one is stopped, which finishes what it was asked. */
  async replaceTasks(): Promise<void> {
    const former = this.task;
    const next = await Task.start(this.rehearsal, this.server);
    await next.pool.query('SELECT 1'); // its health check
    this.task = next;
    await former.pool.end();
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
    await this.task.pool.end();
  }

  private send(): void {
    const answer = this.task.pool.query<{ user: string }>(this.query).then(({ rows: [{ user }] }) => {
      this.answered.set(user, (this.answered.get(user) ?? 0) + 1);
    }, (error: Error) => {
      this.failures.push(error.message);
    }).finally(() => this.underWay.delete(answer));
    this.underWay.add(answer);
  }
}
