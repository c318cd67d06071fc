import { randomBytes } from 'node:crypto';
import { Client, DatabaseError, QueryArrayConfig } from 'pg';
import { AuroraLikeServer } from '../aurora-like-server';
import { AwsAnswer, AwsCall, AwsService, failure } from '../cloudformation/aws-endpoint';
import { Authorize } from '../cloudformation/secrets-manager';
import { ApiError, ofServer } from './api-error';
import { ConnectionPool, Login } from './connection-pool';
import { recordsOf } from './fields';
import { Limits, LIMITS } from './limits';

/** What there is to call, at this moment. */
export interface Surroundings {
  readonly authorize: Authorize;
  /** A secret by name or ARN. */
  readonly secret: (id: string) => { readonly arn: string; readonly value: string } | undefined;
  readonly cluster: (arn: string) => DataApiCluster | undefined;
}

export interface DataApiCluster {
  readonly server: AuroraLikeServer;
  /** `EnableHttpEndpoint`, on a cluster of Aurora. */
  readonly httpEndpoint: boolean;
  /** `DBInstanceClass` of the writer. */
  readonly writerClass?: string;
}

const PARAMETER = /:[\p{L}\p{N}_$][\p{L}\p{N}_$]*/u;

interface Request {
  readonly resourceArn?: string;
  readonly secretArn?: string;
  readonly database?: string;
  readonly transactionId?: string;
  readonly sql?: string;
  readonly schema?: string;
  readonly parameters?: unknown[];
}

interface Transaction {
  readonly login: Login;
  readonly client: Client;
  readonly clusterArn: string;
  running: boolean;
  timer?: NodeJS.Timeout;
}

const ACTIONS: Record<string, string> = {
  '/BeginTransaction': 'BeginTransaction',
  '/Execute': 'ExecuteStatement',
  '/CommitTransaction': 'CommitTransaction',
  '/RollbackTransaction': 'RollbackTransaction',
};

/** One statement a call, each value as the server writes it. */
const AS_TEXT = {
  rowMode: 'array',
  queryMode: 'extended',
  types: { getTypeParser: () => (value: string) => value },
} as const;

/** The RDS Data API, with real sessions behind it. */
export class DataApi {
  private readonly pool = new ConnectionPool();
  private readonly transactions = new Map<string, Transaction>();
  /** Why a transaction is not there any more. */
  private readonly ended = new Map<string, string>();

  constructor(private readonly surroundings: Surroundings, private readonly limits: Limits = LIMITS) {}

  readonly service: AwsService = async (call) => {
    const action = call.method === 'POST' ? ACTIONS[call.path] : undefined;
    if (action === undefined) {
      return undefined;
    }
    try {
      return { status: 200, body: await this.answer(action, call) };
    } catch (error) {
      return answerTo(error);
    }
  };

  async close(): Promise<void> {
    this.transactions.forEach(({ timer }) => clearTimeout(timer));
    await this.pool.close();
  }

  private async answer(action: string, call: AwsCall): Promise<object> {
    if (Buffer.byteLength(call.body) > this.limits.requestBytes) {
      throw new ApiError('BadRequestException', 'The request is larger than 4 MiB');
    }
    const request = JSON.parse(call.body) as Request;
    const login = this.loginFor(action, request, call.accessKeyId);
    if (login.server.isPaused) {
      void login.server.awake();
      throw new ApiError(
        'DatabaseResumingException',
        `The Aurora DB instance ${login.server.resourceId} is resuming after being auto-paused. Please wait a few seconds and try again.`,
      );
    }
    switch (action) {
      case 'BeginTransaction': return { transactionId: await this.begin(login, request.resourceArn!) };
      case 'CommitTransaction': return this.end(request, 'COMMIT', 'Transaction Committed');
      case 'RollbackTransaction': return this.end(request, 'ROLLBACK', 'Rollback Complete');
      default: return this.execute(login, request);
    }
  }

  /** Refuses who may not, and what cannot be. */
  private loginFor(
    action: string,
    { resourceArn = '', secretArn = '', database, schema, parameters }: Request,
    accessKeyId: string,
  ): Login {
    const { authorize, secret: secretOf, cluster: clusterOf } = this.surroundings;
    const refuse = (what: string, resource: string) => {
      if (!authorize(accessKeyId, what, resource)) {
        throw new ApiError(
          'AccessDeniedException',
          `not authorized to perform: ${what} on resource: ${resource} because no identity-based policy allows the ${what} action`,
        );
      }
    };
    refuse(`rds-data:${action}`, resourceArn);
    const cluster = clusterOf(resourceArn);
    if (!cluster?.httpEndpoint || cluster.writerClass?.startsWith('db.t')) {
      throw new ApiError(
        'HttpEndpointNotEnabledException',
        `HttpEndpoint isn't enabled for cluster ${resourceArn.split(':').at(-1)}`,
      );
    }
    if (!cluster.server.isAvailable) {
      throw new ApiError('DatabaseNotFoundException', "The DB cluster doesn't have a DB instance.");
    }
    if (schema !== undefined || parameters !== undefined) {
      throw new ApiError(
        'ValidationException',
        "The schema parameter isn't supported, and parameters are not rehearsed",
      );
    }
    const secret = secretOf(secretArn);
    if (!secret) {
      throw new ApiError('SecretsErrorException', 'Secrets Manager can\'t find the specified secret.');
    }
    refuse('secretsmanager:GetSecretValue', secret.arn);
    const { username, password } = credentialsIn(secret.value);
    return { server: cluster.server, database: database ?? username, username, password };
  }

  private async begin(login: Login, clusterArn: string): Promise<string> {
    const client = await this.pool.take(login);
    await client.query('BEGIN');
    const id = randomBytes(48).toString('base64');
    this.transactions.set(id, { login, client, clusterArn, running: false });
    this.wait(id);
    return id;
  }

  private async execute(login: Login, { transactionId, sql = '', resourceArn }: Request): Promise<object> {
    // It is not known how far the API understands SQL. This one looks for parameters in quotes as well.
    const [parameter] = PARAMETER.exec(sql.replaceAll('::', '')) ?? [];
    if (parameter !== undefined) {
      throw new ApiError('BadRequestException', `Cannot find parameter: ${parameter.slice(1)}`);
    }
    if (transactionId !== undefined) {
      return this.during(transactionId, resourceArn, transaction => this.run(transaction, sql));
    }
    const client = await this.pool.take(login);
    try {
      return await this.run({ client, login }, sql);
    } finally {
      this.pool.give(login, client);
    }
  }

  private async end(
    { transactionId = '', resourceArn }: Request,
    statement: string,
    transactionStatus: string,
  ): Promise<object> {
    await this.during(transactionId, resourceArn, ({ client }) => client.query(statement));
    this.forget(transactionId, 'One previous call resulted in a termination of your transaction.');
    return { transactionStatus };
  }

  /** A call of a transaction, of which there is one at a time. */
  private async during<T>(
    id: string,
    clusterArn: string | undefined,
    work: (transaction: Transaction) => Promise<T>,
  ): Promise<T> {
    const transaction = this.transactions.get(id);
    if (transaction?.clusterArn !== clusterArn || transaction === undefined) {
      throw new ApiError(
        'TransactionNotFoundException',
        `Transaction ${id} isn't found. ${this.ended.get(id) ?? 'Transaction may be expired.'}`,
      );
    }
    if (transaction.running) {
      throw new ApiError('DatabaseErrorException', 'Transaction is still running a query');
    }
    transaction.running = true;
    clearTimeout(transaction.timer);
    try {
      return await work(transaction);
    } catch (error) {
      if (
        !(error instanceof DatabaseError || error instanceof ApiError)
        || (error as DatabaseError).severity === 'FATAL'
      ) {
        this.forget(id, 'Transaction has been aborted due to an error from a previous call.');
      }
      throw error;
    } finally {
      transaction.running = false;
      this.wait(id);
    }
  }

  private async run({ client, login }: Pick<Transaction, 'client' | 'login'>, sql: string): Promise<object> {
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      void login.server.sql('SELECT pg_cancel_backend($1)', [(client as unknown as { processID: number }).processID]);
    }, this.limits.statementMs);
    try {
      const result = await client.query<(string | null)[]>({ text: sql, ...AS_TEXT } as QueryArrayConfig);
      return {
        numberOfRecordsUpdated: ['INSERT', 'UPDATE', 'DELETE'].includes(result.command) ? result.rowCount : 0,
        generatedFields: [],
        ...result.fields.length > 0 ? { records: recordsOf(result, this.limits) } : {},
      };
    } catch (error) {
      throw timedOut ? new ApiError('StatementTimeoutException', 'Request timed out') : error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** It is rolled back when nothing calls it any more. */
  private wait(id: string): void {
    const transaction = this.transactions.get(id);
    if (transaction) {
      transaction.timer = setTimeout(() => {
        void transaction.client
          .query('ROLLBACK')
          .catch(() => undefined)
          .then(() => this.forget(id, 'Transaction may be expired.'));
      }, this.limits.idleMs).unref();
    }
  }

  private forget(id: string, reason: string): void {
    const transaction = this.transactions.get(id);
    this.transactions.delete(id);
    this.ended.set(id, reason);
    if (transaction) {
      clearTimeout(transaction.timer); // its session is another one's from now on
      this.pool.give(transaction.login, transaction.client);
    }
  }
}

function answerTo(error: unknown): AwsAnswer {
  const told = error instanceof DatabaseError ? ofServer(error) : error;
  return told instanceof ApiError
    ? { ...failure(told.status, told.type, told.message), headers: { 'x-amzn-ErrorType': told.type } }
    : failure(504, 'DatabaseUnavailableException', String(told));
}

function credentialsIn(secret: string): { username: string; password: string } {
  try {
    const { username, password } = JSON.parse(secret) as { username?: string; password?: string };
    if (username && password) {
      return { username, password };
    }
  } catch {
    // is no JSON, either
  }
  throw new ApiError('InvalidSecretException', "The Secrets Manager secret used with the request isn't valid.");
}
