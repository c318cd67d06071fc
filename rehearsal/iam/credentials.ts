import { randomBytes } from 'node:crypto';

/** Temporary credentials of a role, as the Security Token Service issues them. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** The credentials issued in one run, and to whom. */
export class IssuedCredentials {
  private readonly issued = new Map<string, { principal: string; credentials: Credentials }>();

  /** @param principal any name of the principal, such as a role's ARN */
  issue(principal: string): Credentials {
    const credentials = {
      accessKeyId: `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
      secretAccessKey: randomBytes(30).toString('base64'),
      sessionToken: randomBytes(600).toString('base64'), // a real one is about this long, which makes a token of more than 1,000 bytes
    };
    this.issued.set(credentials.accessKeyId, { principal, credentials });
    return credentials;
  }

  find(accessKeyId: string): { principal: string; credentials: Credentials } | undefined {
    return this.issued.get(accessKeyId);
  }
}
