import { AssemblyStack } from '../cloudformation/cloud-assembly';
import { holds, referencesIn, resolve } from '../cloudformation/intrinsics';
import { KnownValues, parameterValues, withParameterValues } from '../cloudformation/parameters';
import { templateScope } from '../cloudformation/scope';
import { Properties, ResourceDefinition, StackIdentity, Template } from '../cloudformation/template';

/** A resource of the app. */
export interface Node {
  readonly stack: GraphStack;
  readonly logicalId: string;
  readonly definition: ResourceDefinition;
}

/** A stack, or a nested one. */
export interface GraphStack {
  readonly definition: AssemblyStack;
  /** With values in place of its parameters. */
  readonly template: Template;
  readonly identity: StackIdentity;
  readonly parent?: { readonly stack: GraphStack; readonly logicalId: string };
}

/**
 * Where a value comes from, through parameters, exports and outputs of the app.
 *
 * - `resource`: of the app
 * - `text`: it is known
 * - `foreign`: of another app, and not known; with what names it there
 * - `other`: it is made of several values
 */
export type Origin
  = | { readonly kind: 'resource'; readonly node: Node; readonly attribute?: string }
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'foreign'; readonly name: string }
    | { readonly kind: 'other' };

export interface GraphOptions {
  /** Of the stack that is asked for, without those of the CDK CLI. */
  readonly parametersOf: (stack: AssemblyStack) => Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string>>;
  readonly ssm: (name: string) => string | undefined;
}

/** What the resources of an app refer to, across its stacks. */
export class AppGraph {
  readonly stacks: GraphStack[];
  readonly nodes: Node[];
  /** Conditions that cannot be decided. */
  readonly problems: string[] = [];
  private readonly byKey: ReadonlyMap<string, Node>;

  constructor(stacks: AssemblyStack[], private readonly options: GraphOptions) {
    this.stacks = stacks.flatMap(stack => this.withNested(stack));
    this.nodes = this.stacks.flatMap(stack => Object.entries(stack.template.Resources)
      .filter(([logicalId, { Condition }]) => this.isWanted(stack, logicalId, Condition))
      .map(([logicalId, definition]) => ({ stack, logicalId, definition })));
    this.byKey = new Map(this.nodes.map(node => [keyOf(node), node]));
  }

  node(stackId: string, logicalId: string): Node | undefined {
    return this.byKey.get(`${stackId} ${logicalId}`);
  }

  ofType(...types: string[]): Node[] {
    return this.nodes.filter(({ definition }) => types.includes(definition.Type));
  }

  /** All that some resources refer to or wait for, themselves included. */
  closure(seeds: Iterable<Node>): Set<Node> {
    const reached = new Set<Node>();
    const waiting = [...seeds];
    for (let node = waiting.pop(); node; node = waiting.pop()) {
      if (!reached.has(node)) {
        reached.add(node);
        const { Properties: properties, DependsOn: dependsOn = [] } = node.definition;
        waiting.push(
          ...this.references(node.stack, properties),
          ...[dependsOn].flat().flatMap(name => this.node(node.stack.definition.id, name) ?? []),
        );
        const { parent } = node.stack;
        waiting.push(
          ...[parent && this.node(parent.stack.definition.id, parent.logicalId)].filter(each => each !== undefined),
        );
      }
    }
    return reached;
  }

  /** Where a value comes from. */
  origin(stack: GraphStack, value: unknown): Origin {
    if (typeof value !== 'object' || value === null) {
      return { kind: 'text', text: String(value) };
    }
    const [name, argument] = (Object.entries(value)[0] ?? []) as [string?, unknown?];
    switch (name) {
      case 'Ref': return this.ofRef(stack, String(argument));
      case 'Fn::GetAtt': {
        const [logicalId, ...attribute] = (
          Array.isArray(argument) ? argument : String(argument).split('.')
        ) as unknown[];
        return this.ofAttribute(stack, String(logicalId), attribute.join('.'));
      }
      case 'Fn::ImportValue': {
        const exported = typeof argument === 'string' ? argument : undefined;
        return this.ofOutput(
          exported === undefined ? undefined : this.exporter(stack, exported),
          `export ${exported ?? JSON.stringify(argument)}`,
          exported,
        );
      }
      case 'Fn::GetStackOutput': {
        const { StackName, OutputName } = Object(argument) as Record<string, unknown>;
        return this.ofOutput(
          this.output(stack, StackName, OutputName),
          `output ${String(StackName)}.${String(OutputName)}`,
          `${String(StackName)}.${String(OutputName)}`,
        );
      }
      default: return { kind: 'other' };
    }
  }

  /** A value that can be known before anything is deployed, as it is then. */
  known(stack: GraphStack, value: unknown): unknown {
    try {
      const refuse = () => {
        throw new Error('not known');
      };
      return resolve(value, templateScope(stack.template, stack.identity, new Map(), { importValue: refuse }), '');
    } catch {
      return undefined;
    }
  }

  /** Exports and outputs of other apps that a stack needs and were not given. */
  foreignNames(stack: GraphStack): string[] {
    return valuesOf(stack.template.Resources, 'Fn::ImportValue')
      .concat(valuesOf(stack.template.Resources, 'Fn::GetStackOutput'))
      .flatMap(({ name, argument }) => {
        const origin = this.origin(stack, { [name]: argument });
        return origin.kind === 'foreign' ? [origin.name] : [];
      });
  }

  private withNested(
    definition: AssemblyStack,
    parent?: GraphStack['parent'],
    given?: Readonly<Record<string, unknown>>,
  ): GraphStack[] {
    const { account = '111122223333', region = 'eu-central-1' } = parent?.stack.identity ?? definition;
    const known: KnownValues = {
      parameters: { ...this.options.parametersOf(definition), ...definition.parameters, ...given },
      ssm: this.options.ssm,
    };
    const stack: GraphStack = {
      definition,
      template: withParameterValues(definition.template, parameterValues(definition.template, known)),
      identity: { name: definition.name, id: definition.id, partition: 'aws', account, region },
      parent,
    };
    const nested = Object.entries(definition.nested).flatMap(([logicalId, child]) => {
      const { Parameters = {} } = (definition.template.Resources[logicalId].Properties ?? {}) as {
        Parameters?: Record<string, unknown>;
      };
      const texts = Object.entries(Parameters).filter(([, value]) => typeof value === 'string');
      return this.withNested(child, { stack, logicalId }, Object.fromEntries(texts));
    });
    return [stack, ...nested];
  }

  private isWanted({ definition, template, identity }: GraphStack, logicalId: string, condition?: string): boolean {
    try {
      const nothing = { importValue: () => 'imported' };
      return (
        condition === undefined
        || holds(
          { Condition: condition },
          templateScope(template, identity, new Map(), nothing),
          `Conditions.${condition}`,
        )
      );
    } catch (error) {
      this.problems.push(`stack ${definition.id}: Resources.${logicalId}: ${(error as Error).message}`);
      return true;
    }
  }

  /** Resources of the app that a value refers to. */
  references(stack: GraphStack, value: unknown): Node[] {
    const { id } = stack.definition;
    const local = referencesIn(value).flatMap((name) => {
      const node = this.node(id, name);
      // The parameter of a nested stack is what its parent says.
      const given = node || !stack.parent ? undefined : this.argument(stack, name);
      return node ?? (given === undefined ? [] : this.references(stack.parent!.stack, given));
    });
    const attributes = valuesOf(value, 'Fn::GetAtt').flatMap(({ name, argument }) =>
      this.nodesOf(this.origin(stack, { [name]: argument })),
    );
    const imports = ['Fn::ImportValue', 'Fn::GetStackOutput']
      .flatMap(name => valuesOf(value, name))
      .flatMap(({ name, argument }) => {
        const output
          = name === 'Fn::ImportValue'
            ? this.exporter(stack, String(argument))
            : this.output(
                stack,
                (argument as Record<string, unknown>).StackName,
                (argument as Record<string, unknown>).OutputName,
              );
        return output ? this.references(output.stack, output.value) : [];
      });
    return [...local, ...attributes, ...imports];
  }

  private nodesOf(origin: Origin): Node[] {
    return origin.kind === 'resource' ? [origin.node] : [];
  }

  private ofRef(stack: GraphStack, name: string): Origin {
    const node = this.node(stack.definition.id, name);
    if (node) {
      return { kind: 'resource', node };
    }
    const given = stack.parent && this.argument(stack, name);
    if (given !== undefined) {
      return this.origin(stack.parent!.stack, given);
    }
    const parameter = parameterValues(stack.definition.template, {
      parameters: this.options.parametersOf(stack.definition),
      ssm: this.options.ssm,
    }).find(each => each.name === name);
    return !parameter || parameter.from !== 'invented'
      ? { kind: 'text', text: parameter?.value ?? name }
      : { kind: 'foreign', name: `parameter ${parameter.ssmName ?? name}` };
  }

  private ofAttribute(stack: GraphStack, logicalId: string, attribute: string): Origin {
    const child = this.child(stack, logicalId);
    const output = child && /^Outputs\.(.+)$/.exec(attribute)?.[1];
    if (child && output !== undefined) {
      const { Value: value } = child.template.Outputs?.[output] ?? {};
      return value === undefined ? { kind: 'other' } : this.origin(child, value);
    }
    const node = this.node(stack.definition.id, logicalId);
    return node ? { kind: 'resource', node, attribute } : { kind: 'other' };
  }

  private ofOutput(output: { stack: GraphStack; value: unknown } | undefined, name: string, key?: string): Origin {
    if (output) {
      return this.origin(output.stack, output.value);
    }
    return key !== undefined && Object.hasOwn(this.options.exports, key)
      ? { kind: 'text', text: this.options.exports[key] }
      : { kind: 'foreign', name };
  }

  private argument(stack: GraphStack, parameter: string): unknown {
    const { stack: parent, logicalId } = stack.parent!;
    const { Parameters = {} } = (parent.definition.template.Resources[logicalId].Properties ?? {}) as {
      Parameters?: Record<string, unknown>;
    };
    return Object.hasOwn(Parameters, parameter) ? Parameters[parameter] : undefined;
  }

  private child(stack: GraphStack, logicalId: string): GraphStack | undefined {
    return this.stacks.find(({ parent }) => parent?.stack === stack && parent.logicalId === logicalId);
  }

  /** All stacks, those of the same account and Region first. */
  private nearest({ identity }: GraphStack): GraphStack[] {
    const distance = (stack: GraphStack) =>
      Number(stack.identity.account !== identity.account) + Number(stack.identity.region !== identity.region);
    return [...this.stacks].sort((a, b) => distance(a) - distance(b));
  }

  private exporter(asking: GraphStack, name: string): { stack: GraphStack; value: unknown } | undefined {
    for (const stack of this.nearest(asking)) {
      for (const { Export, Value: value } of Object.values(stack.template.Outputs ?? {})) {
        if (Export?.Name === name) {
          return { stack, value };
        }
      }
    }
    return undefined;
  }

  private output(
    asking: GraphStack,
    stackName: unknown,
    outputName: unknown,
  ): { stack: GraphStack; value: unknown } | undefined {
    const stack = this.nearest(asking).find(({ definition, parent }) => !parent && definition.name === stackName);
    const { Value: value } = stack?.template.Outputs?.[String(outputName)] ?? {};
    return stack && value !== undefined ? { stack, value } : undefined;
  }
}

export function keyOf({ stack, logicalId }: Node): string {
  return `${stack.definition.id} ${logicalId}`;
}

export function propertiesOf({ definition }: Node): Properties {
  return definition.Properties ?? {};
}

export function isDatabaseType({ definition: { Type: type } }: Node): boolean {
  return type === 'AWS::RDS::DBCluster' || type === 'AWS::RDS::DBInstance';
}

/** Arguments of all calls of a function in a value. */
export function valuesOf(value: unknown, name: string): { name: string; argument: unknown }[] {
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  return Object.entries(value).flatMap(([key, argument]) => [
    ...(key === name ? [{ name, argument: argument as unknown }] : []),
    ...valuesOf(argument, name),
  ]);
}
