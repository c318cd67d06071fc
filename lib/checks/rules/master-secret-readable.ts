import type { Resource } from '../app/template';
import { partsOf, shown } from '../app/value';
import { entitledRolesOf, isEntitled } from '../databases/entitled-readers';
import { MasterSecret, masterSecretsOf, reaches } from '../databases/master-secrets';
import { Allowed, allowedBy, allowedIn } from '../iam/allowed';
import { Statement, statementsOf } from '../iam/statement';
import { answerOf, Finding, Rule } from '../rule';

const ACTION = 'secretsmanager:GetSecretValue';

/** A policy with which somebody else than the provisioner, the rotation or RDS reads the password of a master. */
export const masterSecretReadable: Rule = {
  id: 'IamAuth-MasterSecretReadable',
  remedy: 'take the grant on the secret away, and give the workload a user of its own with grantConnect()',
  source: 'https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.html',
  check(resource) {
    const secrets = masterSecretsOf(resource.template.app);
    const grants = secrets.length === 0 ? [] : resource.type === 'AWS::SecretsManager::ResourcePolicy' ? grantsOfSecret(resource) : grantsOfIdentities(resource);
    return grants.length === 0 ? 'NOT_APPLICABLE' : answerOf(grants.flatMap(grant => secrets.flatMap(secret => findingsOf(grant, secret))));
  },
};

/** Who may read something, besides those that have to. */
interface Grant {
  readonly allowed: Allowed;
  /** For people. */
  readonly readers: string[];
  /** Whether it is about a secret; undefined where only the deployment knows. */
  readonly isAbout: (secret: MasterSecret) => boolean | undefined;
}

/** What is granted in the policies of roles, users and groups. */
function grantsOfIdentities(resource: Resource): Grant[] {
  const entitled = entitledRolesOf(resource.template.app);
  return allowedIn(resource, ACTION).map((allowed) => {
    const { policy: { principals }, statement } = allowed;
    const others = principals.filter(principal => !principal.resource || !entitled.has(principal.resource)).map(principal => principal.shown);
    return {
      allowed,
      readers: principals.length === 0 ? ['whoever gets this policy'] : others,
      isAbout: secret => statement ? isAboutSecret(statement, secret) : undefined,
    };
  });
}

/** What is granted in the policy of a secret. */
function grantsOfSecret(resource: Resource): Grant[] {
  const { properties, template } = resource;
  const secretId = partsOf(properties.SecretId, template);
  const policy = { carrier: resource, principals: [], statements: statementsOf(properties.ResourcePolicy, template), location: 'Properties/ResourcePolicy' };
  return allowedBy(policy, ACTION).map(allowed => ({
    allowed,
    readers: allowed.statement?.principals.filter(principal => !isEntitled(principal, resource)).map(shown) ?? ['somebody'],
    isAbout: secret => reaches(secretId, secret),
  }));
}

function isAboutSecret({ resources, notResources }: Statement, secret: MasterSecret): boolean | undefined {
  const answers = (notResources ?? resources).map(resource => reaches(resource, secret));
  const any = answers.includes(true) || (answers.includes(undefined) ? undefined : false);
  return notResources && any !== undefined ? !any : any;
}

function findingsOf({ allowed: { policy: { awsManaged }, statement, unknown, location }, readers, isAbout }: Grant, secret: MasterSecret): Finding[] {
  const is = isAbout(secret);
  if (readers.length === 0 || is === false) {
    return [];
  }
  const what = secret.shown;
  const problem = `${readers.join(', ')} may read the secret ${what}, with which one signs in to ${secret.database} as its admin`;
  return is === undefined || unknown || !statement
    ? [{ what, unknown: true, location, problem: `whether ${problem}, is known at the deployment only` }]
    : [{ what, location, problem: `${problem}${awsManaged ? `, by the policy ${awsManaged} of AWS` : ''}: IAM authentication and the privileges of users do not bind who has that password` }];
}
