import type { Remedy } from '../../shared/remedy';

/** An exception of the AWS SDK. Without a status, no answer came. */
export interface SecretError extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number };
}

const named = (expected: string) => ({ name }: SecretError) => name === expected;

/** Why the secret of the admin cannot be read. */
export const SECRET: Remedy<[error: SecretError]>[] = [
  {
    matches: named('AccessDeniedException'),
    remedy:
      "allow the provisioner's role secretsmanager:GetSecretValue on it and, where it has a key of its own, kms:Decrypt on the key; check its resource policy",
  },
  { matches: named('ResourceNotFoundException'), remedy: 'check that the secret still exists in this Region' },
  { matches: named('InvalidRequestException'), remedy: 'restore the secret if it is scheduled for deletion' },
  { matches: named('DecryptionFailure'), remedy: "check the state of the secret's key" },
  { matches: ({ $metadata }) => $metadata?.httpStatusCode !== undefined, remedy: 'try again' },
  {
    matches: () => true,
    remedy: 'the subnets of the provisioner need a way to Secrets Manager: a NAT gateway, or an interface endpoint for '
      + 'com.amazonaws.<region>.secretsmanager that lets its security group in on port 443',
  },
];
