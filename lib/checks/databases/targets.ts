import type { Resource } from '../app/template';
import { attributeIn, type Part, settingOf } from '../app/value';
import type { Element } from '../iam/pattern';
import { arnOf, OPEN, referenceTo, type Target, text } from '../iam/target';

/** A Lambda function of the app, also by a version or an alias of it. */
export function functionTarget(resource: Resource): Target {
  const before = [...arnOf('lambda'), text('function:')];
  const spellings = (name: Element[]) => [
    [...before, ...name],
    [...before, ...name, text(':$LATEST')],
    [...before, ...name, text(':'), OPEN],
  ];
  const name = nameIn(resource, 'FunctionName');
  return {
    shown: `<${resource.logicalId}>`,
    named: [[referenceTo(resource, 'Arn')], ...(name.known ? [[text(name.known, true)]] : [])].flatMap(spellings),
    possible: [spellings(name.elements)],
  };
}

/** A cluster or an instance of the app. */
export function databaseTarget(resource: Resource): Target {
  const isCluster = resource.type === 'AWS::RDS::DBCluster';
  const before = [...arnOf('rds'), text(isCluster ? 'cluster:' : 'db:')];
  const name = nameIn(resource, isCluster ? 'DBClusterIdentifier' : 'DBInstanceIdentifier', known =>
    known.toLowerCase(),
  );
  return {
    shown: `<${resource.logicalId}>`,
    named: [
      [referenceTo(resource, isCluster ? 'DBClusterArn' : 'DBInstanceArn')],
      ...(name.known ? [[text(name.known, true)]] : []),
    ].map(each => [...before, ...each]),
    possible: [[[...before, ...name.elements]]],
  };
}

/**
 * A secret. Secrets Manager puts a hyphen and six characters behind the name, which are not known unless they are part
 * of it here.
 *
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
 */
export function secretTarget(arn: Part[], shown: string): Target {
  const before = [...arnOf('secretsmanager'), text('secret:')];
  const end = [text('-'), ...Array.from({ length: 6 }, (): Element => ({ kind: 'character', every: true }))];
  const spellings = (name: Element[]) => [
    [...before, ...name],
    [...before, ...name, ...end],
  ];
  const attribute = attributeIn(arn);
  if (!attribute) {
    const known = arn.every(part => part.kind === 'text' || part.kind === 'environment') ? nameInArn(arn) : undefined;
    return known === undefined
      ? { shown, named: [], possible: [spellings([OPEN])] }
      : { shown, named: spellings([text(known, true)]), possible: [spellings([text(known)])] };
  }
  const { resource, attribute: name } = attribute;
  const isOwn = resource.type === 'AWS::SecretsManager::Secret';
  const own = isOwn ? settingOf(resource.properties.Name, resource.template) : { state: 'unset' as const };
  const named = spellings([referenceTo(resource, name)]);
  if (own.state === 'known') {
    return {
      shown,
      named: [...named, ...spellings([text(own.value, true)])],
      possible: [spellings([text(own.value)])],
    };
  }
  const beginnings
    = own.state === 'unknown' ? [''] : isOwn ? [resource.logicalId, resource.template.stack.name] : ['rds!'];
  return { shown, named, possible: beginnings.map(beginning => spellings([text(beginning), OPEN])) };
}

/** What is behind `secret:`; a secret may be referred to by its name alone. */
function nameInArn(arn: Part[]): string {
  return arn
    .map(part => (part.kind === 'text' ? part.text : '-'))
    .join('')
    .replace(/^arn:(?:[^:]*:){5}/, '');
}

/**
 * A name that the template gives; where it gives none, CloudFormation makes one that begins with those of the stack and
 * of the resource, unless they are too long for it.
 */
function nameIn(
  { properties, template, logicalId }: Resource,
  property: string,
  spelled = (name: string) => name,
): { readonly known?: string; readonly elements: Element[] } {
  const name = settingOf(properties[property], template);
  if (name.state === 'known') {
    const known = spelled(name.value);
    return { known, elements: [text(known)] };
  }
  const { stack, embeddedBy } = template;
  const beginning
    = stack.name.length > 20 || embeddedBy ? stack.name.slice(0, 20) : `${stack.name}-${logicalId.slice(0, 8)}`;
  return { elements: name.state === 'unknown' ? [OPEN] : [text(spelled(beginning)), OPEN] };
}
