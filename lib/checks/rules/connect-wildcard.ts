import { type Allowed, allowedIn } from '../iam/allowed';
import {
  type ConnectReach,
  type ConnectResource,
  connectResourceOf,
  isEvery,
  isEveryUser,
  isSeveral,
} from '../iam/connect-resource';
import { UNREAD } from '../iam/identity-policies';
import { resourcesShown } from '../iam/statement';
import { answerOf, type Finding, type Rule } from '../rule';

/** A statement that allows signing in as every user, or to more than one database. */
export const connectWildcard: Rule = {
  id: 'IamAuth-ConnectWildcard',
  remedy: 'grant for each user by its name, with grantConnect() of the user or with ConnectGrants',
  source: 'https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html',
  check(resource) {
    const allowed = allowedIn(resource, 'rds-db:connect');
    return allowed.length === 0 ? 'NOT_APPLICABLE' : answerOf(allowed.flatMap(findingsIn));
  },
};

const EVERYTHING = 'which allows signing in as any IAM user of every database';

function findingsIn({ policy, statement, unknown, location }: Allowed): Finding[] {
  const { awsManaged, unread = UNREAD } = policy;
  if (!statement) {
    return [
      {
        what: unread.what,
        unknown,
        location,
        problem: `${unread.why}, and must not allow rds-db:connect with a wildcard for the user or the database`,
      },
    ];
  }
  if (awsManaged !== undefined) {
    return [
      {
        what: awsManaged,
        location,
        problem: `the policy ${awsManaged} of AWS allows rds-db:connect on *, ${EVERYTHING}`,
      },
    ];
  }
  const what = resourcesShown(statement);
  if (statement.notResources) {
    const excepted = statement.notResources.map(resource => isEveryUser(resource, statement.hasVariables));
    return excepted.some(({ certain }) => certain)
      ? []
      : [
          {
            what,
            unknown: unknown || excepted.some(({ possible }) => possible),
            location,
            problem: `rds-db:connect is allowed on ${what}, which allows signing in as any IAM user of all other databases`,
          },
        ];
  }
  return statement.resources.flatMap((resource) => {
    const problem = problemOf(connectResourceOf(resource, statement.hasVariables, policy.carrier.template.app));
    return problem ? [{ location, ...problem, unknown: problem.unknown || unknown }] : [];
  });
}

function problemOf({
  shown: what,
  reach,
  possible,
}: ConnectResource): Pick<Finding, 'what' | 'unknown' | 'problem'> | undefined {
  const value = `rds-db:connect is allowed on ${what}`;
  const consequence = reach && consequenceOf(reach);
  if (consequence) {
    return { what, problem: `${value}, ${consequence}` };
  }
  const isOpen
    = possible !== reach
      && possible
      && (!possible.isSeparated
        || isSeveral(possible.databases)
        || (!reach && isEvery(possible.users))
        || possible.users.some(name => name.every(({ kind }) => kind === 'unknown')));
  return isOpen
    ? {
        what,
        unknown: true,
        problem: `${value}, ${reach ? 'a part of which' : 'which'} is known at the deployment only, and must not ${reach ? 'be a wildcard' : 'have a wildcard for the user or the database'}`,
      }
    : undefined;
}

/**
 * What is wrong with more than one user, or more than one database; a part of a name is the matter of another rule
 * where it is clear what the name is.
 */
function consequenceOf({ databases, users, isSeparated }: ConnectReach): string | undefined {
  if (isEvery(databases) && isEvery(users) && !isSeparated) {
    return EVERYTHING;
  }
  const wide = [
    ...(isEvery(users)
      ? ['as every IAM user']
      : isSeveral(users) && !isSeparated
        ? ['as every IAM user whose name matches']
        : []),
    ...(isSeveral(databases) ? ['to every database whose resource id matches'] : []),
  ];
  return wide.length > 0
    ? `which lets in ${wide.join(', and ')}`
    : isSeparated
      ? undefined
      : 'in which a wildcard stands in place of the / between resource id and username';
}
