import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as rdsSigner from '@aws-sdk/rds-signer';
import { reusedToken } from '../../examples/reused-token';

const MINUTE = 60_000;
const NOON = Date.UTC(2026, 2, 1, 12);
const SIGN_IN = { hostname: 'shop.cluster-0123456789ab.eu-west-1.rds.amazonaws.com', port: 5432, username: 'orders' };

interface TemporaryCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

const credentialsUntil = (expiration?: Date): TemporaryCredentials => ({
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'secret',
  sessionToken: 'session',
  expiration,
});

/** The JavaScript of docs/connect/README.md, executed with a provider of credentials and without a pool. */
function fromReadme(credentialsNow: () => Promise<TemporaryCredentials>): () => Promise<string> {
  const readme = readFileSync(join(__dirname, '../../docs/connect/README.md'), 'utf8');
  const [code] = [...readme.matchAll(/^```js\n(.*?)^```$/gms)]
    .map(([, block]) => block)
    .filter(block => block.includes('rds-signer'));
  let password: unknown;
  class Pool {
    constructor(config: { password: unknown }) {
      ({ password } = config);
    }
  }
  const modules: Record<string, unknown> = {
    '@aws-sdk/credential-providers': { fromNodeProviderChain: () => credentialsNow },
    '@aws-sdk/rds-signer': rdsSigner,
    'pg': { Pool },
  };
  const { hostname: PGHOST, port: PGPORT, username: PGUSER } = SIGN_IN;
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the text under test is a text
  (new Function('require', 'process', code) as (...globals: unknown[]) => void)((name: string) => modules[name], {
    env: { PGHOST, PGPORT: `${PGPORT}`, PGUSER },
  });
  return password as () => Promise<string>;
}

beforeEach(() => {
  process.env.AWS_REGION = 'eu-west-1';
  jest.useFakeTimers({ now: NOON });
});

afterEach(() => {
  jest.useRealTimers();
  delete process.env.AWS_REGION;
});

describe.each([
  ['examples/reused-token.ts',
    (credentialsNow: () => Promise<TemporaryCredentials>) => reusedToken(SIGN_IN, credentialsNow)],
  ['docs/connect/README.md', fromReadme],
])('the token of %s', (_, tokenOf) => {
  /** When the token that a connection gets at a time was signed, in milliseconds after noon. */
  const signedAt = async (token: () => Promise<string>, milliseconds: number) => {
    jest.setSystemTime(NOON + milliseconds);
    const date = new URLSearchParams((await token()).split('?')[1]).get('X-Amz-Date')!;
    return Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z')) - NOON;
  };

  test('is for the host, port and user, and for 15 minutes', async () => {
    const token = tokenOf(() => Promise.resolve(credentialsUntil()));
    expect(await token()).toMatch(/^shop\.cluster-0123456789ab\.eu-west-1\.rds\.amazonaws\.com:5432\/\?/);
    expect(Object.fromEntries(new URLSearchParams((await token()).split('?')[1]))).toMatchObject({
      'Action': 'connect',
      'DBUser': 'orders',
      'X-Amz-Expires': '900',
    });
  });

  test('is reused for ten minutes, and renewed five minutes before RDS refuses it', async () => {
    const token = tokenOf(() => Promise.resolve(credentialsUntil()));
    expect(await signedAt(token, 0)).toBe(0);
    expect(await signedAt(token, 5 * MINUTE)).toBe(0);
    expect(await signedAt(token, 10 * MINUTE - 1)).toBe(0);
    expect(await signedAt(token, 10 * MINUTE)).toBe(10 * MINUTE);
    expect(await signedAt(token, 20 * MINUTE - 1)).toBe(10 * MINUTE);
    expect(await signedAt(token, 20 * MINUTE)).toBe(20 * MINUTE);
  });

  test('is renewed a minute before its credentials expire, if that is earlier', async () => {
    let expiration = new Date(NOON + 7 * MINUTE);
    const token = tokenOf(() => Promise.resolve(credentialsUntil(expiration)));
    expect(await signedAt(token, 0)).toBe(0);
    expect(await signedAt(token, 6 * MINUTE - 1)).toBe(0);
    expiration = new Date(NOON + 67 * MINUTE);
    expect(await signedAt(token, 6 * MINUTE)).toBe(6 * MINUTE);
    expect(await signedAt(token, 16 * MINUTE - 1)).toBe(6 * MINUTE);
    expect(await signedAt(token, 16 * MINUTE)).toBe(16 * MINUTE);
  });

  test('is signed for each connection while the credentials are about to expire and there are no others', async () => {
    const token = tokenOf(() => Promise.resolve(credentialsUntil(new Date(NOON + MINUTE))));
    expect(await signedAt(token, 0)).toBe(0);
    expect(await signedAt(token, 1000)).toBe(1000);
  });

  test('is signed once for connections that are opened at the same time', async () => {
    const credentialsNow = jest.fn(() => Promise.resolve(credentialsUntil()));
    const token = tokenOf(credentialsNow);
    expect(new Set(await Promise.all([token(), token(), token()])).size).toBe(1);
    expect(credentialsNow).toHaveBeenCalledTimes(1);
  });

  test('is asked for again after a failure', async () => {
    const credentialsNow = jest
      .fn(() => Promise.resolve(credentialsUntil()))
      .mockRejectedValueOnce(new Error('no credentials yet'));
    const token = tokenOf(credentialsNow);
    await expect(token()).rejects.toThrow('no credentials yet');
    expect(await signedAt(token, 1000)).toBe(1000);
  });
});
