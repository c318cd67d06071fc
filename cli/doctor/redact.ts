/** The last look at each text before it is written: what is secret is not among it, by whichever way it got there. */
const PATTERNS: readonly RegExp[] = [
  /X-Amz-[A-Za-z-]+=[^&\s"']*/g, // parameters of a token or of a pre-signed URL
  /\b(AKIA|ASIA)[A-Z0-9]{12,}\b/g, // access key ids
];

const REMOVED = '***';

export function redact(text: string, secrets: readonly string[]): string {
  const withoutSecrets = secrets
    .filter(secret => secret.length >= 8)
    .flatMap(secret => [secret, encodeURIComponent(secret)])
    .sort((a, b) => b.length - a.length)
    .reduce((rest, secret) => rest.replaceAll(secret, REMOVED), text);
  return PATTERNS.reduce((rest, pattern) => rest.replace(pattern, REMOVED), withoutSecrets);
}
