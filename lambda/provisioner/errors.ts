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
  /**
   * The function of the server that has reported it, which is the same in every language. The Data API does not pass it
   * on.
   */
  readonly routine?: string;
  /**
   * How the server has checked the credentials, if its message names that. The abbreviation is the same in every
   * language.
   */
  readonly method?: 'PAM';
  /** What was seen to hold the lock that it waited for, in words. */
  readonly blockers?: string[];
}

/** @param text of the server, in whatever language it speaks */
export function methodIn(text: string): 'PAM' | undefined {
  return text.includes('PAM') ? 'PAM' : undefined;
}

/** What the other side sends is not the protocol of PostgreSQL. */
export class ProtocolError extends Error {
  /** @param what it has sent, in our words */
  constructor(what: string) {
    super(`the server sent ${what}`);
    this.name = 'ProtocolError';
  }
}

/** The rest of it is not read, and the session is over. */
export class RowTooLarge extends ProtocolError {
  constructor(public readonly bytes: number, public readonly most: number) {
    super(`a message of ${bytes} bytes`);
  }
}

/** As PostgreSQL calls it when a limit is reached. */
export const LIMIT_EXCEEDED = '54000';

/** An error that came before the server accepted the admin. Nothing in it but the SQLSTATE is the server's. */
export class SignInError extends ServerError {}

/**
 * The server asks for credentials in a way that is not answered: nothing has been sent to it but the name of the admin.
 */
export class AuthenticationRefused extends Error {
  constructor(public readonly asked: 'clear text' | 'MD5' | 'SCRAM' | 'nothing') {
    super(`the server asks for ${asked}`);
    this.name = 'AuthenticationRefused';
  }
}
