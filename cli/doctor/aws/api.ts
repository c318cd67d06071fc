/** How AWS is asked with the credentials that are here, and what is said where it does not answer. */
import { fromNodeProviderChain } from '@aws-sdk/credential-providers';
import { isSeen, Seen } from '../observations';
import { NotSeen } from '../world';

export interface AwsOptions {
  readonly region: string;
  /** @default - as the SDK finds them */
  readonly credentials?: ReturnType<typeof fromNodeProviderChain>;
  /** @default - AWS_ENDPOINT_URL, or that of AWS */
  readonly endpoint?: string;
}

/** For each call that only reads: nothing is worth waiting longer for. */
const TIMEOUT_MS = 10_000;

interface AwsError extends Error {
  readonly $response?: unknown;
}

export class AwsApi {
  readonly credentials: ReturnType<typeof fromNodeProviderChain>;

  /** Date header of the latest answer, and when it was there, by the clock of this host. */
  private heard?: { readonly date: Date; readonly at: Date };

  private readonly settings: object;

  constructor(
    readonly region: string,
    { credentials = fromNodeProviderChain(), endpoint }: Omit<AwsOptions, 'region'>,
    private readonly now: () => Date,
  ) {
    this.credentials = credentials;
    this.settings = {
      region,
      credentials,
      maxAttempts: 2,
      requestHandler: { connectionTimeout: 3_000, requestTimeout: TIMEOUT_MS },
      ...(endpoint === undefined ? {} : { endpoint }),
    };
  }

  /** How far the clock of this host is ahead, in seconds. A Date header has whole seconds. */
  get clockAheadSeconds(): Seen<number> {
    return this.heard
      ? { value: (this.heard.at.getTime() - this.heard.date.getTime() - 500) / 1000 }
      : { unseen: 'no answer of AWS came, whose time could be compared' };
  }

  async see<Value>(permission: string, ask: () => Promise<Value>): Promise<Seen<Value>> {
    try {
      return { value: await ask() };
    } catch (error) {
      return { unseen: reasonOf(error, permission) };
    }
  }

  client<Client extends { middlewareStack: { add: (...args: never[]) => void } }>(
    Type: new (settings: object) => Client,
    others: object = {},
  ): Client {
    const client = new Type({ ...this.settings, ...others });
    const listen = (next: (args: unknown) => Promise<{ response: unknown }>) => async (args: unknown) => {
      const result = await next(args);
      const { headers } = result.response as { headers?: Record<string, string | undefined> };
      const date = new Date(headers?.date ?? NaN);
      this.heard = Number.isNaN(date.getTime()) ? this.heard : { date, at: this.now() };
      return result;
    };
    // Below the deserializer, which throws away the headers of errors.
    client.middlewareStack.add(...([listen, { step: 'deserialize', priority: 'low', name: 'clockOfAws' }] as never[]));
    return client;
  }
}

/** All that was seen, or the first that was not. */
export async function all<Value>(asked: Promise<Seen<Value>>[]): Promise<Seen<Value[]>> {
  const answers = await Promise.all(asked);
  return (
    answers.find((answer): answer is { unseen: string } => !isSeen(answer)) ?? {
      value: answers.flatMap(answer => (isSeen(answer) ? [answer.value] : [])),
    }
  );
}

function reasonOf(error: unknown, permission: string): string {
  const { name, message } = error as AwsError;
  if (error instanceof NotSeen) {
    return message;
  }
  if (/^(AccessDenied|AccessDeniedException|UnauthorizedOperation)$/.test(name)) {
    return `needs ${permission}`;
  }
  if (
    isCredentialsError(name)
    || /^(ExpiredToken|ExpiredTokenException|InvalidClientTokenId|UnrecognizedClientException|SignatureDoesNotMatch|InvalidSignatureException)$/.test(
      name,
    )
  ) {
    return 'needs credentials that AWS accepts';
  }
  if (!hasAnswer(error)) {
    return unreachable(permission.split(':')[0]);
  }
  // Of errors of AWS the name alone: their texts may have what was sent.
  return `${permission} was answered with ${name}`;
}

export function isCredentialsError(name: string): boolean {
  return name === 'CredentialsProviderError' || name === 'TokenProviderError';
}

export function hasAnswer(error: unknown): boolean {
  const { $response, $metadata } = error as { $response?: unknown; $metadata?: { httpStatusCode?: number } };
  return $response !== undefined || $metadata?.httpStatusCode !== undefined;
}

export function unreachable(service: string): string {
  return `${service} of AWS does not answer from here`;
}

export function missing(reason: string): never {
  throw new NotSeen(reason);
}
