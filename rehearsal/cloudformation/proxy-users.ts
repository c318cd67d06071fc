import { SecretsManager } from './secrets-manager';
import { Properties, ResourceState } from './template';
import { ProxyUser } from '../gateway/proxy-login';
import { Undecided } from '../iam/token-endpoint';

interface AuthEntry {
  readonly AuthScheme?: string;
  readonly IAMAuth?: string;
  readonly SecretArn?: string;
}

export interface ProxyUsersOptions {
  readonly secretsManager: SecretsManager;
  /** Whether a role may do something to a resource. */
  readonly allows: (roleArn: string, action: string, resource: string) => boolean;
  /** Of a rehearsed stack. */
  readonly findRole: (roleArn: string) => ResourceState | undefined;
}

/**
 * By the properties of a proxy: which users it can sign in as, and how.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy-iam-setup.html
 */
export function proxyUsers(
  { DefaultAuthScheme: scheme = 'NONE', Auth, RoleArn }: Properties,
  options: ProxyUsersOptions,
): (username: string) => ProxyUser | undefined {
  const entries = (Auth ?? []) as AuthEntry[];
  const roleArn = RoleArn as string;
  if (scheme === 'IAM_AUTH') {
    if (entries.length > 0) {
      throw new Error(
        'a proxy with both DefaultAuthScheme IAM_AUTH and Auth is not rehearsed: AWS does not say which of them counts for a user that has a secret; leave one out',
      );
    }
    return username => withTokens(username, roleArn, options);
  }
  if (scheme !== 'NONE' || entries.length === 0) {
    throw new Error(
      `a proxy with DefaultAuthScheme ${String(scheme)} and ${entries.length} entries in Auth is not what RDS takes: set DefaultAuthScheme to IAM_AUTH, or name a secret in Auth`,
    );
  }
  for (const { AuthScheme = 'SECRETS', IAMAuth = 'DISABLED', SecretArn } of entries) {
    if (AuthScheme !== 'SECRETS' || !['DISABLED', 'REQUIRED'].includes(IAMAuth) || SecretArn === undefined) {
      throw new Error(
        `an entry in Auth of a proxy with AuthScheme ${AuthScheme} and IAMAuth ${IAMAuth}${SecretArn === undefined ? ' and no SecretArn' : ''} is not rehearsed: `
        + 'use AuthScheme SECRETS, IAMAuth DISABLED or REQUIRED, and SecretArn',
      );
    }
  }
  return username => entries.map(entry => withSecret(username, roleArn, entry, options)).find(Boolean);
}

/** Its policies are asked by the database. */
function withTokens(username: string, roleArn: string, options: ProxyUsersOptions): ProxyUser {
  return {
    means: `a token of ${roleArn}`,
    passwordAt: (database) => {
      requireKnown(roleArn, options);
      return database.token(roleArn, username);
    },
  };
}

/** Of the user that the secret names. */
function withSecret(
  username: string,
  roleArn: string,
  { IAMAuth, SecretArn = '' }: AuthEntry,
  options: ProxyUsersOptions,
): ProxyUser | undefined {
  requireKnown(roleArn, options);
  if (!options.allows(roleArn, 'secretsmanager:GetSecretValue', SecretArn)) {
    return undefined;
  }
  const { username: name, password } = JSON.parse(options.secretsManager.valueOf(SecretArn)) as Record<string, string>;
  return name === username
    ? {
        clientPassword: IAMAuth === 'REQUIRED' ? undefined : password,
        passwordAt: () => password,
        means: `the password of ${SecretArn}`,
      }
    : undefined;
}

function requireKnown(roleArn: string, { findRole }: ProxyUsersOptions): void {
  if (!findRole(roleArn)) {
    throw new Undecided(`${roleArn}, the role of the proxy, is in no rehearsed stack, so its policies are not known`);
  }
}
