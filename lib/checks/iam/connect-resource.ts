import { isCustom, Part, shown } from '../app/value';
import { matchesPattern } from './statement';

/** What a resource of a statement with `rds-db:connect` lets in. */
export type ConnectResource
  = | { readonly kind: 'other' }
    /** Every user of every database. */
    | { readonly kind: 'everything' }
    /** Known at the deployment only. */
    | { readonly kind: 'unknown' }
    | { readonly kind: 'user'; readonly database: Part[]; readonly user: Part[]; /** Behind `dbuser:`, for people. */ readonly shown: string };

/**
 * Of the form `arn:<partition>:rds-db:<region>:<account>:dbuser:<resource id>/<username>`
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
 */
export function connectResourceOf(resource: Part[]): ConnectResource {
  const parts = withoutDynamicReferences(resource);
  const [, , service, , , ...rest] = splitAt(':', parts, 6);
  if (service === undefined) {
    const [first, ...others] = parts;
    return first?.kind === 'text'
      ? { kind: /\*$/.test(first.text) && others.length === 0 ? 'everything' : 'other' }
      : { kind: first?.kind === 'unknown' || (first?.kind === 'attribute' && isCustom(first.resource)) ? 'unknown' : 'other' };
  }
  if (service.some(part => part.kind === 'unknown')) {
    return { kind: 'unknown' };
  }
  if (!matchesPattern(shown(service), 'rds-db')) {
    return { kind: 'other' };
  }
  const [, name = []] = splitAt(':', rest[0] ?? [], 2);
  const [database, user] = splitAt('/', name, 2);
  if (user === undefined) {
    const last = parts.at(-1);
    return { kind: last?.kind === 'text' && last.text.endsWith('*') ? 'everything' : name.some(part => part.kind === 'unknown') ? 'unknown' : 'other' };
  }
  return { kind: 'user', database, user, shown: `dbuser:${shown(name)}` };
}

/** What stands in a part of a resource. */
export interface Content {
  /** `*` or `?`. */
  readonly wildcard: boolean;
  /** Such as `${aws:username}`. */
  readonly variables: string[];
  /** Something known that stands for itself. */
  readonly literal: boolean;
  /** Something that is known at the deployment only, and could be any of the others. */
  readonly unknown: boolean;
}

/**
 * @param hasVariables whether the version of the policy language has variables, and escapes
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
export function contentOf(parts: Part[], hasVariables: boolean): Content {
  const text = parts.map(part => part.kind === 'text' ? part.text : '').join('\0');
  const variables = hasVariables ? [...text.matchAll(/\$\{[^}]*\}/g)].map(([variable]) => variable) : [];
  const others = hasVariables ? text.replace(/\$\{[^}]*\}/g, '') : text;
  const escapes = variables.filter(variable => /^\$\{[*?$]\}$/.test(variable));
  return {
    wildcard: /[*?]/.test(others),
    variables: variables.filter(variable => !escapes.includes(variable)),
    literal: escapes.length > 0 || /[^*?\0]/.test(others) || parts.some(part => part.kind === 'attribute' || part.kind === 'environment'),
    unknown: parts.some(isUnknown),
  };
}

/** The resource id of a database; the name of an identity, which has no character that means something to IAM; and what the resources of this library say. */
const SAFE: Record<string, string[]> = {
  'AWS::RDS::DBCluster': ['DBClusterResourceId'],
  'AWS::RDS::DBInstance': ['DbiResourceId'],
  'AWS::RDS::DBProxy': ['DBProxyArn[6]'],
  'AWS::IAM::Role': ['Ref', 'RoleId'],
  'AWS::IAM::User': ['Ref'],
};

function isUnknown(part: Part): boolean {
  return part.kind === 'unknown'
    || (part.kind === 'attribute' && !(SAFE[part.resource.type]?.includes(part.attribute) ?? part.resource.type.startsWith('Custom::Rds')));
}

/** `{{resolve:...}}`, whose value only the deployment knows, with colons of its own. */
function withoutDynamicReferences(parts: Part[]): Part[] {
  const result: Part[] = [];
  let open = false;
  for (const part of parts) {
    const pieces = part.kind === 'text' ? part.text.split(/(\{\{resolve:|\}\})/) : [part];
    for (const piece of pieces) {
      if (piece === '{{resolve:') {
        open = true;
        result.push({ kind: 'unknown', what: 'dynamic reference' });
      } else if (piece === '}}' && open) {
        open = false;
      } else if (!open && piece !== '') {
        result.push(typeof piece === 'string' ? { kind: 'text', text: piece } : piece);
      }
    }
  }
  return result;
}

/** At most so many pieces; the last one has the rest. */
function splitAt(separator: string, parts: Part[], pieces: number): Part[][] {
  const result: Part[][] = [[]];
  for (const part of parts) {
    if (part.kind !== 'text') {
      result.at(-1)!.push(part);
      continue;
    }
    let rest = part.text;
    while (result.length < pieces && rest.includes(separator)) {
      const at = rest.indexOf(separator);
      push(result.at(-1)!, rest.slice(0, at));
      result.push([]);
      rest = rest.slice(at + 1);
    }
    push(result.at(-1)!, rest);
  }
  return result;
}

function push(parts: Part[], text: string): void {
  if (text !== '') {
    parts.push({ kind: 'text', text });
  }
}
