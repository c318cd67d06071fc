import type { Resource } from '../app/template';
import { isText, type Part, partsOf, shown } from '../app/value';
import { DATABASE_TYPES } from './postgresql';

/** A dynamic reference to a secret, as the deployment resolves it. */
export interface SecretReference {
  /** ARN or name. */
  readonly secret: Part[];
  /** Path in the resource. */
  readonly location: string;
}

const REFERENCE = '{{resolve:secretsmanager:';

/** Keys of a secret of a database that are no secret. */
const HARMLESS = [
  'username',
  'host',
  'port',
  'dbname',
  'engine',
  'dbClusterIdentifier',
  'dbInstanceIdentifier',
  'masterarn',
];

/**
 * The dynamic references to passwords in a resource, other than in the password of a database.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html
 */
export function passwordReferencesIn({ type, properties, template }: Resource): SecretReference[] {
  // A function may put it together of smaller pieces.
  if (!JSON.stringify(properties).includes('{{')) {
    return [];
  }
  const found: SecretReference[] = [];
  const visit = (value: unknown, path: string[]): void => {
    const [name, ...others] = Object.keys(Object(value) as object);
    if (isText(value) || (others.length === 0 && ['Fn::Join', 'Fn::Sub', 'Fn::Select'].includes(name))) {
      found.push(...referencesIn(partsOf(value, template)).map(secret => ({ secret, location: path.join('/') })));
      branchesIn(value).forEach(branches => visit(branches, path));
    } else if (typeof value === 'object' && value !== null) {
      Object.entries(value).forEach(([key, item]) => visit(item, [...path, key]));
    }
  };
  const isPassword = (property: string) => DATABASE_TYPES.includes(type) && property === 'MasterUserPassword';
  Object.entries(properties)
    .filter(([property]) => !isPassword(property))
    .forEach(([property, value]) => visit(value, [property]));
  return found;
}

/** Each `Fn::If` within a function. */
function branchesIn(value: unknown): unknown[] {
  const content = Object(value) as object;
  return 'Fn::If' in content ? [content] : isText(value) ? [] : Object.values(content).flatMap(branchesIn);
}

/** The secrets in a text whose password, or whole content, is put in their place. */
function referencesIn(parts: Part[]): Part[][] {
  const found: Part[][] = [];
  let current: Part[] | undefined;
  for (const part of parts) {
    const pieces = part.kind === 'text' ? part.text.split(/(\{\{resolve:secretsmanager:|\}\})/) : [part];
    for (const piece of pieces) {
      if (piece === REFERENCE) {
        current = [];
      } else if (piece === '}}') {
        found.push(...(current && isOfPassword(current) ? [secretIn(current)] : []));
        current = undefined;
      } else if (piece !== '') {
        current?.push(typeof piece === 'string' ? { kind: 'text', text: piece } : piece);
      }
    }
  }
  return found;
}

/** `<secret>:SecretString:<key>:<version stage>:<version id>`, of which all but the secret may be left out. */
function isOfPassword(reference: Part[]): boolean {
  const [, key] = /:SecretString:([^:]*)/.exec(shown(reference)) ?? [];
  return key === undefined || !HARMLESS.includes(key);
}

function secretIn(reference: Part[]): Part[] {
  const end = reference.findIndex(part => part.kind === 'text' && part.text.includes(':SecretString'));
  const until = end < 0 ? reference : reference.slice(0, end + 1);
  return until
    .map((part, index) =>
      index === end && part.kind === 'text' ? { ...part, text: part.text.replace(/:SecretString.*$/s, '') } : part,
    )
    .filter(part => part.kind !== 'text' || part.text !== '');
}
