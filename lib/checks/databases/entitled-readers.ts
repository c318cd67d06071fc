import { oncePerApp } from '../app/synthesized-app';
import type { Resource } from '../app/template';
import { attributeIn, type Part, partsOf, textOf } from '../app/value';
import { statementsOf } from '../iam/statement';
import { functionNamed, rolesOnlyOf } from './function-roles';
import { provisionersOf } from './provisioners';

const RDS = 'rds.amazonaws.com';

/**
 * The roles that have to read the password of a master: of the functions that create users and that rotate passwords,
 * and those of RDS itself, such as of a proxy. A role that something else runs with as well is none.
 */
export const entitledRolesOf = oncePerApp((app) => {
  const rotations = app.ofType('AWS::SecretsManager::RotationSchedule')
    .map(({ properties, template }) => functionNamed(partsOf(properties.RotationLambdaARN, template)));
  const functions = [...provisionersOf(app).map(({ handler }) => handler), ...rotations].filter(
    each => each !== undefined,
  );
  return new Set([...rolesOnlyOf(app, functions), ...app.ofType('AWS::IAM::Role').filter(isOfRds)]);
});

/**
 * Whether a principal of the policy of a secret has to read it, or reads nothing by that alone: its own account, whose
 * identities need a policy of their own.
 */
export function isEntitled(principal: Part[], { template }: Resource): boolean {
  const role = attributeIn(principal)?.resource;
  const written = principal
    .map(part => (part.kind === 'text' ? part.text : part.kind === 'environment' ? part.name.replace('AWS::', '') : ''))
    .join('');
  // An account may be named by its number alone.
  const [, , , , account = written, name = 'root'] = written.split(':');
  const isOwnAccount = account === 'AccountId' || template.stack.environment.startsWith(`aws://${account}/`);
  return (
    (role !== undefined && entitledRolesOf(template.app).has(role))
    || (name === 'root' && isOwnAccount)
    || textOf(principal) === RDS
  );
}

/** Whether only RDS may assume a role. */
function isOfRds({ properties, template }: Resource): boolean {
  const principals = (statementsOf(properties.AssumeRolePolicyDocument, template) ?? [])
    .filter(({ denies }) => !denies).flatMap(({ principals: named, notPrincipals }) => notPrincipals ? [[]] : named);
  return principals.length > 0 && principals.every(principal => textOf(principal) === RDS);
}
