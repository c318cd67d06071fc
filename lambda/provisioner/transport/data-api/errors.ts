import { saidBy } from '../../../shared/sdk-error';
import { methodIn, ProvisionError, ServerError } from '../../errors';
import { DATA_API, named, type SdkError } from '../../remedies/data-api';
import { remedyFor } from '../../../shared/remedy';

/** A transaction that is not there any more, or whose end is not known: as a connection that broke. */
export class TransactionLost extends Error {
  /** @param isGone whether the answer was that there is no such transaction */
  constructor(message: string, public readonly isGone: boolean) {
    super(message);
  }
}

/**
 * What an exception means: an error of the server, a transaction that is lost, or something about the Data API itself,
 * in words.
 */
export function failureOf(error: SdkError, clusterArn: string): Error {
  const said = serverErrorIn(error);
  if (said) {
    return said;
  }
  const isGone
    = named('TransactionNotFoundException', 'NotFoundException')(error)
      || /^Transaction .* (isn't|is not) found/.test(error.message);
  if (isGone || error.$metadata?.httpStatusCode === undefined || /^Transaction is still running/.test(error.message)) {
    return new TransactionLost(saidBy(error), isGone);
  }
  const { remedy = 'the message says why', retryUntil } = remedyFor(DATA_API, error) ?? {};
  return new ProvisionError(`cannot use the Data API of ${clusterArn}: ${saidBy(error)}; ${remedy}`, {
    retryUntil,
    cause: error,
  });
}

/** @param bytes of a statement */
export function tooLarge(bytes: number, most: number): ProvisionError {
  return new ProvisionError(
    `a statement of ${bytes} bytes is more than the ${most} that fit into a call of the Data API; declare less at once, or create the users from the VPC: leave transport out`,
  );
}

/**
 * An error of PostgreSQL comes as one line: `ERROR: relation "a" does not exist; Position: 15; SQLState: 42P01`, with
 * `Detail` and `Hint` where there are any. That is not documented: see https://github.com/aws/aws-cli/issues/8577 and
 * https://github.com/drizzle-team/drizzle-orm/issues/2372.
 */
function serverErrorIn({ name, message }: SdkError): ServerError | undefined {
  const [, text, sqlState] = /^(.*); SQLState: ([0-9A-Z]{5})\.?$/s.exec(message) ?? [];
  if (sqlState !== undefined) {
    const [, , main, detail, hint]
      = /^([\p{Lu}\p{Lo}]+: +)?(.*?)(?:[;\n]\s*Detail: (.*?))?(?:[;\n]\s*Hint: (.*?))?(?:[;\n]\s*Position: \d+)?(?:[;\n]\s*Where: .*)?$/su.exec(
        text,
      ) ?? [];
    // In every language a message about a unique constraint has its name; that of one of the catalog is an index of
    // PostgreSQL.
    const [constraint] = sqlState === '23505' ? /\bpg_\w+_index\b/.exec(main) ?? [] : [];
    return new ServerError(main, sqlState, { detail, hint, constraint, method: methodIn(main) });
  }
  if (name === 'StatementTimeoutException') {
    return new ServerError(message, '57014');
  }
  // Without a SQLSTATE: https://github.com/ArsenyYankovsky/typeorm-aurora-data-api-driver/issues/86
  return /^FATAL: password authentication failed/.test(message)
    ? new ServerError(message.slice('FATAL: '.length), '28P01')
    : undefined;
}
