import { PATIENCE_MS } from '../budget';
import type { Remedy } from '../../shared/remedy';

/** An exception of the AWS SDK. */
export interface SdkError extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $retryable?: { readonly throttling?: boolean };
}

/** Policies that were just attached, and what was just enabled, are not known everywhere at once. */
const EVENTUALLY_MS = 20_000;

/**
 * About 15 seconds, or 30 and more after a day:
 * https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html
 */
const RESUMING_MS = 120_000;

export const named = (...names: string[]) => ({ name }: SdkError) => names.includes(name);

/**
 * What AWS says is in English everywhere.
 * https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.troubleshooting.html
 */
export const DATA_API: Remedy<[error: SdkError]>[] = [
  {
    matches: ({ name, message }) =>
      name === 'DatabaseResumingException' || /is resuming after being auto-paused/.test(message),
    retryUntil: RESUMING_MS,
    remedy: 'it was paused (Aurora Serverless v2) and should have resumed by now; deploy again',
  },
  {
    matches: ({ name, message }) =>
      name === 'HttpEndpointNotEnabledException' || /HttpEndpoint isn't enabled/i.test(message),
    retryUntil: EVENTUALLY_MS,
    remedy:
      'enable the Data API of the cluster (EnableHttpEndpoint), or, if the cluster was renamed since, disable and enable it again; T classes, older engines and some Regions have none',
  },
  {
    matches: named('AccessDeniedException', 'ForbiddenException'),
    retryUntil: EVENTUALLY_MS,
    remedy:
      "allow the provisioner's role the four rds-data actions on the cluster, secretsmanager:GetSecretValue on the secret of the admin and, where that has a key of its own, kms:Decrypt on the key; "
      + 'check service control policies and the resource policy of the secret',
  },
  {
    matches: error =>
      named('InvalidSecretException', 'SecretsErrorException')(error)
      || (error.name === 'BadRequestException' && /secret/i.test(error.message)),
    remedy:
      'check that the secret of the admin exists in this Region, that its key can be used, and that it is a JSON object with a username and a password',
  },
  {
    matches: ({ name, $metadata, $retryable }) =>
      $retryable?.throttling === true || $metadata?.httpStatusCode === 429 || /^(Throttl|TooManyRequests)/.test(name),
    retryUntil: PATIENCE_MS,
    remedy: 'there are too many calls in this account and Region at the same time; deploy again',
  },
  {
    matches: error =>
      named(
        'DatabaseNotFoundException',
        'DatabaseUnavailableException',
        'ServiceUnavailableError',
        'InternalServerErrorException',
        'InternalFailure',
        'InvalidResourceStateException',
      )(error) || (error.$metadata?.httpStatusCode ?? 0) >= 500,
    retryUntil: PATIENCE_MS,
    remedy:
      'check that the cluster has a writer, and that it is available; a secondary cluster of a global database has none',
  },
  {
    matches: named('UnsupportedResultException'),
    remedy: 'declare less at once, or create the users from the VPC: leave transport out',
  },
];
