import { attributeIn, isCustom, keyOf, type Part, partsOf, splitAt } from '../app/value';
import { type Element, hasUnknown, matches, settled, type Token, tokensOf } from './pattern';
import type { Resource } from '../app/template';
import type { Statement } from './statement';

/** A resource that statements are about, as far as its ARN is known at synthesis. */
export interface Target {
  /** For people, and for the ids of findings. */
  readonly shown: string;
  /** The ways in which a statement names it. */
  readonly named: Element[][];
  /** What its ARN may be; one of them is it. Each has the ways in which a request spells it. */
  readonly possible: Element[][][];
}

/** What a statement says of a target. */
export interface Reach {
  /** Undefined where only the deployment knows. */
  readonly is: boolean | undefined;
  /** Whether it names the target, and not by a wildcard that matches others as well. */
  readonly isNamed: boolean;
}

export const OPEN: Element = { kind: 'open', every: true };
export const text = (content: string, strict = false): Element => ({ kind: 'text', text: content, strict });

/** `arn:<partition>:<service>:<region>:<account>:` */
export function arnOf(service: string): Element[] {
  const slot: Element = { kind: 'open', references: true };
  return [text('arn:'), slot, text(`:${service}:`), slot, text(':'), slot, text(':')];
}

/** The name in the ARN of a resource of the app, where the template has an attribute of it. */
export function referenceTo(resource: Resource, attribute: string): Element {
  return { kind: 'reference', key: keyOf([nameOf(resource, attribute)]), strict: true };
}

/**
 * Whether a statement is about a target.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */
export function reachOf({ resources, notResources, hasVariables }: Statement, target: Target): Reach {
  const reaches = (notResources ?? resources).map(resource => reachOfResource(resource, hasVariables, target));
  const is
    = reaches.some(reach => reach.is === true) || (reaches.some(reach => reach.is === undefined) ? undefined : false);
  return notResources
    ? { is: is === undefined ? undefined : !is, isNamed: false }
    : { is, isNamed: reaches.some(({ isNamed }) => isNamed) };
}

/** Whether a resource of a statement, or of a property, is about a target. */
export function reachOfResource(resource: Part[], hasVariables: boolean, target: Target): Reach {
  const tokens = tokensIn(resource, hasVariables);
  const certain = hasUnknown(tokens) ? settled(tokens) : tokens;
  const isNamed = target.named.some(elements => matches(certain, elements.map(some)));
  const is
    = target.named.some(elements => matches(certain, elements))
      || target.possible.every(spellings => spellings.some(elements => matches(certain, elements)))
      || (isNamed || target.possible.flat().some(elements => matches(tokens, elements.map(some))) ? undefined : false);
  return { is, isNamed };
}

/** For any of the values that it may have. */
function some(element: Element): Element {
  return element.kind === 'open' || element.kind === 'character' ? { ...element, every: false } : element;
}

const read = new WeakMap<Part[], Token[]>();

function tokensIn(resource: Part[], hasVariables: boolean): Token[] {
  const known = read.get(resource);
  if (known) {
    return known;
  }
  const tokens = tokensOf(
    resource.flatMap(spelledOut),
    hasVariables,
    part => part.kind === 'environment' || (part.kind === 'attribute' && !isCustom(part.resource)),
  );
  read.set(resource, tokens);
  return tokens;
}

/** The attributes that are ARNs: the service, and what is before the name. */
const ARNS: Record<string, Record<string, readonly [service: string, before: string]>> = {
  'AWS::Lambda::Function': { Arn: ['lambda', 'function:'] },
  'AWS::RDS::DBCluster': {
    'DBClusterArn': ['rds', 'cluster:'],
    'MasterUserSecret.SecretArn': ['secretsmanager', 'secret:'],
  },
  'AWS::RDS::DBInstance': {
    'DBInstanceArn': ['rds', 'db:'],
    'MasterUserSecret.SecretArn': ['secretsmanager', 'secret:'],
  },
  'AWS::SecretsManager::Secret': { Ref: ['secretsmanager', 'secret:'], Id: ['secretsmanager', 'secret:'] },
};

/**
 * An ARN that is an attribute, as its parts, or an item of one that is split at its colons. An attachment is another
 * name of the secret that it attaches; versions and aliases are qualifiers of their function.
 */
function spelledOut(part: Part): Part[] {
  if (part.kind !== 'attribute') {
    return [part];
  }
  const { resource, attribute } = part;
  const [, whole, index] = /^(.+)\[(\d+)\]$/.exec(attribute) ?? [];
  if (whole !== undefined) {
    const items = splitAt(':', spelledOut({ ...part, attribute: whole }));
    return items[Number(index)] ?? [part];
  }
  if (resource.type === 'AWS::SecretsManager::SecretTargetAttachment') {
    return partsOf(resource.properties.SecretId, resource.template).flatMap(spelledOut);
  }
  if (['AWS::Lambda::Version', 'AWS::Lambda::Alias'].includes(resource.type) && attribute !== 'Version') {
    const of = attributeIn(partsOf(resource.properties.FunctionName, resource.template));
    return of ? [...spelledOut({ ...of, attribute: 'Arn' }), { kind: 'text', text: ':*' }] : [part];
  }
  const [service, before] = ARNS[resource.type]?.[attribute] ?? [];
  const content = (known: string): Part => ({ kind: 'text', text: known });
  return service === undefined
    ? [part]
    : [
        content('arn:'),
        { kind: 'environment', name: 'AWS::Partition' },
        content(`:${service}:`),
        { kind: 'environment', name: 'AWS::Region' },
        content(':'),
        { kind: 'environment', name: 'AWS::AccountId' },
        content(`:${before}`),
        nameOf(resource, attribute),
      ];
}

/** The name in an ARN, which is what `Ref` gives of a function or a database. */
function nameOf(resource: Resource, attribute: string): Part {
  return {
    kind: 'attribute',
    resource,
    attribute:
      ARNS[resource.type]?.[attribute]?.[0] === 'secretsmanager'
        ? `name in ${attribute === 'Id' ? 'Ref' : attribute}`
        : 'Ref',
  };
}
