import { because, Finding, ok, skipped, unknown } from '../finding';
import { isSeen, Observations, ProxyFacts } from '../observations';
import { explainPolicy } from '../policy-explanation';

/** Whether the proxy takes tokens, and has a way of its own into the database. */
export function proxy({ proxy: seen, proxySecrets, signIn, client }: Observations): Finding {
  if (seen === undefined) {
    return skipped('the client connects to the database itself');
  }
  if (!isSeen(seen)) {
    return unknown(seen.unseen);
  }
  const { name, defaultAuthScheme, auth, targets } = seen.value;
  const takesTokens
    = defaultAuthScheme === 'IAM_AUTH' || auth.some(({ iamAuth }) => iamAuth === 'REQUIRED' || iamAuth === 'ENABLED');
  if (!takesTokens) {
    return because(
      'proxy-scheme',
      `clients of proxy ${name} sign in with passwords, so that it refuses tokens`,
      'make it with defaultAuthScheme: DefaultAuthScheme.IAM_AUTH, or iamAuth: true for users that it has secrets of',
    );
  }
  if (defaultAuthScheme !== 'IAM_AUTH') {
    return secrets(seen.value, client.username, proxySecrets, signIn);
  }
  const sick = targets.find(({ state }) => state === 'UNAVAILABLE');
  return sick === undefined
    ? ok(`proxy ${name} takes tokens, and signs in to the database with IAM`)
    : unknown(`proxy ${name}: target ${sick.id} is unavailable (${sick.reason ?? 'no reason'})`);
}

function secrets(
  { name }: ProxyFacts,
  username: string,
  proxySecrets: Observations['proxySecrets'],
  signIn: Observations['signIn'],
): Finding {
  // Of all the secrets, as it is not known from here which of them is that of the user.
  const answers = isSeen(proxySecrets) ? proxySecrets.value.map(facts => explainPolicy(facts)) : [];
  if (answers.length > 0 && answers.every(({ state }) => state === 'cause')) {
    return because(
      'proxy-secret',
      `the role of proxy ${name} may not read its secrets`,
      'allow secretsmanager:GetSecretValue on the secret, and kms:Decrypt on its key, in the policies of the role of the proxy',
    );
  }
  if (signIn.outcome === 'refused' && signIn.message.startsWith('This RDS proxy has no credentials')) {
    return because(
      'proxy-secret',
      `proxy ${name} has no secret for ${username}, or may not read it`,
      `add a secret with the username ${username} and its password to the proxy, or use DefaultAuthScheme.IAM_AUTH`,
    );
  }
  return ok(`proxy ${name} takes tokens, and signs in to the database with passwords from its secrets`);
}
