import { ProvisionError, ServerError } from '../errors';
import { isConflict } from '../remedies/server';
import { withRetries } from '../retry';
import { ExecutedTransaction, type TransactionContext } from './executed-transaction';
import type { Transaction, TransactionOptions } from './transaction';

/** The admin has no right to do it, or no more. */
const RIGHTS_CHANGED = ['01006', '01007', '0LP01', '42501'];

/**
 * Runs the work in one transaction. Everything is rolled back when anything fails, and when it would make the admin a
 * member of rds_iam: at the commit its password would stop working. Or its tokens, when it would end that of one that
 * signs in with them. With another session in its way it is done again from its beginning: the provisioners' lock, for
 * which others wait in a queue, is not given away for that. It is also done again, once, where another session may have
 * changed what was looked at.
 */
export function inTransaction<T>(
  context: TransactionContext,
  work: (transaction: Transaction) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  const { budget, log } = context;
  const { triedAgain = true } = options;
  const once = async () => {
    const transaction = new ExecutedTransaction(context, options);
    try {
      const result = await work(transaction);
      await transaction.commit();
      return result;
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
  };
  const retried = (error: ProvisionError, delayMs = 0) => log.info('trying again', { reason: error.message, delayMs });
  const attempt = () => withRetries(budget, once, retried, error => triedAgain && isConflict(error));
  return attempt().catch((error: Error) => {
    if (!(triedAgain && error instanceof ProvisionError && isOutdated(error))) {
      throw error;
    }
    retried(error);
    return attempt();
  });
}

/** Another session may have given or taken a right of the admin, or a membership, since that was looked at. */
function isOutdated({ mayBeOutdated, cause }: ProvisionError): boolean {
  return mayBeOutdated || (cause instanceof ServerError && RIGHTS_CHANGED.includes(cause.sqlState));
}
