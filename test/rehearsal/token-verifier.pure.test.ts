import { Signer } from '@aws-sdk/rds-signer';
import { IssuedCredentials } from '../../rehearsal/iam/credentials';
import { signToken, TokenRequest } from '../../rehearsal/iam/token';
import { Login, verifyToken } from '../../rehearsal/iam/token-verifier';
import { FULL } from '../full';

const issued = new IssuedCredentials();
const credentials = { ...issued.issue('operator') };
const NOW = new Date('2026-03-01T12:00:00Z');
const LOGIN: Login = {
  hosts: ['db.example.com'],
  port: 5432,
  region: 'eu-west-1',
  username: 'mario.rossi@example.com',
  now: NOW,
};

const token = (changes: Partial<TokenRequest> = {}) =>
  signToken({
    host: 'db.example.com',
    port: 5432,
    region: 'eu-west-1',
    username: LOGIN.username,
    credentials,
    at: NOW,
    ...changes,
  });

const secondsAgo = (seconds: number) => new Date(NOW.getTime() - seconds * 1000);

const verify = (text: string, login: Partial<Login> = {}) => verifyToken(text, { ...LOGIN, ...login }, issued);

const accepted = (text: string) => {
  try {
    verify(text);
    return true;
  } catch {
    return false;
  }
};

describe('signToken', () => {
  test.each([
    'mario.rossi@example.com', 'o\'brien', 'quo"te', 'semi;--', 'a*b?c$d', 'Jürgen Groß', '(!)', 'a b+c%20&d=e',
  ])('makes the token of @aws-sdk/rds-signer for %s', async (username) => {
    const signer = new Signer({ hostname: 'db.example.com', port: 5432, region: 'eu-west-1', username, credentials });
    const theirs = await signer.getAuthToken();
    const [, y, mo, d, h, mi, s] = /X-Amz-Date=(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.exec(theirs) ?? [];
    const at = new Date(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`);
    expect(token({ username, at })).toBe(theirs);
    expect(verify(theirs, { username, now: at })).toBe('operator');
  });
});

describe('verifyToken', () => {
  test('tells whose token it is', () => {
    expect(verify(token())).toBe('operator');
  });

  test('takes the parameters in any order', () => {
    const [endpoint, query] = token().split('/?');
    expect(verify(`${endpoint}/?${query.split('&').reverse().join('&')}`)).toBe('operator');
  });

  test('takes the token of the AWS SDK for Go, which has no path', () => {
    expect(verify(token().replace('/?', '?'))).toBe('operator');
    expect(() => verify(token().replace('/?', '//?'))).toThrow('not a token');
  });

  test.each<[string, Partial<TokenRequest>, RegExp | undefined]>([
    ['just expired', { at: secondsAgo(901) }, /expired/],
    ['about to expire', { at: secondsAgo(900) }, undefined],
    ['of a clock that is 5 minutes fast', { at: secondsAgo(-300) }, undefined],
    ['of a clock that is more than 5 minutes fast', { at: secondsAgo(-301) }, /future/],
    ['good for one second', { at: secondsAgo(1), expiresInSeconds: 1 }, undefined],
    ['good for 901 seconds', { expiresInSeconds: 901 }, /X-Amz-Expires/],
    ['good for no time', { expiresInSeconds: 0 }, /X-Amz-Expires/],
    ['for another host', { host: 'DB.example.com' }, /token is for DB\.example\.com:5432/],
    ['for another port', { port: 5433 }, /token is for/],
    ['for another Region', { region: 'us-east-1' }, /X-Amz-Credential/],
    ['for another user', { username: 'Mario.rossi@example.com' }, /DBUser/],
    ['of unknown credentials', { credentials: { ...credentials, accessKeyId: 'ASIAUNKNOWN' } },
      /unknown access key id "ASIAUNKNOWN"/],
    ['with another secret key', { credentials: { ...credentials, secretAccessKey: 'x' } }, /X-Amz-Signature/],
    ['with another session token', { credentials: { ...credentials, sessionToken: 'x' } },
      /X-Amz-Security-Token|X-Amz-Signature/],
    ['without the session token', { credentials: { ...credentials, sessionToken: undefined } },
      /X-Amz-Security-Token|X-Amz-Signature/],
  ])('a token %s', (_name, changes, refusal) => {
    const check = () => verify(token(changes));
    if (refusal) {
      expect(check).toThrow(refusal);
    } else {
      expect(check()).toBe('operator');
    }
  });

  test.each<[string, number, number, string | undefined]>([
    ['20 s, for 900 s', 20, 900, undefined],
    ['21 s, for 900 s', 21, 900, 'token expired: it is 21 s old and was good for 20 s'],
    ['10 s, for 10 s', 10, 10, undefined],
    ['11 s, for 10 s', 11, 10, 'token expired: it is 11 s old and was good for 10 s'],
  ])('where tokens are accepted for 20 s, one of %s', (_name, age, expiresInSeconds, refusal) => {
    const check = () => verify(token({ at: secondsAgo(age), expiresInSeconds }), { lifetimeSeconds: 20 });
    if (refusal === undefined) {
      expect(check()).toBe('operator');
    } else {
      expect(check).toThrow(refusal);
    }
  });

  test('refuses a token whose credentials have expired', () => {
    const temporary = issued.issue('operator', new Date(NOW.getTime() + 5000));
    const check = (seconds: number) => verify(token({ credentials: temporary }), { now: secondsAgo(-seconds) });
    expect(check(4)).toBe('operator');
    expect(() => check(5)).toThrow('the credentials of the token expired at 2026-03-01T12:00:05.000Z');
  });

  test.each<[string, (text: string) => string]>([
    ['empty', () => ''],
    ['a password', () => 'secret'],
    ['with a scheme', text => `https://${text}`],
    ['with a user', text => `me@${text}`],
    ['with a fragment', text => `${text}#x`],
    ['with another path', text => text.replace('/?', '/x?')],
    ['with a parameter twice', text => `${text}&Action=connect`],
    ['with one more parameter', text => `${text}&X-Amz-Extra=1`],
    ['with an empty parameter', text => `${text}&`],
    ['with lower-case escapes', text => text.replaceAll('%2F', '%2f')],
    ['with needless escapes', text => text.replace('Action', '%41ction')],
    ['without an escape', text => text.replaceAll('%2F', '/')],
    ['with a broken escape', text => text.replace('%2F', '%2')],
    ['with invalid UTF-8', text => text.replace('mario', '%FF')],
    ['with an upper-case signature',
      text =>
        text.replace(/Signature=[0-9a-f]+/, signature => signature.toUpperCase().replace('SIGNATURE', 'Signature'))],
    ['for another action', text => text.replace('Action=connect', 'Action=disconnect')],
    ['signed for more headers', text => text.replace('SignedHeaders=host', 'SignedHeaders=host%3Bx')],
    ['with a space at the end', text => `${text} `],
    ['with a line feed at the end', text => `${text}\n`],
    ['cut short', text => text.slice(0, -1)],
  ])('refuses a token %s', (_name, change) => {
    expect(accepted(change(token()))).toBe(false);
  });

  test('refuses every token that differs in one character', () => {
    const good = token({ credentials });
    expect(accepted(good)).toBe(true);
    const tried = new Set<string>();
    for (let i = 0; i < good.length; i += FULL ? 1 : 7) {
      const character = good[i];
      const flipped = String.fromCharCode(character.charCodeAt(0) ^ 1);
      const otherCase = character === character.toLowerCase() ? character.toUpperCase() : character.toLowerCase();
      for (const other of ['', flipped, otherCase, `${character}${character}`, 'A', '0', '%', '&', '=']) {
        if (other !== character) {
          tried.add(good.slice(0, i) + other + good.slice(i + 1));
        }
      }
    }
    tried.delete(good);
    tried.delete(good.replace('/?', '?')); // the form of the AWS SDK for Go
    expect(tried.size).toBeGreaterThan(FULL ? 10_000 : 1_000);
    expect([...tried].filter(accepted)).toEqual([]);
  });
});
