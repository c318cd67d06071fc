import { createHash, createHmac } from 'node:crypto';
import { Credentials } from './credentials';

export const LONGEST_VALIDITY_SECONDS = 900;

export interface TokenRequest {
  readonly host: string;
  readonly port: number;
  readonly region: string;
  readonly username: string;
  readonly credentials: Omit<Credentials, 'sessionToken'> & { readonly sessionToken?: string };
  /** When it is signed. */
  readonly at: Date;
  /** @default 900 */
  readonly expiresInSeconds?: number;
}

/**
 * What an authentication token of RDS says, by parameter name: a presigned request with Signature Version 4 in the
 * query.
 */
export function tokenParameters(request: TokenRequest): Map<string, string> {
  const date = amazonDate(request.at);
  const day = date.slice(0, 8);
  const scope = [day, request.region, 'rds-db', 'aws4_request'];
  const { accessKeyId, secretAccessKey, sessionToken } = request.credentials;
  const parameters = new Map([
    ['Action', 'connect'],
    ['DBUser', request.username],
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
    ['X-Amz-Credential', [accessKeyId, ...scope].join('/')],
    ['X-Amz-Date', date],
    ['X-Amz-Expires', `${request.expiresInSeconds ?? LONGEST_VALIDITY_SECONDS}`],
    ...sessionToken === undefined ? [] : [['X-Amz-Security-Token', sessionToken] as const],
    ['X-Amz-SignedHeaders', 'host'],
  ]);
  const canonicalRequest = [
    'GET',
    '/',
    query(parameters),
    `host:${request.host}:${request.port}`,
    '',
    'host',
    sha256(''),
  ].join('\n');
  const stringToSign = ['AWS4-HMAC-SHA256', date, scope.join('/'), sha256(canonicalRequest)].join('\n');
  const key = scope.reduce<string | Buffer>((previous, part) => hmac(previous, part), `AWS4${secretAccessKey}`);
  return parameters.set('X-Amz-Signature', hmac(key, stringToSign).toString('hex'));
}

/**
 * The same token as `@aws-sdk/rds-signer` makes. That one always signs with the present time, and a
 * rehearsal needs tokens of another time, too.
 */
export function signToken(request: TokenRequest): string {
  return `${request.host}:${request.port}/?${query(tokenParameters(request))}`;
}

/** RFC 3986: all but unreserved characters escaped, with capital letters. */
export function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function query(parameters: Map<string, string>): string {
  return [...parameters].map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`).sort().join('&');
}

function amazonDate(date: Date): string {
  return date.toISOString().replace(/[-:]|\.\d+/g, '');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
