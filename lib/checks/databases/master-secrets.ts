import { oncePerApp, SynthesizedApp } from '../app/synthesized-app';
import type { Resource } from '../app/template';
import { attributeIn, isCustom, keyOf, Part, partsOf, Setting, settingOf, shown } from '../app/value';
import { connectResourceOf } from '../iam/connect-resource';
import { identityPoliciesOf } from '../iam/identity-policies';
import { isAbout, matchesPattern } from '../iam/statement';
import { DATABASE_TYPES, isPostgresql } from './postgresql';
import { provisionersOf } from './provisioners';

/** The secret of a master or admin: what is in it lets its reader in as everybody. */
export interface MasterSecret {
  /** For people, and for ids of findings. */
  readonly shown: string;
  readonly arn: Part[];
  /** Of the database, for people. */
  readonly database: string;
}

/** The secrets of the masters of databases that have IAM users, and of the admins that create them. */
export const masterSecretsOf = oncePerApp((app): MasterSecret[] => {
  const users = withUsers(app);
  const ofMasters = app.ofType(...DATABASE_TYPES)
    .filter(database => isPostgresql(database) && users.has(database))
    .flatMap(database => secretOfMaster(database).map(arn => ({ arn, database: database.logicalId })));
  const ofAdmins = provisionersOf(app).flatMap(({ secret, databaseId }) => secret ? [{ arn: secret, database: attributeIn(databaseId)?.resource.logicalId ?? shown(databaseId) }] : []);
  const all = [...ofMasters, ...ofAdmins].map(({ arn, database }) => ({ arn: original(arn), database }));
  return [...new Map(all.map(({ arn, database }) => [keyOf(arn), { arn, database, shown: shown(arn) }])).values()];
});

/**
 * Whether a resource of a statement is a secret; undefined where only the deployment knows.
 *
 * @param resource as the statement has it
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
 */
export function reaches(resource: Part[], { arn: secret }: MasterSecret): boolean | undefined {
  const [first, ...others] = original(resource);
  if (first?.kind === 'attribute') {
    return isCustom(first.resource)
      ? undefined
      // What may come behind is a pattern for the six characters that Secrets Manager adds.
      : keyOf([first]) === keyOf(secret) && others.every(part => part.kind === 'text' && /^[-*?]*$/.test(part.text));
  }
  const pattern = resource.map(part => part.kind === 'text' ? part.text : part.kind === 'environment' ? '*' : UNKNOWN).join('');
  const [, , service, , , ...rest] = pattern.split(':');
  if (service !== undefined && !/[*?]/.test(service) && !service.includes(UNKNOWN) && service !== 'secretsmanager') {
    return false;
  }
  return pattern.includes(UNKNOWN)
    ? undefined
    : rest.length === 0 ? pattern.endsWith('*') : reachesByName(rest.join(':'), secret);
}

/** Stands for what is not known. */
const UNKNOWN = '\0';

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

/** @param pattern such as `secret:shop/*`, the end of an ARN */
function reachesByName(pattern: string, secret: Part[]): boolean | undefined {
  if (secret.every(part => part.kind === 'text' || part.kind === 'environment')) {
    return matchesName(pattern, shown(secret).replace(/^arn:(?:[^:]*:){5}/, ''));
  }
  const attribute = attributeIn(secret);
  if (!attribute) {
    return undefined;
  }
  const { resource: { type, properties, template, logicalId } } = attribute;
  const isOwn = type === 'AWS::SecretsManager::Secret';
  const name: Setting = isOwn ? settingOf(properties.Name, template) : { state: 'unset' };
  if (name.state === 'known') {
    return matchesName(pattern, name.value);
  }
  // Where CloudFormation or RDS makes the name, its beginning is all that is known.
  const start = pattern.replace(/[*?].*$/, '');
  if ('secret:'.startsWith(start) && pattern === `${start}*`) {
    return true;
  }
  const beginnings = (isOwn ? [logicalId, template.stack.name] : ['rds!']).map(beginning => `secret:${beginning}`);
  const isElsewhere = beginnings.every(beginning => !start.startsWith(beginning) && !beginning.startsWith(start));
  return isElsewhere && name.state === 'unset' ? false : undefined;
}

/** Secrets Manager puts a hyphen and six characters behind the name, which are not known unless they are part of it here. */
function matchesName(pattern: string, name: string): boolean | undefined {
  const [plain, ended] = ['', '-AbCdEf'].map(end => `secret:${name}${end}`);
  return matchesPattern(pattern, plain) || matchesPattern(pattern, ended) || (pattern.replace(/-[A-Za-z0-9]{6}$/, '') === plain ? undefined : false);
}

/**
 * The secret in the password of a master, by its ARN or its name, or the one that RDS manages.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-secrets-manager.html
 */
function secretOfMaster(database: Resource): Part[][] {
  const { properties, template } = database;
  const managed = settingOf(properties.ManageMasterUserPassword, template);
  if (managed.state === 'unknown' || (managed.state === 'known' && managed.value === 'true')) {
    return [[{ kind: 'attribute', resource: database, attribute: 'MasterUserSecret.SecretArn' }]];
  }
  const password = properties.MasterUserPassword === undefined ? [] : partsOf(properties.MasterUserPassword, template);
  const [start] = password;
  if (start?.kind !== 'text' || !start.text.startsWith(REFERENCE)) {
    return [];
  }
  const inside = password.map(part => part.kind === 'text' ? { ...part, text: part.text.replace(REFERENCE, '').replace(/(:SecretString|\}\}).*$/, '') } : part);
  return [inside.filter(part => part.kind !== 'text' || part.text !== '')];
}

const REFERENCE = '{{resolve:secretsmanager:';

/** The databases that users of this library are created in, or that somebody may sign in to. */
function withUsers(app: SynthesizedApp): Set<Resource | undefined> {
  const policies = app.resources.flatMap(resource => identityPoliciesOf(app).in(resource));
  const granted = policies.flatMap(({ statements = [] }) => statements)
    .filter(statement => isAbout(statement, 'rds-db:connect'))
    .flatMap(({ resources }) => resources.map(connectResourceOf))
    .flatMap(resource => resource.kind === 'user' ? [resource.database] : []);
  return new Set([...provisionersOf(app).map(({ databaseId }) => databaseId), ...granted].map(id => attributeIn(id)?.resource));
}
