import { keyOf, Part, shown } from '../app/value';
import { checkedUsernamesOf } from '../databases/provisioners';
import { Allowed, allowedIn } from '../iam/allowed';
import { ConnectResource, connectResourceOf, contentOf } from '../iam/connect-resource';
import { resourcesShown } from '../iam/statement';
import { answerOf, Finding, Rule } from '../rule';

/** A statement that lets in as every user, or to more than one database. */
export const connectWildcard: Rule = {
  id: 'IamAuth-ConnectWildcard',
  remedy: 'grant for each user by its name, with grantConnect() of the user or with ConnectGrants',
  source: 'https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html',
  check(resource) {
    const allowed = allowedIn(resource, 'rds-db:connect');
    const checkedUsernames = checkedUsernamesOf(resource.template.app);
    return allowed.length === 0 ? 'NOT_APPLICABLE' : answerOf(allowed.flatMap(each => findingsIn(each, checkedUsernames)));
  },
};

function findingsIn(allowed: Allowed, checkedUsernames: Set<string>): Finding[] {
  const { policy: { awsManaged }, statement, unknown, location } = allowed;
  if (!statement) {
    return [{ what: 'document', unknown, location, problem: 'the policy is known at the deployment only, and must not allow rds-db:connect with a wildcard for the user or the database' }];
  }
  if (awsManaged !== undefined) {
    return [{ what: awsManaged, location, problem: `the policy ${awsManaged} of AWS allows rds-db:connect on *, which lets in as every IAM user of every database` }];
  }
  if (statement.notResources) {
    const what = resourcesShown(statement);
    return [{ what, unknown, location, problem: `rds-db:connect is allowed on ${what}, which lets in as every IAM user of all other databases` }];
  }
  return statement.resources.flatMap((resource) => {
    const problem = problemOf(connectResourceOf(resource), resource, statement.hasVariables, checkedUsernames);
    return problem ? [{ location, ...problem, unknown: problem.unknown || unknown }] : [];
  });
}

function problemOf(target: ConnectResource, resource: Part[], hasVariables: boolean, checkedUsernames: Set<string>): Pick<Finding, 'what' | 'unknown' | 'problem'> | undefined {
  const what = target.kind === 'user' ? target.shown : shown(resource);
  const value = `rds-db:connect is allowed on ${what}`;
  if (target.kind === 'everything') {
    return { what, problem: `${value}, which lets in as every IAM user of every database` };
  }
  if (target.kind === 'unknown') {
    return { what, unknown: true, problem: `${value}, which is known at the deployment only, and must not have a wildcard for the user or the database` };
  }
  if (target.kind === 'other') {
    return undefined;
  }
  const [database, user] = [target.database, target.user].map(parts => contentOf(parts, hasVariables));
  const wide = [
    ...user.wildcard && !user.literal && !user.unknown && user.variables.length === 0 ? ['as every IAM user'] : [],
    ...database.wildcard || database.variables.length > 0 ? ['to every database whose resource id matches'] : [],
  ];
  if (wide.length > 0) {
    return { what, problem: `${value}, which lets in ${wide.join(', and ')}` };
  }
  return database.unknown || (user.unknown && !user.literal && !checkedUsernames.has(keyOf(target.user)))
    ? { what, unknown: true, problem: `${value}, a part of which is known at the deployment only, and must not be a wildcard` }
    : undefined;
}
