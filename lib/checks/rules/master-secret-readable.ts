import { oncePerApp } from '../app/synthesized-app';
import type { Resource } from '../app/template';
import { attributeIn, itemsOf, partsOf, textOf } from '../app/value';
import { MasterSecret, masterSecretsOf, reaches } from '../databases/master-secrets';
import { provisionersOf, roleOf } from '../databases/provisioners';
import { Allowed, allowedIn } from '../iam/allowed';
import { answerOf, Finding, Rule } from '../rule';

/** A policy with which somebody else than the provisioner, the rotation or RDS reads the password of a master. */
export const masterSecretReadable: Rule = {
  id: 'IamAuth-MasterSecretReadable',
  remedy: 'take the grant on the secret away, and give the workload a user of its own with grantConnect()',
  source: 'https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.html',
  check(resource) {
    const { app } = resource.template;
    const [secrets, entitled] = [masterSecretsOf(app), entitledRolesOf(app)];
    const allowed = secrets.length === 0 ? [] : allowedIn(resource, 'secretsmanager:GetSecretValue');
    return allowed.length === 0 ? 'NOT_APPLICABLE' : answerOf(allowed.flatMap(each => secrets.flatMap(secret => findingsOf(each, secret, entitled))));
  },
};

function findingsOf({ policy: { principals, awsManaged }, statement, unknown, location }: Allowed, secret: MasterSecret, entitled: Set<Resource>): Finding[] {
  const others = principals.filter(principal => !principal.resource || !entitled.has(principal.resource)).map(principal => principal.shown);
  if (principals.length > 0 && others.length === 0) {
    return [];
  }
  const who = others.join(', ') || 'whoever gets this policy';
  const whose = `the secret ${secret.shown}, with which one signs in to ${secret.database} as its admin`;
  const what = secret.shown;
  if (!statement) {
    return [{ what, unknown, location, problem: `the policy of ${who} is known at the deployment only, and must not allow secretsmanager:GetSecretValue on ${whose}` }];
  }
  const is = statement.notResources ? unlessExcepted(statement.notResources.map(each => reaches(each, secret))) : anyOf(statement.resources.map(each => reaches(each, secret)));
  if (is === false) {
    return [];
  }
  return is === undefined || unknown
    ? [{ what, unknown: true, location, problem: `whether ${who} may read ${whose}, is known at the deployment only` }]
    : [{ what, location, problem: `${who} may read ${whose}${awsManaged ? `, by the policy ${awsManaged} of AWS` : ''}: IAM authentication and the privileges of users do not bind who has that password` }];
}

/** The roles of the functions that create users and that rotate passwords, and those of RDS itself, such as of a proxy. */
const entitledRolesOf = oncePerApp((app) => {
  const rotations = app.ofType('AWS::SecretsManager::RotationSchedule')
    .map(({ properties, template }) => attributeIn(partsOf(properties.RotationLambdaARN, template))?.resource)
    .map(rotation => rotation && roleOf(rotation));
  const roles = [...provisionersOf(app).map(({ role }) => role), ...rotations, ...app.ofType('AWS::IAM::Role').filter(isOfRds)];
  return new Set(roles.filter(role => role !== undefined));
});

function isOfRds({ properties, template }: Resource): boolean {
  const { Statement } = Object(properties.AssumeRolePolicyDocument) as { Statement?: unknown };
  const principals = itemsOf(Statement).map(statement => Object((statement as { Principal?: unknown }).Principal) as Record<string, unknown>);
  return principals.length > 0 && principals.every(({ Service, ...others }) =>
    Object.keys(others).length === 0 && itemsOf(Service).every(service => textOf(partsOf(service, template)) === 'rds.amazonaws.com'));
}

function anyOf(answers: (boolean | undefined)[]): boolean | undefined {
  return answers.includes(true) || (answers.includes(undefined) ? undefined : false);
}

function unlessExcepted(answers: (boolean | undefined)[]): boolean | undefined {
  const excepted = anyOf(answers);
  return excepted === undefined ? undefined : !excepted;
}
