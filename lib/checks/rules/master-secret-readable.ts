import { OUTPUT, PARAMETER, type Resource } from '../app/template';
import { partsOf, shown } from '../app/value';
import { entitledRolesOf, isEntitled } from '../databases/entitled-readers';
import { isSecret, type MasterSecret, masterSecretsOf } from '../databases/master-secrets';
import { passwordReferencesIn } from '../databases/password-references';
import { type Allowed, allowedBy, allowedIn, holdersOf } from '../iam/allowed';
import { principalsShown, statementsOf } from '../iam/statement';
import { reachOf } from '../iam/target';
import { answerOf, type Finding, type Rule } from '../rule';

const ACTION = 'secretsmanager:GetSecretValue';

/**
 * A policy that lets others than the provisioner, the rotation or RDS read a master's password, or a resource with it.
 */
export const masterSecretReadable: Rule = {
  id: 'IamAuth-MasterSecretReadable',
  remedy:
    'take the grant on the secret or the reference to it away, and give the workload a user of its own with grantConnect()',
  source: 'https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.html',
  check(resource) {
    const secrets = masterSecretsOf(resource.template.app);
    if (secrets.length === 0) {
      return 'NOT_APPLICABLE';
    }
    const grants
      = resource.type === 'AWS::SecretsManager::ResourcePolicy' ? grantsOfSecret(resource) : grantsOfIdentities(resource);
    const references = passwordReferencesIn(resource);
    return grants.length === 0 && references.length === 0
      ? 'NOT_APPLICABLE'
      : answerOf([
          ...grants.flatMap(grant => secrets.flatMap(secret => findingsOf(grant, secret))),
          ...references.flatMap(reference =>
            secrets.flatMap(secret =>
              findingsOfReference(resource, isSecret(reference.secret, secret), secret, reference.location),
            ),
          ),
        ]);
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
    const { policy, statement } = allowed;
    return {
      allowed,
      readers: holdersOf(policy, entitled),
      isAbout: ({ target }) => statement && reachOf(statement, target).is,
    };
  });
}

/** What is granted in the policy of a secret. */
function grantsOfSecret(resource: Resource): Grant[] {
  const { properties, template } = resource;
  const secretId = partsOf(properties.SecretId, template);
  const policy = {
    carrier: resource,
    principals: [],
    statements: statementsOf(properties.ResourcePolicy, template),
    location: 'Properties/ResourcePolicy',
  };
  return allowedBy(policy, ACTION).map(allowed => ({
    allowed,
    readers: readersIn(allowed, resource),
    isAbout: secret => isSecret(secretId, secret),
  }));
}

function readersIn({ statement }: Allowed, policy: Resource): string[] {
  return statement
    ? statement.notPrincipals
      ? principalsShown(statement)
      : statement.principals.filter(principal => !isEntitled(principal, policy)).map(shown)
    : ['a principal'];
}

function findingsOf(
  {
    allowed: {
      policy: { awsManaged },
      statement,
      unknown,
      location,
    },
    readers,
    isAbout,
  }: Grant,
  secret: MasterSecret,
): Finding[] {
  const is = isAbout(secret);
  if (readers.length === 0 || is === false) {
    return [];
  }
  const what = secret.shown;
  const problem = `${readers.join(', ')} may read the secret ${what}, with which one signs in to ${secret.database} as its admin`;
  return is === undefined || unknown || !statement
    ? [{ what, unknown: true, location, problem: `whether ${problem}, is known at the deployment only` }]
    : [
        {
          what,
          location,
          problem: `${problem}${awsManaged ? `, by the policy ${awsManaged} of AWS` : ''}: IAM authentication and the privileges of users do not bind who has that password`,
        },
      ];
}

function findingsOfReference(
  { type }: Resource,
  is: boolean | undefined,
  { shown: what, database }: MasterSecret,
  path: string,
): Finding[] {
  const location = type === OUTPUT || type === PARAMETER ? path : `Properties/${path}`;
  const problem = `the deployment puts the password in the secret ${what} into ${location}, where it can be read; with it one signs in to ${database} as its admin`;
  return is === false
    ? []
    : is
      ? [{ what, location, problem }]
      : [{ what, unknown: true, location, problem: `whether ${problem}` }];
}
