import { type Allowed, allowedIn } from '../iam/allowed';
import { type ConnectResource, connectResourceOf, variablesIn } from '../iam/connect-resource';
import type { Token } from '../iam/pattern';
import { answerOf, type Finding, type Rule } from '../rule';

/** A whole username from a tag of the principal, as `connectAsPrincipalTag()` makes it on purpose. */
const PRINCIPAL_TAG = /^\$\{aws:PrincipalTag\/[^,'}]+\}$/;

/** A name in which IAM reads a wildcard, or a variable. */
export const unescapedUsername: Rule = {
  id: 'IamAuth-UnescapedUsername',
  remedy:
    'where it is a name, use grantConnect() of the user or ConnectGrants, which write ${*}, ${?} and ${$}; where a tag is to say the name, use connectAsPrincipalTag()',
  source: 'https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html',
  check(resource) {
    const users = allowedIn(resource, 'rds-db:connect').flatMap(usersIn);
    return users.length === 0 ? 'NOT_APPLICABLE' : answerOf(users.flatMap(findingsIn));
  },
};

interface User {
  readonly username: Token[];
  readonly resource: ConnectResource;
  readonly allowed: Allowed;
}

/** Where the slash before a username is written out. */
function usersIn(allowed: Allowed): User[] {
  const { resources = [], hasVariables = false } = allowed.statement ?? {};
  return resources
    .map(resource => connectResourceOf(resource, hasVariables, allowed.policy.carrier.template.app))
    .flatMap(resource =>
      resource.possible?.isSeparated ? resource.possible.users.map(username => ({ username, resource, allowed })) : [],
    );
}

function findingsIn({ username, resource: { shown: what, reach }, allowed }: User): Finding[] {
  const { location } = allowed;
  const unknown = allowed.unknown || !reach;
  const has = (...kinds: Token['kind'][]) => username.some(({ kind }) => kinds.includes(kind));
  const variables = variablesIn(username);
  const problem = `rds-db:connect is allowed on ${what}`;
  if (username.length === 1 && variables.some(variable => PRINCIPAL_TAG.test(variable))) {
    return [];
  }
  if (variables.length > 0) {
    return [
      {
        what,
        unknown,
        location,
        problem: `${problem}, in which IAM reads ${variables.join(' and ')} as a variable: it allows signing in as the user that the variable names for the caller, and a caller without it cannot sign in`,
      },
    ];
  }
  if (has('any', 'one') && has('character', 'reference', 'unknown')) {
    return [
      {
        what,
        unknown,
        location,
        problem: `${problem}, in which IAM reads * and ? as wildcards: it allows signing in as every user whose name matches`,
      },
    ];
  }
  return has('unknown') && has('character', 'reference')
    ? [
        {
          what,
          unknown: true,
          location,
          problem: `${problem}, a part of which is known at the deployment only, and must have no *, ? or \${...}`,
        },
      ]
    : [];
}
