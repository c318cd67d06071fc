import { Part, shown } from '../app/value';
import { Allowed, allowedIn } from '../iam/allowed';
import { connectResourceOf, contentOf } from '../iam/connect-resource';
import { answerOf, Finding, Rule } from '../rule';

/** A whole username from a tag of the principal, as `connectAsPrincipalTag()` makes it on purpose. */
const PRINCIPAL_TAG = /^\$\{aws:PrincipalTag\/[^,'}]+\}$/;

/** A name in which IAM reads a wildcard, or a variable. */
export const unescapedUsername: Rule = {
  id: 'IamAuth-UnescapedUsername',
  remedy: 'where it is a name, use grantConnect() of the user or ConnectGrants, which write ${*}, ${?} and ${$}; where a tag is to say the name, use connectAsPrincipalTag()',
  source: 'https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html',
  check(resource) {
    const users = allowedIn(resource, 'rds-db:connect').flatMap(usersIn);
    return users.length === 0 ? 'NOT_APPLICABLE' : answerOf(users.flatMap(findingsIn));
  },
};

interface User {
  readonly username: Part[];
  readonly shown: string;
  readonly hasVariables: boolean;
  readonly allowed: Allowed;
}

function usersIn(allowed: Allowed): User[] {
  const { resources = [], hasVariables = false } = allowed.statement ?? {};
  return resources.map(connectResourceOf).flatMap(resource =>
    resource.kind === 'user' ? [{ username: resource.user, shown: resource.shown, hasVariables, allowed }] : []);
}

function findingsIn({ username, shown: what, hasVariables, allowed: { unknown, location } }: User): Finding[] {
  const { wildcard, literal, variables, unknown: isOpen } = contentOf(username, hasVariables);
  const problem = `rds-db:connect is allowed on ${what}`;
  if (hasVariables && PRINCIPAL_TAG.test(shown(username))) {
    return [];
  }
  if (variables.length > 0) {
    return [{ what, unknown, location, problem: `${problem}, in which IAM reads ${variables.join(' and ')} as a variable: it lets in as whichever user that says of the caller, and a caller without it as nobody` }];
  }
  if (wildcard && (literal || isOpen)) {
    return [{ what, unknown, location, problem: `${problem}, in which IAM reads * and ? as wildcards: it lets in as every user whose name matches` }];
  }
  return isOpen && literal
    ? [{ what, unknown: true, location, problem: `${problem}, a part of which is known at the deployment only, and must have no *, ? or \${...}` }]
    : [];
}
