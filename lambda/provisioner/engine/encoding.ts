import { type Change, rolesOf } from '../core/change';
import { FIXED_DATABASE } from '../core/state';
import { ProvisionError, ServerError } from '../errors';
import { ENCODING } from '../sql/catalog';
import type { Transaction } from './transaction';

/** What PostgreSQL answers to a text that the encoding of a database does not have. */
export const UNTRANSLATABLE = '22P05';

/** Those in which a name has the bytes that it has in the fixed database. */
const SAME_BYTES = ['UTF8', 'SQL_ASCII'];

// eslint-disable-next-line no-control-regex -- the range is ASCII
const ASCII = /^[\u0000-\u007f]*$/;

export function hasOtherBytes(name: string): boolean {
  return !ASCII.test(name);
}

/**
 * PostgreSQL keeps the name of a role as bytes, and each database reads them in its own encoding. To one in LATIN1,
 * "josé" of the others is "josÃ©": a statement about the one would be about the other. So there roles have names in
 * ASCII, or are left alone.
 */
export async function refuseOtherBytes(
  transaction: Pick<Transaction, 'database' | 'read'>,
  names: string[],
): Promise<void> {
  const { database } = transaction;
  const name = database === FIXED_DATABASE ? undefined : names.find(hasOtherBytes);
  if (name === undefined) {
    return;
  }
  const [[{ encoding }]] = await transaction.read(
    { attempted: `ask for the encoding of database ${JSON.stringify(database)}` },
    ENCODING,
  );
  if (!SAME_BYTES.includes(encoding as string)) {
    const problem
      = `role ${JSON.stringify(name)} cannot be named in database ${JSON.stringify(database)}, which has encoding ${encoding as string}: there its name would be another role's; `
        + 'use a name in ASCII, or a database in UTF8';
    throw new ProvisionError(problem, { cause: new ServerError(problem, UNTRANSLATABLE) });
  }
}

/**
 * The roles that a change names because something declares them. Others are named as the same database has named them.
 */
export function namedIn(change: Change): string[] {
  return [
    ...rolesOf(change),
    ...change.kind === 'grantFuture' || change.kind === 'revokeFuture' ? [change.on.creator] : [],
    ...change.kind === 'reassignOwned' ? [change.to] : [],
  ];
}
