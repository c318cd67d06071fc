import { decodeToken } from '../../cli/doctor/token';
import { signToken } from '../../rehearsal/iam/token';

const AT = new Date('2026-11-30T04:00:00Z');
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';

const token = (overrides: Partial<Parameters<typeof signToken>[0]> = {}) =>
  signToken({
    host: 'shop.cluster-c9akciq32rgm.eu-central-1.rds.amazonaws.com',
    port: 5432,
    region: 'eu-central-1',
    username: 'jane@example.com',
    credentials: { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: SECRET, sessionToken: 'session/token+=' },
    at: AT,
    ...overrides,
  });

describe('a token', () => {
  test('is decoded without its signature and its security token', () => {
    const decoded = decodeToken(token());
    expect(decoded).toEqual({
      host: 'shop.cluster-c9akciq32rgm.eu-central-1.rds.amazonaws.com',
      port: '5432',
      username: 'jane@example.com',
      region: 'eu-central-1',
      at: AT,
      expiresInSeconds: 900,
      accessKeyId: 'ASIAEXAMPLE',
      lacks: [],
      hasScheme: false,
      isEscapedTwice: false,
    });
    expect(JSON.stringify(decoded)).not.toMatch(/session\/token|[0-9a-f]{64}/);
  });

  test('of long-term credentials needs no security token, one of temporary credentials does', () => {
    const withoutSession = (accessKeyId: string) =>
      decodeToken(token({ credentials: { accessKeyId, secretAccessKey: SECRET } }))?.lacks;
    expect([withoutSession('AKIAEXAMPLE'), withoutSession('ASIAEXAMPLE')]).toEqual([[], ['X-Amz-Security-Token']]);
  });

  test.each([
    ['with a scheme', `https://${token()}`, { hasScheme: true, lacks: [] }],
    ['escaped twice', token().replaceAll('%', '%25'), { isEscapedTwice: true, region: 'eu-central-1' }],
    [
      'cut off',
      token().slice(0, token().indexOf('&X-Amz-Signature')),
      { lacks: ['X-Amz-SignedHeaders', 'X-Amz-Signature'] },
    ],
    ['with a time that is none', token().replace('X-Amz-Date=2026', 'X-Amz-Date=20x6'), { at: undefined }],
    ['with a half escape', token().replace('DBUser=jane%40', 'DBUser=jane%4-'), { username: 'jane%4-example.com' }],
  ])('%s is told as such', (_, text, expected) => {
    expect(decodeToken(text)).toMatchObject(expected);
  });

  test.each([
    '',
    'secret',
    'host:5432/?x=y',
    'https://example.com/?Action=connect',
    'postgres://user:password@host:5432/db',
  ])('%j is none', (text) => {
    expect(decodeToken(text)).toBeUndefined();
  });
});
