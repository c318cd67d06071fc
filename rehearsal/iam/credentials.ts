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
      // As long as those of Lambda functions: what carries a token must carry 2,500 characters.
      sessionToken: randomBytes(1500).toString('base64'),
    };
    this.issued.set(credentials.accessKeyId, { principal, credentials });
    return credentials;
  }

  find(accessKeyId: string): { principal: string; credentials: Credentials } | undefined {
    return this.issued.get(accessKeyId);
  }
}
