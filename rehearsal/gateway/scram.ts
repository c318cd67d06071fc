import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

/** Name of the only mechanism of a server without TLS, as those behind the gateways are. */
export const SCRAM_SHA_256 = 'SCRAM-SHA-256';

/**
 * Signs in with a password that the server has only a verifier of. PostgreSQL takes the username from the startup
 * message. What the server proves in the end is not looked at: TLS has shown who it is.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5802
 * @see https://www.postgresql.org/docs/current/sasl-authentication.html
 */
export class ScramClient {
  private readonly first = `n=,r=${randomBytes(18).toString('base64')}`;

  constructor(private readonly password: string) {}

  /** Without channel binding. */
  get begin(): string {
    return `n,,${this.first}`;
  }

  answer(challenge: string): string {
    const { r: nonce = '', s: salt = '', i: iterations = '' } = attributes(challenge);
    if (!nonce.startsWith(this.first.slice('n=,r='.length))) {
      throw new Error('the server has not answered to this login');
    }
    const saltedPassword = pbkdf2Sync(
      this.password.normalize('NFKC'),
      Buffer.from(salt, 'base64'),
      Number(iterations),
      32,
      'sha256',
    );
    const clientKey = hmac(saltedPassword, 'Client Key');
    const withoutProof = `c=${Buffer.from('n,,').toString('base64')},r=${nonce}`;
    const signature = hmac(
      createHash('sha256').update(clientKey).digest(),
      [this.first, challenge, withoutProof].join(','),
    );
    return `${withoutProof},p=${Buffer.from(clientKey.map((byte, i) => byte ^ signature[i])).toString('base64')}`;
  }
}

function attributes(message: string): Record<string, string | undefined> {
  return Object.fromEntries(message.split(',').map(part => [part[0], part.slice(2)]));
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
