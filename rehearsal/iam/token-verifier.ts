import { timingSafeEqual } from 'node:crypto';
import { IssuedCredentials } from './credentials';
import { LONGEST_VALIDITY_SECONDS, percentEncode, tokenParameters } from './token';

const CLOCK_SKEW_SECONDS = 300;

export interface Login {
  /** Names of the database's endpoint. */
  readonly hosts: string[];
  readonly port: number;
  readonly region: string;
  /** As the client gave it when it connected. */
  readonly username: string;
  readonly now: Date;
  /** How long a token is accepted at most, whatever it says itself. @default 900 */
  readonly lifetimeSeconds?: number;
}

/**
 * Whose token it is; throws the reason when it is not good for this login.
 *
 * Nothing of what the token says is taken over: the token that ought to be there is derived once more, and every
 * parameter must equal it.
 */
export function verifyToken(token: string, login: Login, issued: IssuedCredentials): string {
  const { host, port, parameters } = parseToken(token);
  if (!login.hosts.includes(host) || port !== `${login.port}`) {
    throw new Error(`token is for ${host}:${port}, this is ${login.hosts.join(' or ')}, port ${login.port}`);
  }
  const accessKeyId = parameters.get('X-Amz-Credential')?.split('/')[0] ?? '';
  const owner = issued.find(accessKeyId);
  if (!owner) {
    throw new Error(`unknown access key id ${JSON.stringify(accessKeyId)}`);
  }
  if (issued.isExpired(accessKeyId)) {
    throw new Error('the credentials that signed the token have expired');
  }
  const at = dateOf(parameters.get('X-Amz-Date'));
  const expiresInSeconds = secondsOf(parameters.get('X-Amz-Expires'));
  const goodFor = Math.min(expiresInSeconds, login.lifetimeSeconds ?? LONGEST_VALIDITY_SECONDS);
  const age = (login.now.getTime() - at.getTime()) / 1000;
  if (age > goodFor) {
    throw new Error(`token expired: it is ${Math.round(age)} s old and was good for ${goodFor} s`);
  }
  if (age < -CLOCK_SKEW_SECONDS) {
    throw new Error(`token is ${Math.round(-age)} s in the future`);
  }
  const expected = tokenParameters({ ...login, host, credentials: owner.credentials, at, expiresInSeconds });
  for (const name of new Set([...expected.keys(), ...parameters.keys()])) {
    if (!isEqual(parameters.get(name), expected.get(name))) {
      throw new Error(`parameter ${name} of the token is not what it should be`);
    }
  }
  if (owner.expiration && login.now >= owner.expiration) {
    throw new Error(`the credentials of the token expired at ${owner.expiration.toISOString()}`);
  }
  return owner.principal;
}

/**
 * By hand, because a URL parser mends what it reads.
 *
 * The AWS SDK for Go leaves the path out, which is signed as `/`.
 *
 * @see https://github.com/aws/aws-sdk-go-v2/blob/main/feature/rds/auth/connect_test.go
 */
function parseToken(token: string): { host: string; port: string; parameters: Map<string, string> } {
  const parts = /^([^/:?#@]+):(\d+)\/?\?(.+)$/s.exec(token);
  if (!parts) {
    throw new Error('not a token: it has not the form host:port/?parameters');
  }
  const [, host, port, query] = parts;
  const parameters = new Map<string, string>();
  for (const parameter of query.split('&')) {
    const [name, value, ...rest] = parameter.split('=').map(decodeURIComponent);
    if (value === undefined || rest.length > 0 || `${percentEncode(name)}=${percentEncode(value)}` !== parameter) {
      throw new Error(`parameter ${JSON.stringify(parameter)} of the token is not in canonical form`);
    }
    if (parameters.has(name)) {
      throw new Error(`parameter ${name} is twice in the token`);
    }
    parameters.set(name, value);
  }
  return { host, port, parameters };
}

function dateOf(text = ''): Date {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  const date = parts
    ? new Date(`${parts[1]}-${parts[2]}-${parts[3]}T${parts[4]}:${parts[5]}:${parts[6]}Z`)
    : new Date(NaN);
  if (Number.isNaN(date.getTime())) {
    throw new Error(`X-Amz-Date ${JSON.stringify(text)} of the token is no date`);
  }
  return date;
}

function secondsOf(text = ''): number {
  const seconds = /^[1-9]\d{0,3}$/.test(text) ? Number(text) : NaN;
  if (!(seconds <= LONGEST_VALIDITY_SECONDS)) {
    throw new Error(`X-Amz-Expires ${JSON.stringify(text)} of the token is not from 1 to ${LONGEST_VALIDITY_SECONDS}`);
  }
  return seconds;
}

function isEqual(received: string | undefined, expected: string | undefined): boolean {
  if (received === undefined || expected === undefined) {
    return false;
  }
  const [a, b] = [Buffer.from(received), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
