import type { Resource, Scoped, Template } from './template';

/** A piece of a text in a template. References are followed to the resource, in whichever stack of the app. */
export type Part
  = | { readonly kind: 'text'; readonly text: string }
    /** `Ref` is an attribute of that name. `DBProxyArn[6]` is an item of one that is split at its colons. */
    | { readonly kind: 'attribute'; readonly resource: Resource; readonly attribute: string }
    /** A pseudo parameter, such as `AWS::Region`. */
    | { readonly kind: 'environment'; readonly name: string }
    /** Known at the deployment only: a parameter, an import from another app, a function that is not followed. */
    | { readonly kind: 'unknown'; readonly what: string; /** Whose it is. */ readonly template?: Template };

export type Attribute = Extract<Part, { kind: 'attribute' }>;

/** A property that has one value. */
export type Setting
  = | { readonly state: 'unset' }
    | { readonly state: 'known'; readonly value: string }
    | { readonly state: 'unknown'; readonly shown: string };

type Call = { readonly argument: unknown; readonly template: Template };

const FUNCTIONS: Record<string, (call: Call) => Part[]> = {
  'Ref': ({ argument, template }) => refer(String(argument), template),
  'Fn::GetAtt': ({ argument, template }) => {
    const [logicalId, ...attribute] = Array.isArray(argument) ? argument.map(String) : String(argument).split('.');
    return attributeOf(logicalId, attribute.join('.'), template);
  },
  'Fn::Join': ({ argument, template }) => {
    const [delimiter, items] = listOf(argument);
    return Array.isArray(items)
      ? items.flatMap((item: unknown, index) => [
          ...(index > 0 ? [text(String(delimiter))] : []),
          ...partsOf(item, template),
        ])
      : [unknown('Fn::Join', template)];
  },
  'Fn::Sub': ({ argument, template }) => {
    const [format, variables] = Array.isArray(argument) ? argument as unknown[] : [argument, {}];
    return String(format)
      .split(/(\$\{[^}]*\})/)
      .flatMap((piece, index) =>
        index % 2 === 0 ? [text(piece)] : substitute(piece.slice(2, -1), Object(variables) as Properties, template),
      );
  },
  'Fn::Select': ({ argument, template }) => {
    const [index, list] = listOf(argument);
    return select(Number(index), list, template);
  },
  'Fn::ImportValue': ({ argument, template }) => {
    const name = textOf(partsOf(argument, template));
    return follow(
      name === undefined ? undefined : template.app.exported(name, template),
      `import of ${name ?? shown(partsOf(argument, template))}`,
      template,
    );
  },
  'Fn::GetStackOutput': ({ argument, template }) => {
    const { StackName: stackName, OutputName: outputName } = Object(argument) as Properties;
    const [stack, output] = [stackName, outputName].map(name => shown(partsOf(name, template)));
    return follow(template.app.output(stack, output), `output ${output} of ${stack}`, template);
  },
};

type Properties = Record<string, unknown>;

/** A value within JSON that is a text of the template: what it consists of is known already. */
class TextInJson {
  constructor(readonly parts: Part[]) {}

  public toJSON(): string {
    return shown(this.parts);
  }
}

/** Whether a value is a text itself, and not a function or a list of texts. */
export function isText(value: unknown): boolean {
  return typeof value === 'string' || value instanceof TextInJson;
}

/** What a text consists of. Numbers and booleans are texts, as they are to CloudFormation. */
export function partsOf(value: unknown, template: Template): Part[] {
  if (value instanceof TextInJson) {
    return value.parts;
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return [text(String(value))];
  }
  const [[name, argument] = ['nothing', undefined], ...others] = Object.entries(Object(value) as object) as [
    string,
    unknown,
  ][];
  return others.length === 0 && Object.hasOwn(FUNCTIONS, name)
    ? joined(FUNCTIONS[name]({ argument, template }))
    : [unknown(name, template)];
}

/** The items of a list, those of both branches of an `Fn::If` included. A single item is a list, too. */
export function itemsOf(value: unknown): unknown[] {
  const branches = Object(value) as { 'Fn::If'?: unknown[] };
  if (Array.isArray(branches['Fn::If'])) {
    return branches['Fn::If'].slice(1).flatMap(itemsOf);
  }
  return Array.isArray(value) ? value.flatMap(itemsOf) : value === undefined || isNoValue(value) ? [] : [value];
}

/** Whether a property is left out, at least in a branch of an `Fn::If`. */
export function mayBeUnset(value: unknown): boolean {
  const { 'Fn::If': branches } = Object(value) as { 'Fn::If'?: unknown[] };
  return Array.isArray(branches) ? branches.slice(1).some(mayBeUnset) : value === undefined || isNoValue(value);
}

/**
 * The items of a list of texts, those that are one text with commas in a parameter included. What cannot be told apart
 * is one item.
 */
export function textsOf(value: unknown, template: Template): Part[][] {
  return itemsOf(value).flatMap((item) => {
    const [delimiter, source] = listOf((Object(item) as Properties)['Fn::Split']);
    if (source !== undefined) {
      return splitAt(String(delimiter), partsOf(source, template));
    }
    const parts = partsOf(item, template);
    return (Object(item) as Properties).Ref === undefined ? [parts] : splitAt(',', parts);
  });
}

/**
 * What is written in JSON: an object of the template, or a text, in which only the deployment knows some strings.
 * Undefined if it is not JSON, or cannot be told.
 */
export function jsonIn(value: unknown, template: Template): unknown {
  const calls = Object(value) as Properties;
  if (calls['Fn::ToJsonString'] !== undefined) {
    return calls['Fn::ToJsonString'];
  }
  const isOfText = isText(value) || Object.keys(calls).some(name => Object.hasOwn(FUNCTIONS, name));
  if (!isOfText) {
    return value;
  }
  const parts = partsOf(value, template);
  // Marks from a private plane of Unicode stand for what is not text.
  const json = parts.map((part, index) => part.kind === 'text' ? part.text : `\u{f0000}${index}\u{f0001}`).join('');
  const revived = (text: string) =>
    joined(
      text
        .split(/\u{f0000}(\d+)\u{f0001}/u)
        .map((piece, index): Part => (index % 2 === 1 ? parts[Number(piece)] : { kind: 'text', text: piece })),
    );
  try {
    return JSON.parse(json, (_, item: unknown) =>
      typeof item === 'string' && item.includes('\u{f0000}') ? new TextInJson(revived(item)) : item,
    ) as unknown;
  } catch {
    return undefined;
  }
}

/** Splits where a known text has the delimiter. */
export function splitAt(delimiter: string, parts: Part[]): Part[][] {
  const result: Part[][] = [[]];
  for (const part of parts) {
    const [first, ...others] = part.kind === 'text' && delimiter !== '' ? part.text.split(delimiter).map(text) : [part];
    result.at(-1)!.push(first);
    others.forEach(other => result.push([other]));
  }
  return result.map(joined);
}

/** A property with one value. */
export function settingOf(value: unknown, template: Template): Setting {
  if (value === undefined || isNoValue(value)) {
    return { state: 'unset' };
  }
  const parts = partsOf(value, template);
  const known = textOf(parts);
  return known === undefined || known.includes('{{resolve:')
    ? { state: 'unknown', shown: shown(parts) }
    : { state: 'known', value: known };
}

/** The whole text, if all of it is known. */
export function textOf(parts: Part[]): string | undefined {
  return parts.every(part => part.kind === 'text') ? parts.map(part => part.text).join('') : undefined;
}

/** The resource that a value is an attribute of, and nothing else. */
export function attributeIn(parts: Part[]): Attribute | undefined {
  return parts.length === 1 && parts[0].kind === 'attribute' ? parts[0] : undefined;
}

/** Whether the attributes of a resource are whatever its function answers. */
export function isCustom({ type }: Resource): boolean {
  return type.startsWith('Custom::') || type === 'AWS::CloudFormation::CustomResource';
}

/** For people, and for the ids of findings. */
export function shown(parts: Part[]): string {
  return parts.map((part) => {
    switch (part.kind) {
      case 'text': return part.text;
      case 'attribute': return `<${part.resource.logicalId}${part.attribute === 'Ref' ? '' : `.${part.attribute}`}>`;
      case 'environment': return `<${part.name.replace('AWS::', '')}>`;
      case 'unknown': return `<${part.what}>`;
    }
  }).join('');
}

/** The same for the same value, wherever it is referred to from; another one for another value. */
export function keyOf(parts: Part[]): string {
  return JSON.stringify(parts.map((part) => {
    switch (part.kind) {
      case 'attribute': return [part.resource.template.file, part.resource.logicalId, part.attribute];
      case 'unknown': return [part.template?.file, part.what];
      default: return part;
    }
  }));
}

function refer(name: string, template: Template): Part[] {
  if (name.startsWith('AWS::')) {
    return [{ kind: 'environment', name }];
  }
  const resource = template.find(name);
  if (resource) {
    return [{ kind: 'attribute', resource, attribute: 'Ref' }];
  }
  const { embeddedBy } = template;
  const given = (embeddedBy?.properties.Parameters as Properties | undefined)?.[name];
  return follow(
    embeddedBy && given !== undefined ? { value: given, template: embeddedBy.template } : undefined,
    name,
    template,
  );
}

function attributeOf(logicalId: string, attribute: string, template: Template): Part[] {
  const resource = template.find(logicalId);
  if (!resource) {
    return [unknown(`${logicalId}.${attribute}`, template)];
  }
  const nested = template.app.nestedIn(resource);
  const output = nested?.outputs[attribute.replace(/^Outputs\./, '')];
  if (nested && output) {
    return partsOf(output.Value, nested);
  }
  if (resource.type === 'AWS::SSM::Parameter' && attribute === 'Value') {
    return partsOf(resource.properties.Value, template);
  }
  if (ANY_TEXT.test(`${resource.type} ${attribute}`)) {
    return [unknown(`${logicalId}.${attribute}`, template)];
  }
  const written = resource.type === 'Custom::CrossRegionExportReader' ? writtenAs(attribute, template) : undefined;
  return written ? partsOf(written.value, written.template) : [{ kind: 'attribute', resource, attribute }];
}

/** Attributes that are any text: what a template that is not here puts out, and what a host answers. */
const ANY_TEXT = / Outputs\.|^AWS::CloudFormation::WaitCondition Data$/;

/**
 * CDK carries a value to another Region in a parameter of Systems Manager, which one custom resource writes and another
 * one reads.
 */
function writtenAs(parameter: string, { app }: Template): Scoped | undefined {
  const found = app.ofType('Custom::CrossRegionExportWriter').flatMap(({ properties, template }) => {
    const { exports = {} } = Object(properties.WriterProps) as { exports?: Properties };
    return parameter in exports ? [{ value: exports[parameter], template }] : [];
  });
  return found.length === 1 ? found[0] : undefined;
}

function substitute(variable: string, variables: Properties, template: Template): Part[] {
  if (variable.startsWith('!')) {
    return [text(`\${${variable.slice(1)}}`)];
  }
  if (Object.hasOwn(variables, variable)) {
    return partsOf(variables[variable], template);
  }
  const [name, ...attribute] = variable.split('.');
  return attribute.length > 0 ? attributeOf(name, attribute.join('.'), template) : refer(name, template);
}

function select(index: number, list: unknown, template: Template): Part[] {
  const [delimiter, source] = listOf((Object(list) as Properties)['Fn::Split']);
  if (source === undefined) {
    return Array.isArray(list) && index in list ? partsOf(list[index], template) : [unknown('Fn::Select', template)];
  }
  const parts = partsOf(source, template);
  const attribute = attributeIn(parts);
  if (attribute && delimiter === ':') {
    return [{ ...attribute, attribute: `${attribute.attribute}[${index}]` }];
  }
  const item = textOf(parts)?.split(String(delimiter))[index];
  return [item === undefined ? unknown('Fn::Select', template) : text(item)];
}

function follow(scoped: Scoped | undefined, what: string, template: Template): Part[] {
  return scoped ? partsOf(scoped.value, scoped.template) : [unknown(what, template)];
}

function joined(parts: Part[]): Part[] {
  return parts.reduce<Part[]>((result, part) => {
    const last = result.at(-1);
    return part.kind === 'text' && last?.kind === 'text'
      ? [...result.slice(0, -1), text(last.text + part.text)]
      : [...result, part];
  }, []).filter(part => part.kind !== 'text' || part.text !== '');
}

function isNoValue(value: unknown): boolean {
  return (Object(value) as Properties).Ref === 'AWS::NoValue';
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(content: string): Part {
  return { kind: 'text', text: content };
}

function unknown(what: string, template: Template): Part {
  return { kind: 'unknown', what, template };
}
