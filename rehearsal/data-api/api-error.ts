import { DatabaseError } from 'pg';

/** HTTP status of each exception, as its model has it: 400 unless it is here. */
const STATUS: Record<string, number> = {
  AccessDeniedException: 403,
  DatabaseNotFoundException: 404,
  TransactionNotFoundException: 404,
  DatabaseUnavailableException: 504,
};

/** An exception of the Data API. */
export class ApiError extends Error {
  constructor(public readonly type: string, message: string) {
    super(message);
  }

  get status(): number {
    return STATUS[this.type] ?? 400;
  }
}

/**
 * An error of the server, in the words of the Data API: one line with what the server said, and its SQLSTATE at the
 * end.
 *
 * @see https://github.com/aws/aws-cli/issues/8577
 */
export function ofServer({ severity = 'ERROR', message, detail, hint, position, code }: DatabaseError): ApiError {
  if (code === '42601' && message.startsWith('cannot insert multiple commands')) {
    return new ApiError('ValidationException', "Multistatements aren't supported");
  }
  const fields = Object.entries({ Detail: detail, Hint: hint, Position: position, SQLState: code }).flatMap(
    ([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]),
  );
  return new ApiError('DatabaseErrorException', [`${severity}: ${message}`, ...fields].join('; '));
}
