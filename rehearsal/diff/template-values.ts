import { argumentsOf, templateIn, TemplateStack, withNested } from './template-stack';
import { AssemblyStack } from '../cloudformation/cloud-assembly';
import { ResourceDefinition } from '../cloudformation/template';
import { fullResourceName } from '../plan/resource-name';
import { onlySymbol, replaceSymbols, Symbol, symbolText, tokensIn } from './symbols';

export interface TemplateResource {
  readonly stack: TemplateStack;
  readonly logicalId: string;
  readonly definition: ResourceDefinition;
}

/** Why a resource may not be there: the value of a parameter may be another one at the deployment. */
export function conditionOf({ stack, definition: { Condition: condition } }: TemplateResource): string | undefined {
  return condition === undefined ? undefined : `only under condition ${condition} of stack ${stack.definition.id}`;
}

const NO_VALUE = symbolText(['name', 'AWS::NoValue']);

/**
 * The values of an app's templates as texts, across stacks, stages and nested stacks. What only the deployment knows is
 * a symbol, which is the same wherever the value comes from. A parameter is a symbol even if it has a default, because
 * a deployment may give another value.
 */
export class TemplateValues {
  readonly stacks: TemplateStack[];
  readonly resources: TemplateResource[];
  private byId: ReadonlyMap<string, TemplateStack>;

  constructor(stacks: readonly AssemblyStack[]) {
    const deployed = stacks.flatMap(stack => withNested(stack));
    this.byId = new Map(deployed.map(stack => [stack.definition.id, stack]));
    this.stacks = [...deployed, ...deployed.flatMap(stack => this.stackSetsIn(stack))];
    this.byId = new Map(this.stacks.map(stack => [stack.definition.id, stack]));
    this.resources = this.stacks.flatMap(stack =>
      Object.entries(stack.definition.template.Resources).map(([logicalId, definition]) => ({
        stack,
        logicalId,
        definition,
      })),
    );
  }

  ofType(pattern: RegExp): TemplateResource[] {
    return this.resources.filter(({ definition }) => pattern.test(definition.Type));
  }

  text(stack: TemplateStack, value: unknown): string {
    if (typeof value !== 'object' || value === null) {
      return stack.isRead ? String(value) : literal(String(value));
    }
    const entries = Object.entries(value);
    const [name, argument] = (entries.length === 1 ? entries[0] : []) as [string?, unknown?];
    const unknown = () => symbolText(['function', stack.definition.id, JSON.stringify(value)]);
    switch (name) {
      case 'Ref':
        return this.reference(stack, String(argument));
      case 'Fn::GetAtt': {
        const [logicalId, ...rest] = (Array.isArray(argument) ? argument : String(argument).split('.')) as unknown[];
        return this.attribute(stack, String(logicalId), rest.map(part => this.text(stack, part)).join('.'));
      }
      case 'Fn::Join': {
        const [delimiter, items] = argument as [string, unknown];
        return Array.isArray(items) ? items.map(item => this.text(stack, item)).join(delimiter) : unknown();
      }
      case 'Fn::Sub':
        return this.substituted(stack, argument);
      case 'Fn::Select':
        return this.selected(stack, argument) ?? unknown();
      case 'Fn::ImportValue': {
        const exported = this.text(stack, argument);
        const output = this.exporterOf(stack, exported);
        return output ? this.text(output.stack, output.value) : symbolText(['name', this.readable(exported)]);
      }
      case 'Fn::GetStackOutput': {
        const { StackName, OutputName } = argument as { StackName?: string; OutputName?: string };
        const of = nearestTo(stack, this.stacks).find(
          ({ parent, definition }) => !parent && definition.name === StackName,
        );
        const output = of?.definition.template.Outputs?.[OutputName ?? ''];
        return of && output ? this.text(of, output.Value) : symbolText(['name', `${StackName}.${OutputName}`]);
      }
      default:
        return unknown();
    }
  }

  /** Of a value that is a list; a list that only the deployment knows is one item. */
  list(stack: TemplateStack, value: unknown): string[] {
    return (Array.isArray(value) ? value : value === undefined ? [] : [value])
      .map(item => this.text(stack, item))
      .filter(text => text !== NO_VALUE);
  }

  /** For people: what only the deployment knows is in `${...}`. */
  readable(text: string): string {
    return replaceSymbols(text, symbol => symbol[0] === 'character' ? symbol[1] : `\${${this.nameOf(symbol)}}`);
  }

  /** The construct's path, if the text is a resource and nothing else. */
  named(text: string): string {
    const symbol = onlySymbol(text);
    return symbol?.[0] === 'resource' ? this.pathOf(symbol[1], symbol[2]) : this.readable(text);
  }

  pathOf(stackId: string, logicalId: string): string {
    return fullResourceName(stackId, logicalId, this.definitionOf(stackId, logicalId));
  }

  definitionOf(stackId: string, logicalId: string): ResourceDefinition | undefined {
    return this.byId.get(stackId)?.definition.template.Resources[logicalId];
  }

  stackOf(stackId: string): TemplateStack | undefined {
    return this.byId.get(stackId);
  }

  /** Stacks and stack sets whose templates cannot be read: files that are not in the cloud assembly, or are no JSON. */
  get unread(): TemplateResource[] {
    const known = new Set(
      this.stacks.flatMap(({ parent }) =>
        parent ? [JSON.stringify([parent.stack.definition.id, parent.logicalId])] : [],
      ),
    );
    return this.ofType(/^AWS::CloudFormation::Stack(Set)?$/).filter(
      ({ stack, logicalId }) => !known.has(JSON.stringify([stack.definition.id, logicalId])),
    );
  }

  /**
   * What is deployed by a stack set, in whichever accounts and Regions; its template is a file, or a text in the
   * property.
   */
  private stackSetsIn(stack: TemplateStack): TemplateStack[] {
    const { id, template, stackSets = {} } = stack.definition;
    return Object.entries(template.Resources)
      .filter(([, { Type: type }]) => type === 'AWS::CloudFormation::StackSet')
      .flatMap(([logicalId, { Properties = {} }]) => {
        const file = Object.hasOwn(stackSets, logicalId) ? stackSets[logicalId] : undefined;
        const body
          = file === undefined && Properties.TemplateBody !== undefined
            ? templateIn(this.text(stack, Properties.TemplateBody))
            : undefined;
        const name = `${id}/${logicalId}`;
        const definition
          = file
            ?? (body && {
              id: name,
              name,
              template: body,
              templateBytes: 0,
              dependencies: [],
              parameters: {},
              nested: {},
            });
        return definition === undefined
          ? []
          : withNested(definition, { stack, logicalId }, true).map(each => ({
              ...each,
              ...(file === undefined ? { isRead: true } : {}),
            }));
      });
  }

  private nameOf(symbol: Symbol): string {
    switch (symbol[0]) {
      case 'resource':
        return [this.pathOf(symbol[1], symbol[2]), ...(symbol[3] === '' ? [] : [symbol[3]])].join('.');
      case 'name':
        return symbol[1];
      case 'function':
        return symbol[2];
      case 'character':
        return symbol[1];
    }
  }

  private reference(stack: TemplateStack, name: string): string {
    const { id, template, name: stackName } = stack.definition;
    if (Object.hasOwn(template.Resources, name)) {
      return symbolText(['resource', id, name, '']);
    }
    const given = stack.parent && argumentsOf(stack.parent)[name];
    if (stack.parent && given !== undefined) {
      return this.text(stack.parent.stack, given);
    }
    const known: Record<string, string | undefined> = {
      'AWS::AccountId': stack.account,
      'AWS::Region': stack.region,
      'AWS::StackName': stackName,
    };
    const value = known[name];
    return value === undefined
      ? symbolText(['name', name.startsWith('AWS::') && name !== 'AWS::StackId' ? name : `${id}.${name}`])
      : literal(value);
  }

  private attribute(stack: TemplateStack, logicalId: string, attribute: string): string {
    const { id, template, nested } = stack.definition;
    const [, output] = /^Outputs\.(.+)$/.exec(attribute) ?? [];
    if (Object.hasOwn(nested, logicalId) && output !== undefined) {
      const child = this.byId.get(nested[logicalId].id);
      const { Value: value } = child?.definition.template.Outputs?.[output] ?? {};
      return child && value !== undefined
        ? this.text(child, value)
        : symbolText(['resource', id, logicalId, attribute]);
    }
    // How CDK hands a value to a stack of another Region.
    const exported
      = template.Resources[logicalId]?.Type === 'Custom::CrossRegionExportReader'
        ? this.crossRegion(attribute)
        : undefined;
    return exported ?? symbolText(['resource', id, logicalId, attribute]);
  }

  private crossRegion(name: string): string | undefined {
    for (const { stack, definition } of this.ofType(/^Custom::CrossRegionExportWriter$/)) {
      const { WriterProps } = (definition.Properties ?? {}) as { WriterProps?: { exports?: Record<string, unknown> } };
      if (WriterProps?.exports && Object.hasOwn(WriterProps.exports, name)) {
        return this.text(stack, WriterProps.exports[name]);
      }
    }
    return undefined;
  }

  private substituted(stack: TemplateStack, argument: unknown): string {
    const [template, variables] = (Array.isArray(argument) ? argument : [argument, {}]) as [
      string,
      Record<string, unknown>,
    ];
    return template
      .split(/(\$\{[^}]*\})/)
      .map((part, index) => {
        const name = part.slice(2, -1);
        return index % 2 === 0
          ? this.text(stack, part)
          : name.startsWith('!')
            ? literal(`\${${name.slice(1)}}`)
            : this.text(
                stack,
                Object.hasOwn(variables, name)
                  ? variables[name]
                  : name.includes('.')
                    ? { 'Fn::GetAtt': name }
                    : { Ref: name },
              );
      })
      .join('');
  }

  private selected(stack: TemplateStack, argument: unknown): string | undefined {
    const [index, from] = argument as [string | number, unknown];
    if (Array.isArray(from)) {
      return this.text(stack, from[Number(index)]);
    }
    const split = (from as { 'Fn::Split'?: [string, unknown] } | null)?.['Fn::Split'];
    if (split === undefined || split[0] === '') {
      return undefined;
    }
    const source = this.text(stack, split[1]);
    const symbol = onlySymbol(source);
    if (symbol?.[0] === 'resource' && symbol[3] === 'DBProxyArn' && split[0] === ':' && Number(index) === 6) {
      return symbolText(['resource', symbol[1], symbol[2], PROXY_ID]);
    }
    return symbol === undefined ? splitAt(split[0], source)[Number(index)] : undefined;
  }

  private exporterOf(
    importer: TemplateStack,
    name: string,
  ): { stack: TemplateStack; value: unknown } | undefined {
    for (const stack of nearestTo(importer, this.stacks)) {
      for (const { Export, Value: value } of Object.values(stack.definition.template.Outputs ?? {})) {
        if (Export !== undefined && this.text(stack, Export.Name) === name) {
          return { stack, value };
        }
      }
    }
    return undefined;
  }
}

/** Stages may have stacks and exports of the same names. */
function nearestTo({ account, region, stage }: TemplateStack, stacks: readonly TemplateStack[]): TemplateStack[] {
  const distance = (stack: TemplateStack) =>
    Number(stack.account !== account) + Number(stack.region !== region) + Number(stack.stage !== stage) / 2;
  return [...stacks].sort((a, b) => distance(a) - distance(b));
}

/** Where the delimiter is text, and not where it is within a symbol. */
function splitAt(delimiter: string, text: string): string[] {
  const [tokens, { length }] = [tokensIn(text), tokensIn(delimiter)];
  const parts = [''];
  for (let at = 0; at < tokens.length;) {
    if (tokens.slice(at, at + length).join('') === delimiter) {
      parts.push('');
      at += length;
    } else {
      parts.push(`${parts.pop()}${tokens[at++]}`);
    }
  }
  return parts;
}

/** What a policy calls a proxy; it is in the proxy's ARN, and no attribute. */
export const PROXY_ID = 'ProxyId';

function literal(text: string): string {
  return text.replace(/[\ue000\ue001]/g, character => symbolText(['character', character]));
}
