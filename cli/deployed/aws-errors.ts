/** Errors of AWS and of its SDK in words that say what to do. */

interface Row {
  readonly matches: (error: Error) => boolean;
  /** About the whole call, whichever it is. */
  readonly reason: string;
}

const named = (...names: string[]) => ({ name }: Error) => names.includes(name);

/**
 * What is wrong with the caller. The text of AWS is left out: that of a wrong signature has the session token.
 *
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
 */
const OF_THE_CALLER: readonly Row[] = [
  {
    matches: named(
      'CredentialsProviderError',
      'TokenProviderError',
      'MissingAuthenticationToken',
      'MissingAuthenticationTokenException',
    ),
    reason: 'there are no AWS credentials here; sign in, such as with aws sso login, or set AWS_PROFILE',
  },
  {
    matches: named('ExpiredToken', 'ExpiredTokenException', 'RequestExpired'),
    reason: 'the AWS credentials have expired; renew them, such as with aws sso login',
  },
  {
    matches: named(
      'InvalidClientTokenId',
      'UnrecognizedClientException',
      'SignatureDoesNotMatch',
      'InvalidSignatureException',
      'IncompleteSignature',
      'AuthFailure',
    ),
    reason:
      'AWS does not accept the credentials; take AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN together from one source, '
      + 'and verify the clock of this host',
  },
  {
    matches: ({ message }) => message === 'Region is missing',
    reason: 'the Region is not known; set AWS_REGION, or the Region of the profile',
  },
];

/**
 * Why a call has failed.
 *
 * @param remedy what allows the call, from a semicolon on
 */
export function explain(error: Error, permission: string, resource: string, remedy: string): string {
  const { name, message } = error;
  const known = OF_THE_CALLER.find(({ matches }) => matches(error));
  if (known) {
    return known.reason;
  }
  if (/^AccessDenied/.test(name)) {
    return `${permission} is not allowed on ${resource}: the caller needs that permission${remedy}`;
  }
  if (name === 'ResourceNotFoundException') {
    return `${resource} does not exist any more; deploy the stack again`;
  }
  const failed = `${permission} on ${resource} failed: ${name}: ${message}`;
  return hasAnswer(error) ? failed : `${failed}; verify that this host reaches AWS, and that there is such a Region`;
}

function hasAnswer(error: Error): boolean {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode !== undefined;
}
