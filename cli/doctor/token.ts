/** What an authentication token says. Its signature and its security token are not kept. */
export interface DecodedToken {
  readonly host: string;
  readonly port: string;
  readonly username?: string;
  readonly region?: string;
  readonly at?: Date;
  readonly expiresInSeconds?: number;
  /** Whose key it was signed with: only to be compared. */
  readonly accessKeyId?: string;
  /** What an authentication token has and this one lacks. */
  readonly lacks: readonly string[];
  /** Whether it was left as a URL: RDS takes the token without the scheme. */
  readonly hasScheme: boolean;
  /** Whether it was escaped once more after it was signed. */
  readonly isEscapedTwice: boolean;
}

const REQUIRED = [
  'Action',
  'DBUser',
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-SignedHeaders',
  'X-Amz-Signature',
];
const SECURITY_TOKEN = 'X-Amz-Security-Token';

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html: those of temporary credentials. */
const TEMPORARY = 'ASIA';

/** Undefined: it has not the form of a token. */
export function decodeToken(text: string): DecodedToken | undefined {
  const parts = /^(https?:\/\/)?([^/:?#@]+):(\d+)\/?\?(.+)$/s.exec(text);
  if (!parts || !/(^|&)(Action|DBUser|X-Amz-[A-Za-z-]+)=/.test(parts[4])) {
    return undefined;
  }
  const [, scheme, host, port, query] = parts;
  const parameters = new Map(
    query.split('&').map((parameter): [string, string] => {
      const at = parameter.indexOf('=');
      return at < 0 ? [parameter, ''] : [parameter.slice(0, at), unescaped(parameter.slice(at + 1))];
    }),
  );
  const credential = parameters.get('X-Amz-Credential') ?? '';
  const isEscapedTwice = credential.includes('%2F');
  const [accessKeyId, , region] = (isEscapedTwice ? unescaped(credential) : credential).split('/') as (
    string | undefined
  )[];
  const seconds = Number(parameters.get('X-Amz-Expires'));
  const needed = accessKeyId?.startsWith(TEMPORARY) ? [...REQUIRED, SECURITY_TOKEN] : REQUIRED;
  return {
    host,
    port,
    username: parameters.get('DBUser'),
    region,
    at: dateOf(parameters.get('X-Amz-Date') ?? ''),
    expiresInSeconds: Number.isFinite(seconds) && seconds > 0 ? seconds : undefined,
    accessKeyId,
    lacks: needed.filter(name => !parameters.get(name)),
    hasScheme: scheme !== undefined,
    isEscapedTwice,
  };
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function dateOf(text: string): Date | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  const date = parts && new Date(`${parts[1]}-${parts[2]}-${parts[3]}T${parts[4]}:${parts[5]}:${parts[6]}Z`);
  return date && !Number.isNaN(date.getTime()) ? date : undefined;
}
