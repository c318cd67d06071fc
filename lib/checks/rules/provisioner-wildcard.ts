import { oncePerApp } from '../app/synthesized-app';
import type { Resource } from '../app/template';
import { entitledRolesOf } from '../databases/entitled-readers';
import { passwordHoldersOf } from '../databases/password-holders';
import { FUNCTION_ACTIONS, libraryFunctionsOf, libraryRolesOf } from '../databases/provisioners';
import { type Allowed, allowedIn, holdersOf } from '../iam/allowed';
import { resourcesShown } from '../iam/statement';
import { reachOf, type Target } from '../iam/target';
import { answerOf, type Finding, type Rule } from '../rule';

/**
 * A statement with a wildcard that happens to reach a function of this library, or what the password of a master is set
 * by: one finding for all of it.
 */
export const provisionerWildcard: Rule = {
  id: 'IamAuth-ProvisionerWildcard',
  isWarning: true,
  remedy: 'name the resources that the statement is for',
  source: 'https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege',
  check(resource) {
    const { all, actions, entitled } = reachableIn(resource.template.app);
    const allowed = all.length === 0 ? [] : allowedIn(resource, ...actions).filter(({ statement }) => statement);
    return allowed.length === 0 ? 'NOT_APPLICABLE' : answerOf(allowed.flatMap(each => findingsIn(each, all, entitled)));
  },
};

interface Reachable {
  readonly target: Target;
  readonly actions: string[];
  /** What one can do with it, for people. */
  readonly ability: string;
}

const reachableIn = oncePerApp((app) => {
  const all: Reachable[] = [
    ...libraryFunctionsOf(app).map(({ target, task }) => ({
      target,
      actions: FUNCTION_ACTIONS,
      ability: `call or change ${target.shown}, which ${task}`,
    })),
    ...passwordHoldersOf(app).map(({ target, actions, database }) => ({
      target,
      actions,
      ability: `set the password of the master of ${database} by ${target.shown}`,
    })),
  ];
  return {
    all,
    actions: [...new Set(all.flatMap(({ actions }) => actions))],
    entitled: new Set([...entitledRolesOf(app), ...libraryRolesOf(app)]),
  };
});

function findingsIn(
  { policy, statement, actions, unknown, location }: Allowed,
  all: Reachable[],
  entitled: ReadonlySet<Resource>,
): Finding[] {
  const holders = holdersOf(policy, entitled);
  const answers = all
    .filter(each => each.actions.some(action => actions.includes(action)))
    .map(each => ({ ...each, reach: reachOf(statement!, each.target) }))
    .filter(({ reach }) => reach.is !== false && !reach.isNamed);
  if (holders.length === 0 || answers.length === 0) {
    return [];
  }
  const certain = answers.filter(({ reach }) => reach.is);
  const isOpen = unknown || certain.length === 0;
  const [first, ...others] = certain.length > 0 ? certain : answers;
  const used = actions.filter(action => answers.some(each => each.actions.includes(action)));
  const resources = resourcesShown(statement!);
  const problem = `${holders.join(', ')} may ${first.ability}${others.length > 0 ? `, and ${others.length} more of the kind` : ''}: ${used.join(', ')} ${used.length > 1 ? 'are' : 'is'} allowed on ${resources}`;
  return [
    {
      what: policy.awsManaged ?? resources,
      unknown: isOpen,
      location,
      problem: isOpen ? `whether ${problem}` : problem,
    },
  ];
}
