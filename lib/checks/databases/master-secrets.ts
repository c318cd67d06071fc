import { oncePerApp } from '../app/synthesized-app';
import type { Resource } from '../app/template';
import { attributeIn, itemsOf, keyOf, type Part, partsOf, settingOf, shown } from '../app/value';
import { identityPoliciesOf } from '../iam/identity-policies';
import { isAbout } from '../iam/statement';
import { reachOfResource, type Target } from '../iam/target';
import { DATABASE_TYPES, isPostgresql } from './postgresql';
import { provisionersOf } from './provisioners';
import { secretTarget } from './targets';

/** The secret of a master or admin: its reader can sign in as any user. */
export interface MasterSecret {
  /** For people, and for ids of findings. */
  readonly shown: string;
  readonly arn: Part[];
  /** Of the database, for people. */
  readonly database: string;
  readonly target: Target;
}

/** The secrets of the masters of databases that have IAM users, and of the admins that create them. */
export const masterSecretsOf = oncePerApp((app): MasterSecret[] => {
  const ofMasters = databasesWithUsersOf(app)
    .flatMap(database => secretOfMaster(database).map(arn => ({ arn, database: database.logicalId })));
  const ofAdmins = provisionersOf(app).flatMap(({ secret, databaseId }) =>
    secret ? [{ arn: secret, database: attributeIn(databaseId)?.resource.logicalId ?? shown(databaseId) }] : [],
  );
  const all = [...ofMasters, ...ofAdmins].map(({ arn, database }) => ({ arn: original(arn), database }));
  return [
    ...new Map(
      all.map(({ arn, database }) => [
        keyOf(arn),
        { arn, database, shown: shown(arn), target: secretTarget(arn, shown(arn)) },
      ]),
    ).values(),
  ];
});

/**
 * Whether a secret that is named by its ARN or its name is that of a master; undefined where only the deployment knows.
 */
export function isSecret(id: Part[], { arn, target }: MasterSecret): boolean | undefined {
  const [first] = id;
  const named: Part[]
    = first?.kind === 'text' && !first.text.startsWith('arn:')
      ? [{ kind: 'text', text: `arn:aws:secretsmanager:-:-:secret:${first.text}` }, ...id.slice(1)]
      : id;
  return keyOf(original(id)) === keyOf(arn) || reachOfResource(named, false, target).is;
}

/** An attachment is another name of the secret it attaches. */
function original(arn: Part[]): Part[] {
  const [first, ...others] = arn;
  if (first?.kind !== 'attribute') {
    return arn;
  }
  const { resource: { type, properties, template } } = first;
  return type === 'AWS::SecretsManager::SecretTargetAttachment'
    ? [...original(partsOf(properties.SecretId, template)), ...others]
    : type === 'AWS::SecretsManager::Secret' ? [{ ...first, attribute: 'Ref' }, ...others] : arn;
}

/**
 * The secret in the password of a master, by its ARN or its name, or the one that RDS manages.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-secrets-manager.html
 */
function secretOfMaster(database: Resource): Part[][] {
  const { properties, template } = database;
  const managed = settingOf(properties.ManageMasterUserPassword, template);
  const ofRds: Part[] = [{ kind: 'attribute', resource: database, attribute: 'MasterUserSecret.SecretArn' }];
  if (managed.state === 'known' && managed.value === 'true') {
    return [ofRds];
  }
  const passwords = itemsOf(properties.MasterUserPassword).flatMap(password => secretIn(partsOf(password, template)));
  return [...managed.state === 'unknown' ? [ofRds] : [], ...passwords];
}

/** The secret that a password is a dynamic reference to. */
function secretIn(password: Part[]): Part[][] {
  const [start] = password;
  if (start?.kind !== 'text' || !start.text.startsWith(REFERENCE)) {
    return [];
  }
  const inside = password.map(part =>
    part.kind === 'text'
      ? { ...part, text: part.text.replace(REFERENCE, '').replace(/(:SecretString|\}\}).*$/, '') }
      : part,
  );
  return [inside.filter(part => part.kind !== 'text' || part.text !== '')];
}

const REFERENCE = '{{resolve:secretsmanager:';

/**
 * The databases that users of this library are created in, or that a policy allows signing in to by their resource id.
 */
const withUsers = oncePerApp((app): Set<Resource | undefined> => {
  const granted = app.resources
    .flatMap(resource => identityPoliciesOf(app).in(resource))
    .flatMap(({ statements = [] }) => statements)
    .filter(statement => isAbout(statement, 'rds-db:connect'))
    .flatMap(({ resources }) => resources.flat())
    .flatMap(part =>
      part.kind === 'attribute' && ['DBClusterResourceId', 'DbiResourceId'].includes(part.attribute)
        ? [part.resource]
        : [],
    );
  return new Set([...provisionersOf(app).map(({ databaseId }) => attributeIn(databaseId)?.resource), ...granted]);
});

/** The databases that have IAM users, and are not known to be of another engine than PostgreSQL. */
export const databasesWithUsersOf = oncePerApp(app =>
  app.ofType(...DATABASE_TYPES).filter(database => isPostgresql(database) !== false && withUsers(app).has(database)));
