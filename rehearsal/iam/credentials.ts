import { randomBytes } from 'node:crypto';

/** Temporary credentials of a role, as the Security Token Service issues them. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

export interface Issued {
  readonly principal: string;
  readonly credentials: Credentials;
  /** From then on no token of these credentials is accepted. @default - they do not expire */
  readonly expiration?: Date;
}

/** The credentials issued in one run, and to whom. */
export class IssuedCredentials {
  private readonly expired = new Set<string>();
  private readonly issued = new Map<string, Issued>();

  /**
   * @param principal any name of the principal, such as a role's ARN
   * @param expiration when they expire, if they do
   */
  issue(principal: string, expiration?: Date): Credentials {
    const credentials = {
      accessKeyId: `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
      secretAccessKey: randomBytes(30).toString('base64'),
      // As long as those of Lambda functions: what carries a token must carry 2,500 characters.
      sessionToken: randomBytes(1500).toString('base64'),
    };
    this.issued.set(credentials.accessKeyId, { principal, credentials, expiration });
    return credentials;
  }

  /** Ends credentials before their time. */
  expire({ accessKeyId }: Credentials): void {
    this.expired.add(accessKeyId);
  }

  isExpired(accessKeyId: string): boolean {
    return this.expired.has(accessKeyId);
  }

  find(accessKeyId: string): Issued | undefined {
    return this.issued.get(accessKeyId);
  }
}
