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
