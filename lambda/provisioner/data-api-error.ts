import { PATIENCE_MS } from './budget';
import { ProvisionError, ServerError } from './errors';
import { saidBy } from '../shared/sdk-error';

/** An exception of the AWS SDK. */
export interface SdkError extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $retryable?: { readonly throttling?: boolean };
}

/** A transaction that is not there any more, or whose end is not known: as a connection that broke. */
export class TransactionLost extends Error {
  /** @param isGone whether the answer was that there is no such transaction */
  constructor(message: string, public readonly isGone: boolean) {
    super(message);
  }
}

/** Policies that were just attached, and what was just enabled, are not known everywhere at once. */
const EVENTUALLY_MS = 20_000;

/** About 15 seconds, or 30 and more after a day: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html */
const RESUMING_MS = 120_000;

interface Problem {
  readonly matches: (error: SdkError) => boolean;
  readonly remedy: string;
  /** Milliseconds from the start of the invocation until which it is tried again. */
  readonly retryUntil?: number;
}

const named = (...names: string[]) => ({ name }: SdkError) => names.includes(name);

/** First match counts. https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.troubleshooting.html */
const PROBLEMS: Problem[] = [
  {
    matches: ({ name, message }) => name === 'DatabaseResumingException' || /is resuming after being auto-paused/.test(message),
    retryUntil: RESUMING_MS,
    remedy: 'it was paused (Aurora Serverless v2) and should have resumed by now; deploy again',
  },
  {
    matches: ({ name, message }) => name === 'HttpEndpointNotEnabledException' || /HttpEndpoint isn't enabled/i.test(message),
    retryUntil: EVENTUALLY_MS,
    remedy: 'enable the Data API of the cluster (EnableHttpEndpoint), or, if the cluster was renamed since, disable and enable it again; T classes, older engines and some Regions have none',
  },
  {
    matches: named('AccessDeniedException', 'ForbiddenException'),
    retryUntil: EVENTUALLY_MS,
    remedy: "allow the provisioner's role the four rds-data actions on the cluster, secretsmanager:GetSecretValue on the secret of the admin and, where that has a key of its own, kms:Decrypt on the key; "
      + 'check service control policies and the resource policy of the secret',
  },
  {
    matches: error => named('InvalidSecretException', 'SecretsErrorException')(error) || (error.name === 'BadRequestException' && /secret/i.test(error.message)),
    remedy: 'check that the secret of the admin exists in this Region, that its key can be used, and that it is a JSON object with a username and a password',
  },
  {
    matches: ({ name, $metadata, $retryable }) => $retryable?.throttling === true || $metadata?.httpStatusCode === 429 || /^(Throttl|TooManyRequests)/.test(name),
    retryUntil: PATIENCE_MS,
    remedy: 'there are too many calls in this account and Region at the same time; deploy again',
  },
  {
    matches: error => named('DatabaseNotFoundException', 'DatabaseUnavailableException', 'ServiceUnavailableError', 'InternalServerErrorException', 'InternalFailure', 'InvalidResourceStateException')(error)
      || (error.$metadata?.httpStatusCode ?? 0) >= 500,
    retryUntil: PATIENCE_MS,
    remedy: 'check that the cluster has a writer, and that it is available; a secondary cluster of a global database has none',
  },
  { matches: named('UnsupportedResultException'), remedy: 'declare less at once, or create the users from the VPC: leave transport out' },
];

/** What an exception means: an error of the server, a transaction that is lost, or something about the Data API itself, in words. */
export function failureOf(error: SdkError, clusterArn: string): Error {
  const said = serverErrorIn(error);
  if (said) {
    return said;
  }
  const isGone = named('TransactionNotFoundException', 'NotFoundException')(error) || /^Transaction .* (isn't|is not) found/.test(error.message);
  if (isGone || error.$metadata?.httpStatusCode === undefined || /^Transaction is still running/.test(error.message)) {
    return new TransactionLost(saidBy(error), isGone);
  }
  const { remedy = 'the message says why', retryUntil } = PROBLEMS.find(({ matches }) => matches(error)) ?? {};
  return new ProvisionError(`cannot use the Data API of ${clusterArn}: ${saidBy(error)}; ${remedy}`, { retryUntil, cause: error });
}

/** @param bytes of a statement */
export function tooLarge(bytes: number, most: number): ProvisionError {
  return new ProvisionError(`a statement of ${bytes} bytes is more than the ${most} that fit into a call of the Data API; declare less at once, or create the users from the VPC: leave transport out`);
}

/**
 * An error of PostgreSQL comes as one line: `ERROR: relation "a" does not exist; Position: 15; SQLState: 42P01`, with `Detail` and `Hint` where there are any.
 * That is not documented: see https://github.com/aws/aws-cli/issues/8577 and https://github.com/drizzle-team/drizzle-orm/issues/2372.
 */
function serverErrorIn({ name, message }: SdkError): ServerError | undefined {
  const [, text, sqlState] = /^(.*); SQLState: ([0-9A-Z]{5})\.?$/s.exec(message) ?? [];
  if (sqlState !== undefined) {
    const [, , main, detail, hint] = /^([A-Z]+: )?(.*?)(?:[;\n]\s*Detail: (.*?))?(?:[;\n]\s*Hint: (.*?))?(?:[;\n]\s*Position: \d+)?(?:[;\n]\s*Where: .*)?$/s.exec(text) ?? [];
    const [, constraint] = /unique constraint "(.*?)"/.exec(main) ?? [];
    return new ServerError(main, sqlState, { detail, hint, constraint });
  }
  if (name === 'StatementTimeoutException') {
    return new ServerError(message, '57014');
  }
  // Without a SQLSTATE: https://github.com/ArsenyYankovsky/typeorm-aurora-data-api-driver/issues/86
  return /^FATAL: password authentication failed/.test(message) ? new ServerError(message.slice('FATAL: '.length), '28P01') : undefined;
}
