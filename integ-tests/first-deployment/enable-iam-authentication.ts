import { Account } from './account';
import { Answers } from './answers';

/** As long as a function waits for RDS. */
const LONGEST_ENABLING_MS = 14 * 60_000;

/** Disables IAM authentication and enables it again, and measures how long RDS takes for it. */
export async function enableIamAuthentication(account: Account, answers: Answers, cluster: string): Promise<void> {
  const set = async (enabled: boolean): Promise<number | undefined> => {
    const began = account.now();
    const option = enabled ? '--enable-iam-database-authentication' : '--no-enable-iam-database-authentication';
    await account.aws('rds modify-db-cluster', {
      '--db-cluster-identifier': cluster,
      [option]: undefined,
      '--apply-immediately': undefined,
    });
    while (account.now() - began < LONGEST_ENABLING_MS) {
      const {
        DBClusters: [state],
      } = (await account.aws('rds describe-db-clusters', { '--db-cluster-identifier': cluster })) as {
        DBClusters: { Status: string; IAMDatabaseAuthenticationEnabled: boolean; PendingModifiedValues?: object }[];
      };
      if (
        state.Status === 'available'
        && state.IAMDatabaseAuthenticationEnabled === enabled
        && Object.keys(state.PendingModifiedValues ?? {}).length === 0
      ) {
        return Math.round((account.now() - began) / 1000);
      }
      await account.sleep(5_000);
    }
    return undefined;
  };
  const [disabled, enabled] = [await set(false), await set(true)];
  answers.answer(
    'iam-authentication-time',
    enabled !== undefined,
    `disabled after ${disabled ?? 'more than 840'} s, enabled after ${enabled ?? 'more than 840'} s`,
  );
}
