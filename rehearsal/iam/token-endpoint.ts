import { Credentials, IssuedCredentials } from './credentials';
import { NotEvaluated } from './identity-policies';
import { LONGEST_VALIDITY_SECONDS, signToken, TokenRequest } from './token';
import { verifyToken } from './token-verifier';

/** A login that AWS may refuse or not: it is no refusal. */
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

  /** Tokens that were refused, as the log `iam-db-auth-error` of RDS has them. */
  readonly refusals: { readonly at: Date; readonly username: string; readonly reason: string }[] = [];

  /** Told each line of `log` when it is written. */
  onLog: (line: string) => void = () => undefined;

  /** Told each token that is accepted. */
  onToken: (username: string, token: string) => void = () => undefined;

  /** Another address that leads here, and that tokens may be made for. */
  alias?: { readonly host: string; readonly port: number };

  /** How long a token is accepted at most. */
  tokenLifetimeSeconds = LONGEST_VALIDITY_SECONDS;

  /** Who may `rds-db:connect` as whom. Throws `NotEvaluated`, and something else when it is not known. */
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

  /** As `verify`, and notes a refusal. */
  protected admit(username: string, token: string): void {
    try {
      this.verify(username, token);
    } catch (error) {
      this.refusals.push({ at: this.now(), username, reason: (error as Error).message });
      throw error;
    }
  }

  protected note(line: string): void {
    this.log.push(line);
    this.onLog(line);
  }

  /** Throws the reason when a token does not let in. */
  protected verify(username: string, token: string): void {
    const { region, alias, tokenLifetimeSeconds: lifetimeSeconds } = this;
    const { host, port } = alias && token.startsWith(`${alias.host}:`) ? alias : this;
    const now = this.now();
    const login = { hosts: [host], port, region, username, now, lifetimeSeconds };
    const principal = verifyToken(token, login, this.credentials);
    let allowed: boolean;
    try {
      allowed = this.authorize(principal, username, now);
    } catch (error) {
      throw error instanceof NotEvaluated ? error : new Undecided((error as Error).message);
    }
    if (!allowed) {
      throw new Error(`${principal} may not rds-db:connect as ${username}`);
    }
    this.onToken(username, token);
  }
}
