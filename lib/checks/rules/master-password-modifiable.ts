import type { Resource } from '../app/template';
import { partsOf, shown } from '../app/value';
import { entitledRolesOf, isEntitled } from '../databases/entitled-readers';
import { isSecret, masterSecretsOf } from '../databases/master-secrets';
import {
  DATABASE_ACTIONS,
  type PasswordHolder,
  passwordHoldersOf,
  SECRET_ACTIONS,
} from '../databases/password-holders';
import { libraryRolesOf } from '../databases/provisioners';
import { allowedBy, allowedIn, holdersOf } from '../iam/allowed';
import { UNREAD } from '../iam/identity-policies';
import { principalsShown, statementsOf } from '../iam/statement';
import { reachOf } from '../iam/target';
import { answerOf, type Finding, type Rule } from '../rule';

/** A policy that allows setting the password of a master. Wildcards are the matter of another rule. */
export const masterPasswordModifiable: Rule = {
  id: 'IamAuth-MasterPasswordModifiable',
  remedy: 'take the grant away, or give it to the role of a function that rotates the secret',
  source: 'https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBCluster.html',
  check(resource) {
    const holders = passwordHoldersOf(resource.template.app);
    const findings
      = holders.length === 0
        ? undefined
        : resource.type === 'AWS::SecretsManager::ResourcePolicy'
          ? inPolicyOfSecret(resource)
          : inPoliciesOfIdentities(resource, holders);
    return findings ? answerOf(findings) : 'NOT_APPLICABLE';
  },
};

const ACTIONS = [...SECRET_ACTIONS, ...Object.values(DATABASE_ACTIONS)];

function inPoliciesOfIdentities(resource: Resource, all: PasswordHolder[]): Finding[] | undefined {
  const { app } = resource.template;
  const allowed = allowedIn(resource, ...ACTIONS);
  const entitled = new Set(allowed.length === 0 ? [] : [...entitledRolesOf(app), ...libraryRolesOf(app)]);
  return allowed.length === 0
    ? undefined
    : allowed.flatMap(({ policy, statement, actions, unknown, location }) => {
        const who = holdersOf(policy, entitled).join(', ');
        if (who === '') {
          return [];
        }
        if (!statement) {
          const { what, why } = policy.unread ?? UNREAD;
          return [
            {
              what,
              unknown,
              location,
              problem: `${why}, and must not allow ${Object.values(DATABASE_ACTIONS).join(' or ')}, nor changes of the secret of a master`,
            },
          ];
        }
        return all.flatMap((holder) => {
          const used = actions.filter(action => holder.actions.includes(action));
          const reach = reachOf(statement, holder.target);
          return used.length > 0 && reach.isNamed
            ? [findingOf(holder, used, { who, unknown: unknown || !reach.is, location })]
            : [];
        });
      });
}

function inPolicyOfSecret(resource: Resource): Finding[] | undefined {
  const { properties, template } = resource;
  const policy = {
    carrier: resource,
    principals: [],
    statements: statementsOf(properties.ResourcePolicy, template),
    location: 'Properties/ResourcePolicy',
  };
  const secrets = masterSecretsOf(template.app)
    .map(secret => ({ secret, is: isSecret(partsOf(properties.SecretId, template), secret) }))
    .filter(({ is }) => is !== false);
  const allowed = allowedBy(policy, ...SECRET_ACTIONS).filter(({ statement }) => statement);
  return allowed.length === 0
    ? undefined
    : allowed.flatMap(({ statement, actions, unknown, location }) => {
        const who = (
          statement!.notPrincipals
            ? principalsShown(statement!)
            : statement!.principals.filter(principal => !isEntitled(principal, resource)).map(shown)
        ).join(', ');
        return who === ''
          ? []
          : secrets.map(({ secret, is }) =>
              findingOf(secret, actions, { who, unknown: unknown || is === undefined, location }),
            );
      });
}

function findingOf(
  { target, database }: Pick<PasswordHolder, 'target' | 'database'>,
  actions: string[],
  { who, unknown, location }: { readonly who: string; readonly unknown: boolean; readonly location: string },
): Finding {
  const problem = `${who} may call ${actions.join(', ')} on ${target.shown}, and so set, or get at, the password of the master of ${database}`;
  return { what: target.shown, unknown, location, problem: unknown ? `whether ${problem}` : problem };
}
