import {
  BeginTransactionCommand, CommitTransactionCommand, ExecuteStatementCommand, RDSDataClient,
  RollbackTransactionCommand,
} from '@aws-sdk/client-rds-data';
import type { Budget } from '../../budget';
import type { Transport } from '../session';
import { confirmByNewSession } from './confirm';
import { failureOf, tooLarge } from './errors';
import { type Calls, PooledSession } from './session';

export interface DataApiOptions {
  readonly clusterArn: string;
  /** Of the secret that the Data API signs in with. */
  readonly secretArn: string;
  /** @default - one with the credentials and in the Region of the function */
  readonly client?: RDSDataClient;
}

/**
 * As AWS advises, so that an answer is heard if there is one:
 * https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api-timeouts.html
 */
const CALL_MS = 60_000;
const CONNECT_MS = 3_000;

/** Of a request: 4 MiB. https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_ExecuteStatement.html */
const MAX_BYTES = 4_000_000;

/**
 * The RDS Data API, from wherever the handler runs. No call is sent twice by itself: it is not known whether a
 * statement has been executed whose answer is lost.
 */
export function overDataApi(options: DataApiOptions): Transport {
  const { client = new RDSDataClient({ maxAttempts: 1, requestHandler: { connectionTimeout: CONNECT_MS } }) } = options;
  return (budget) => {
    const calls = callsOf(client, options, budget);
    return Promise.resolve({
      open: database => Promise.resolve(new PooledSession(calls, options.clusterArn, database, budget)),
      confirm: () => confirmByNewSession(calls, options.clusterArn),
    });
  };
}

function callsOf(client: RDSDataClient, { clusterArn, secretArn }: DataApiOptions, budget: Budget): Calls {
  const target = { resourceArn: clusterArn, secretArn };
  const answer = <Answer>(
    send: (options: { abortSignal: AbortSignal }) => Promise<Answer>,
    milliseconds = CALL_MS,
  ): Promise<Answer> =>
    send({ abortSignal: AbortSignal.timeout(Math.ceil(Math.min(milliseconds, budget.remainingMs()))) }).catch(
      (error: Error) => {
        throw failureOf(error, clusterArn);
      },
    );
  return {
    begin: async (database) => {
      const { transactionId } = await answer(options =>
        client.send(new BeginTransactionCommand({ ...target, database }), options),
      );
      return transactionId!;
    },
    execute: async (transactionId, database, sql) => {
      const bytes = Buffer.byteLength(JSON.stringify(sql));
      if (bytes > MAX_BYTES) {
        throw tooLarge(bytes, MAX_BYTES);
      }
      const { records = [] } = await answer(options =>
        client.send(new ExecuteStatementCommand({ ...target, database, sql, transactionId }), options),
      );
      return records.map(([field]) => field.stringValue ?? '');
    },
    commit: async (transactionId) => {
      await answer(options => client.send(new CommitTransactionCommand({ ...target, transactionId }), options));
    },
    rollback: async (transactionId, milliseconds) => {
      await answer(
        options => client.send(new RollbackTransactionCommand({ ...target, transactionId }), options),
        milliseconds,
      );
    },
  };
}
