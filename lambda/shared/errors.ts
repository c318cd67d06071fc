/**
 * The reason a deployment shows. It says what was attempted, what came back and what to do about it, on one line:
 * CDK's provider framework copies message and stack into CloudFormation's answer, which has 4,096 bytes in all.
 */
export class ProvisionError extends Error {
  /** Milliseconds after the start of the invocation until which trying again makes sense; 0 when it does not. */
  public readonly retryUntil: number;
  /** Whether something that was done before may not have been undone. */
  public readonly mayBeLeft: boolean;
  /** Whether the reason may be that another session has changed what was looked at before. */
  public readonly mayBeOutdated: boolean;

  constructor(
    message: string,
    options: { retryUntil?: number; mayBeLeft?: boolean; mayBeOutdated?: boolean; cause?: unknown } = {},
  ) {
    super(withinBytes(message.replace(/\s+/g, ' ').trim(), MAX_MESSAGE_BYTES), { cause: options.cause });
    this.name = 'ProvisionError';
    this.retryUntil = options.retryUntil ?? 0;
    this.mayBeLeft = options.mayBeLeft ?? false;
    this.mayBeOutdated = options.mayBeOutdated ?? false;
    // The framework appends the stack; ours says nothing a user could act on.
    this.stack = `${this.name}: ${this.message}`;
  }
}

/** Room for the ids around the message: stack, request, logical and physical resource. */
const MAX_MESSAGE_BYTES = 2000;

/**
 * The same, with where its log is. CDK's provider framework adds `Logs: /aws/lambda/<function>` to each reason, which
 * is not where a function with a log group of its own writes.
 */
export function inLogGroup({ message, mayBeLeft }: ProvisionError, logGroup: string | undefined): ProvisionError {
  const where = logGroup === undefined ? '' : ` (log group: ${logGroup})`;
  return new ProvisionError(`${withinBytes(message, MAX_MESSAGE_BYTES - Buffer.byteLength(where))}${where}`, {
    mayBeLeft,
  });
}

/** Cuts a text so that its JSON form has at most so many bytes. */
export function withinBytes(text: string, max: number): string {
  const bytes = (value: string) => Buffer.byteLength(JSON.stringify(value));
  if (bytes(text) <= max) {
    return text;
  }
  let kept = text.slice(0, max);
  while (bytes(`${kept}...`) > max) {
    kept = kept.slice(0, -Math.ceil((bytes(`${kept}...`) - max) / 6));
  }
  return `${kept}...`;
}
