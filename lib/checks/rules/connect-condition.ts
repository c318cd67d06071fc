import { statementsIn } from '../iam/allowed';
import { resourcesShown } from '../iam/statement';
import { answerOf, type Finding, type Rule } from '../rule';

/** A statement whose condition RDS does not evaluate. */
export const connectCondition: Rule = {
  id: 'IamAuth-ConnectCondition',
  isWarning: true,
  remedy: 'allow or deny rds-db:connect in a statement of its own, by the ARN of the user and without a condition; '
    + 'to end an access, remove the grant or the user',
  source: 'https://repost.aws/knowledge-center/aurora-postgresql-connect-iam',
  check(resource) {
    const about = statementsIn(resource, 'rds-db:connect');
    return about.length === 0 ? 'NOT_APPLICABLE' : answerOf(about.flatMap(findingsIn));
  },
};

function findingsIn({ statement, unknown, location }: ReturnType<typeof statementsIn>[number]): Finding[] {
  const { conditionKeys = [], denies } = statement;
  if (conditionKeys.length === 0) {
    return [];
  }
  const what = resourcesShown(statement);
  const problem
    = `rds-db:connect is ${denies ? 'denied' : 'allowed'} on ${what} under a condition on ${conditionKeys.join(', ')}, `
      + 'and IAM database authentication supports no condition keys: '
      + (denies ? 'expect it to deny nothing, or everything' : 'expect the statement to let no identity sign in');
  return [{ what, unknown, location, problem }];
}
