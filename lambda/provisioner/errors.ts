export { ProvisionError } from '../shared/errors';

/** An error or a notice of the PostgreSQL server, with the fields that decide what it means. */
export class ServerError extends Error {
  constructor(message: string, public readonly sqlState: string, public readonly fields: ServerErrorFields = {}) {
    super(message);
    this.name = 'ServerError';
  }
}

export interface ServerErrorFields {
  readonly detail?: string;
  readonly hint?: string;
  readonly table?: string;
  readonly constraint?: string;
  /** What was seen to hold the lock that it waited for, in words. */
  readonly blockers?: string[];
}

/** What the other side sends is not the protocol of PostgreSQL. */
export class ProtocolError extends Error {
  /** @param what it has sent, in our words */
  constructor(what: string) {
    super(`the server sent ${what}`);
    this.name = 'ProtocolError';
  }
}

/** An error that came before the server accepted the admin. Nothing in it but the SQLSTATE is the server's. */
export class SignInError extends ServerError {}
