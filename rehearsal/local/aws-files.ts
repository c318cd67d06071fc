import { Credentials } from '../iam/credentials';

/** A role of IAM, as a profile of the AWS SDKs and the AWS CLI. */
export interface Profile {
  readonly name: string;
  readonly credentials: Credentials;
}

/**
 * Names of profiles for roles. All SDKs read letters, digits and `.`, `_`, `-`; anything else becomes `-`.
 *
 * @param roleNames paths of constructs, such as `Shop/ada role`
 */
export function profileNames(roleNames: string[]): string[] {
  const names = roleNames.map(name => name.replace(/[^\w.-]+/g, '-'));
  return names.map((name, index) => {
    const before = names.slice(0, index).filter(other => other === name).length;
    return before === 0 ? name : `${name}-${before + 1}`;
  });
}

/** Content of the file that AWS_SHARED_CREDENTIALS_FILE names. */
export function credentialsFile(profiles: readonly Profile[]): string {
  return profiles.map(({ name, credentials }) => section(name, {
    aws_access_key_id: credentials.accessKeyId,
    aws_secret_access_key: credentials.secretAccessKey,
    aws_session_token: credentials.sessionToken,
  })).join('\n');
}

/** Content of the file that AWS_CONFIG_FILE names. */
export function configFile(profiles: readonly Profile[], region: string): string {
  return profiles.map(({ name }) => section(`profile ${name}`, { region })).join('\n');
}

function section(title: string, values: Record<string, string>): string {
  return `[${title}]\n${Object.entries(values).map(([name, value]) => `${name} = ${value}\n`).join('')}`;
}
