import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { Signer } from '@aws-sdk/rds-signer';
import { saidBy } from '../../shared/sdk-error';
import { ProvisionError } from '../errors';
import { remedyFor } from '../../shared/remedy';
import { SECRET } from '../remedies/secret';

export interface Admin {
  readonly username: string;
  /** A token is made for each connection. */
  readonly password: string | (() => Promise<string>);
}

/**
 * An admin that signs in with a token, which is signed here with the credentials of the provisioner's role: without a
 * call, so without a way to any endpoint. Region is the one of the function, which is the database's.
 */
export function adminWithToken(username: string, host: string, port: number): Admin {
  const signer = new Signer({ hostname: host, port, username });
  return { username, password: () => signer.getAuthToken() };
}

/** The whole of it stays under 30 seconds, also when every attempt runs into its time limit. */
const ATTEMPTS = 3;
const CONNECT_MS = 3_000;
const ANSWER_MS = 6_000;

/**
 * Reads the admin's username and password. Host, port and database come from elsewhere: a secret that RDS manages has
 * none.
 */
export async function readAdmin(secretArn: string): Promise<Admin> {
  const client = new SecretsManagerClient({
    maxAttempts: ATTEMPTS,
    requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: ANSWER_MS, throwOnRequestTimeout: true },
  });
  try {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secretArn }));
    return parseAdmin(secretArn, SecretString);
  } catch (error) {
    throw error instanceof ProvisionError ? error : secretProblem(secretArn, error as Error);
  } finally {
    client.destroy();
  }
}

interface Fields {
  readonly username?: unknown;
  readonly password?: unknown;
}

function parseAdmin(secretArn: string, text: string | undefined): Admin {
  let secret: Fields | null = null;
  try {
    secret = JSON.parse(text ?? '') as Fields | null;
  } catch {
    // The error of JSON.parse quotes the text.
  }
  const { username, password }: Fields = secret ?? {};
  if (!isText(username) || !isText(password)) {
    throw new ProvisionError(
      `secret ${secretArn} is not a JSON object with a username and a password; store the admin's credentials in this form`,
    );
  }
  return { username, password };
}

/** In the protocol of PostgreSQL a zero ends a text, and something else would begin behind it. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !value.includes('\0');
}

function secretProblem(secretArn: string, error: Error): ProvisionError {
  return new ProvisionError(
    `cannot read the admin's secret ${secretArn}: ${saidBy(error)}; ${remedyFor(SECRET, error)!.remedy}`,
  );
}
