import { Credentials, IssuedCredentials } from './credentials';
import { signToken, TokenRequest } from './token';
import { verifyToken } from './token-verifier';

/** A login that AWS may refuse or not: nobody must take it for a refusal. */
export class Undecided extends Error {}

/** What takes tokens: a database, or a proxy in front of one. */
export abstract class TokenEndpoint {
  abstract readonly host: string;
  abstract readonly port: number;
  abstract readonly region: string;

  /** As `rds-db:connect` names it. */
  abstract readonly resourceId: string;

  /** What the gateway thought of each login: the reasons that a client is not told. */
  readonly log: string[] = [];

  /** Who may `rds-db:connect` as whom. Throws when that is not known. */
  authorize: (principal: string, username: string, at: Date) => boolean = () => false;

  /** The clock by which tokens are made and logins decided. */
  now = () => new Date();

  protected constructor(readonly credentials: IssuedCredentials) {}

  issueCredentials(principal: string): Credentials {
    return this.credentials.issue(principal);
  }

  /** A token that a principal made for a login here; overrides make it a wrong one. */
  token(principal: string, username: string, overrides: Partial<TokenRequest> = {}): string {
    return signToken({
      host: this.host,
      port: this.port,
      region: this.region,
      username,
      credentials: overrides.credentials ?? this.issueCredentials(principal),
      at: this.now(),
      ...overrides,
    });
  }

  /** Throws the reason when a token does not let in. */
  protected verify(username: string, token: string): void {
    const { host, port, region } = this;
    const now = this.now();
    const principal = verifyToken(token, { hosts: [host], port, region, username, now }, this.credentials);
    let allowed: boolean;
    try {
      allowed = this.authorize(principal, username, now);
    } catch (error) {
      throw new Undecided((error as Error).message);
    }
    if (!allowed) {
      throw new Error(`${principal} may not rds-db:connect as ${username}`);
    }
  }
}
