import { isCustom, keyOf, type Part, shown } from '../app/value';
import { checkedUsernamesOf } from '../databases/provisioners';
import {
  after,
  type Element,
  hasUnknown,
  isMany,
  matches,
  type Positions,
  settled,
  startOf,
  type Token,
  tokensOf,
  withoutDynamicReferences,
} from './pattern';
import type { CheckedApp } from '../app/template';
import { IAM_AUTHENTICATION_RESOURCE_TYPE, PROVISIONED_RESOURCE_TYPES } from '../../contract/wire';

/**
 * Which users of which databases a resource of a statement with `rds-db:connect` reaches, as far as it is one pattern
 * or several.
 */
export interface ConnectReach {
  /** What the resource ids are. */
  readonly databases: Token[][];
  /** What the usernames are. */
  readonly users: Token[][];
  /** Whether the slash between the two is written out. */
  readonly isSeparated: boolean;
}

export interface ConnectResource {
  /** For people, and for the ids of findings: what is behind `dbuser:`, or all of it. */
  readonly shown: string;
  /** What it reaches for certain; undefined if that is nothing. */
  readonly reach?: ConnectReach;
  /**
   * What it reaches if what is known at the deployment only turns out to be a wildcard. The same where nothing is
   * unknown.
   */
  readonly possible?: ConnectReach;
}

/** `arn:<partition>:rds-db:<region>:<account>:dbuser:`, before `<resource id>/<username>`. */
const OPEN: Element = { kind: 'open', references: true };
const BEFORE_ID: Element[] = ['arn:', ':rds-db:', ':', ':dbuser:'].flatMap((text, index): Element[] => [
  ...(index === 0 ? [] : [OPEN]),
  { kind: 'text', text },
]);
const SLASH: Element = { kind: 'text', text: '/' };
const EVERY: Element = { kind: 'open', every: true };
const EVERY_USER: Element[] = [
  ...BEFORE_ID.map((element, index) => (element.kind === 'open' && index > 1 ? EVERY : element)),
  EVERY,
  SLASH,
  EVERY,
];

const read = new WeakMap<Part[], ConnectResource>();

/**
 * Compares a resource with the form of all ARNs of database users. A wildcard of IAM matches any character, `:` and `/`
 * included, so that a pattern has no parts of its own. Resource ids have neither of the two, nor have usernames of this
 * library.
 *
 * @param resource as the statement has it
 * @param hasVariables whether the version of the policy language has variables and escapes
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
 */
export function connectResourceOf(resource: Part[], hasVariables: boolean, app: CheckedApp): ConnectResource {
  const known = read.get(resource);
  if (known) {
    return known;
  }
  const { username, spelled } = spelling(resource);
  const isChecked = username !== undefined && checkedUsernamesOf(app).has(keyOf(username));
  // Nothing comes before an ARN: what begins with one of something else is about that.
  const tokens = tokensOf(
    resource,
    hasVariables,
    part => isReference(part) || part === arnOf(resource) || (isChecked && username.includes(part)),
  );
  const isOpen = hasUnknown(tokens);
  const reach = reachOf(isOpen ? settled(tokens) : tokens);
  const result = { shown: spelled, reach, possible: isOpen ? reachOf(tokens) : reach };
  read.set(resource, result);
  return result;
}

/** Whether a resource is about every user of every database of a partition, so that an exception of it leaves none. */
export function isEveryUser(
  resource: Part[],
  hasVariables: boolean,
): { readonly certain: boolean; readonly possible: boolean } {
  const tokens = tokensOf(resource, hasVariables, isReference);
  return { certain: matches(settled(tokens), EVERY_USER), possible: matches(tokens, EVERY_USER) };
}

/** Whether it is about more than one. */
export function isSeveral(names: Token[][]): boolean {
  return (
    names.some(hasWildcardOrVariable)
    || new Set(names.map(name => name.map(({ text, kind }) => `${kind}${text}`).join(''))).size > 1
  );
}

/** Whether it is about all, or all of a length. */
export function isEvery(names: Token[][]): boolean {
  return names.some(name => name.every(({ kind }) => kind === 'any' || kind === 'one'));
}

export function variablesIn(name: Token[]): string[] {
  return name.filter(({ kind }) => kind === 'variable').map(({ text }) => text);
}

function hasWildcardOrVariable(name: Token[]): boolean {
  return name.some(token => isMany(token) || token.kind === 'one');
}

function reachOf(tokens: Token[]): ConnectReach | undefined {
  // A username ends an ARN. It has no colon and no slash, unless that is spelled out behind the slash that is before
  // it.
  const isSeparator
    = (separator: string) =>
      ({ kind, text }: Token) =>
        kind === 'character' && text === separator;
  const [isSlash, isColon] = ['/', ':'].map(isSeparator);
  const slash = tokens.findIndex(isSlash);
  const lastSeparator = slash >= 0 ? slash : tokens.reduce((last, token, index) => (isColon(token) ? index : last), -1);
  const starts = BEFORE_ID.reduce<Positions>(
    (positions, element) => after(tokens, positions, element),
    startOf(tokens),
  );
  const [databases, users] = [new Map<string, Token[]>(), new Map<string, Token[]>()];
  let isSeparated = false;
  for (const start of starts) {
    for (const end of after(tokens, [start], OPEN)) {
      const names = after(tokens, [end], SLASH).filter(name => name > lastSeparator && name < tokens.length);
      if (names.length > 0) {
        databases.set(
          `${start} ${end}`,
          tokens.slice(start, end < tokens.length && isMany(tokens[end]) ? end + 1 : end),
        );
        names.forEach(name => users.set(`${name}`, tokens.slice(name)));
        isSeparated ||= tokens[end].kind === 'character';
      }
    }
  }
  return users.size > 0 ? { databases: [...databases.values()], users: [...users.values()], isSeparated } : undefined;
}

/**
 * The resource id of a database; the name of an identity, which has no character that means something to IAM; and what
 * the resources of this library say.
 */
const REFERENCES: Record<string, string[]> = {
  'AWS::RDS::DBCluster': ['DBClusterResourceId'],
  'AWS::RDS::DBInstance': ['DbiResourceId'],
  'AWS::RDS::DBProxy': ['DBProxyArn[6]'],
  'AWS::IAM::Role': ['Ref', 'RoleId'],
  'AWS::IAM::User': ['Ref'],
};

const OWN_TYPES: readonly string[] = [...PROVISIONED_RESOURCE_TYPES, IAM_AUTHENTICATION_RESOURCE_TYPE];

function isReference(part: Part): boolean {
  return (
    part.kind === 'environment'
    || (part.kind === 'attribute'
      && (REFERENCES[part.resource.type]?.includes(part.attribute) ?? OWN_TYPES.includes(part.resource.type)))
  );
}

/** The ARN of another resource at the beginning. */
function arnOf([first]: Part[]): Part | undefined {
  return first?.kind === 'attribute' && !isCustom(first.resource) ? first : undefined;
}

/**
 * The username, and what is shown, of a resource that is spelled in the usual way: with six colons, and a slash behind
 * them.
 */
function spelling(parts: Part[]): { username?: Part[]; spelled: string } {
  let colons = 0;
  const name: Part[] = [];
  let username: Part[] | undefined;
  for (const part of withoutDynamicReferences(parts)) {
    if (part.kind !== 'text') {
      (username ?? (colons < 6 ? [] : name)).push(part);
      continue;
    }
    let { text } = part;
    while (colons < 6 && text.includes(':')) {
      text = text.slice(text.indexOf(':') + 1);
      colons++;
    }
    if (colons < 6) {
      continue;
    }
    const slash = username ? -1 : text.indexOf('/');
    if (slash >= 0) {
      push(name, text.slice(0, slash));
      username = [];
      push(username, text.slice(slash + 1));
    } else {
      push(username ?? name, text);
    }
  }
  return { username, spelled: username ? `dbuser:${shown(name)}/${shown(username)}` : shown(parts) };
}

function push(parts: Part[], text: string): void {
  if (text !== '') {
    parts.push({ kind: 'text', text });
  }
}
