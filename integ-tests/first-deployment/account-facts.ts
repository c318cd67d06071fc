import { Account } from './account';
import { Answers } from './answers';

/** What stops a first deployment in a new account. */
export async function describeAccount(account: Account, answers: Answers, engineVersion: string): Promise<void> {
  // A Region of its own has the plans of all.
  const plan = await account.aws('freetier get-account-plan-state', { '--region': 'us-east-1' }).then(
    answer => (answer as { accountPlanType?: string }).accountPlanType,
    (error: Error) => error.message,
  );
  answers.fact('account plan', plan);
  if (plan === 'FREE') {
    throw new Error(
      'the account has the free plan, in which RDS creates Aurora clusters with express configuration only; '
      + 'upgrade the plan, and run again',
    );
  }
  const { DBEngineVersions } = (await account.aws('rds describe-db-engine-versions', {
    '--engine': 'aurora-postgresql',
  })) as { DBEngineVersions: { EngineVersion: string }[] };
  const versions = DBEngineVersions.map(({ EngineVersion }) => EngineVersion);
  answers.fact('engine versions', versions.join(' '));
  if (!versions.includes(engineVersion)) {
    throw new Error(
      `Aurora PostgreSQL ${engineVersion} is not on offer in ${account.region}; `
      + `run again with --engine-version and one of ${versions.join(', ')}`,
    );
  }
  answers.fact('concurrent executions', await concurrentExecutions(account));
}

/** Of Lambda, in this account and Region. */
export async function concurrentExecutions(account: Account): Promise<number> {
  const { AccountLimit } = (await account.aws('lambda get-account-settings')) as {
    AccountLimit: { ConcurrentExecutions: number };
  };
  return AccountLimit.ConcurrentExecutions;
}
