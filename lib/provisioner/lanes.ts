import { CfnElement, type CfnResource, type IResolveContext, Lazy, type Stack, Token, Tokenization } from 'aws-cdk-lib';
import { isPseudoParameter, lanesIn, namesIn, TemplateGraph, type TemplateResource } from './template-graph';

/** On a stack, the same in each copy of the library. */
const GRAPH = Symbol.for('cdk-aurora-iam-auth.template-graph');

/** What is read from the template of a stack, as it is without lanes. */
interface StackGraph {
  /** In lanes of any provisioner, and of any copy of the library: one order for all of them. */
  readonly inLanes: CfnResource[];
  /** Undefined until the template is rendered; null where the template does not tell what its resources wait for. */
  graph?: TemplateGraph | null;
  isReading: boolean;
}

/**
 * Lets CloudFormation work on a few of a provisioner's resources at the same time, by dependencies between them.
 *
 * They take turns in the database anyway. Without lanes each of them holds two executions of Lambda while it waits for
 * its turn, and a new account has 10 in all.
 */
export class Lanes {
  private readonly resources: CfnResource[] = [];
  private lanes?: ReadonlyMap<CfnResource, string | undefined>;

  /** @param width how many resources there are at the same time */
  constructor(private readonly stack: Stack, private readonly width: number) {}

  public add(resource: CfnResource): void {
    this.resources.push(resource);
    stackGraphOf(this.stack).inLanes.push(resource);
    // Late: the app may make resources wait for each other until the template is rendered.
    resource.addOverride('DependsOn', Lazy.uncachedAny({ produce: context => this.dependsOn(resource, context) }));
  }

  private dependsOn(resource: CfnResource, { preparing }: IResolveContext): string[] | undefined {
    // Those on another stack are no dependencies in the template.
    const own = resource.obtainDependencies().filter(other => CfnElement.isCfnElement(other))
      .filter(({ stack }) => stack === this.stack)
      .sort((a, b) => a.node.path.localeCompare(b.node.path))
      .map(({ logicalId }) => this.stack.resolve(logicalId) as string);
    const lane = this.laneOf(resource, preparing);
    const all = [...own, ...lane === undefined ? [] : [lane]];
    return all.length > 0 ? all : undefined;
  }

  private laneOf(resource: CfnResource, preparing: boolean): string | undefined {
    const stackGraph = stackGraphOf(this.stack);
    if (preparing || stackGraph.isReading || this.resources.length <= this.width) {
      // The template may be another one than at the last synthesis.
      stackGraph.graph = preparing ? undefined : stackGraph.graph;
      this.lanes = preparing ? undefined : this.lanes;
      return undefined;
    }
    this.lanes ??= this.read(stackGraph);
    return this.lanes.get(resource);
  }

  private read(stackGraph: StackGraph): Map<CfnResource, string | undefined> {
    stackGraph.graph ??= graphIn(this.stack, stackGraph) ?? null;
    // One that is there under a condition cannot be waited for where it is not.
    const always = this.resources.filter(({ cfnOptions: { condition } }) => condition === undefined);
    const ids = always.map(resource => idOf(this.stack, resource));
    const lanes = stackGraph.graph ? lanesIn(stackGraph.graph, ids, this.width) : new Map<string, string>();
    return new Map(always.map((resource, n) => [resource, lanes.get(ids[n])]));
  }
}

function stackGraphOf(stack: Stack): StackGraph {
  const owner = stack as { [GRAPH]?: StackGraph };
  if (!owner[GRAPH]) {
    Object.defineProperty(stack, GRAPH, { value: { inLanes: [], isReading: false } });
  }
  return owner[GRAPH]!;
}

interface Template {
  readonly Resources?: { readonly [logicalId: string]: TemplateResource };
  readonly Parameters?: object;
}

/**
 * What is in lanes, and all that it waits for, without lanes. Nothing else in the template matters, and to render takes
 * time.
 */
function graphIn(stack: Stack, reading: StackGraph): TemplateGraph | undefined {
  reading.isReading = true;
  try {
    const elements = new Elements(stack);
    const resolved = resolverOf(stack);
    const namesOf = new Map<string, string[] | undefined>();
    const parameters = new Set<string>();
    const inLanes = new Map(reading.inLanes.map(resource => [elements.add(resource), resource]));
    const open = new Set(inLanes.keys());
    for (const id of open) {
      const { Resources = {}, Parameters = {} } = inLanes.has(id)
        ? { Resources: { [id]: unrendered(inLanes.get(id)!) } }
        : stack.resolve((elements.find(id) as unknown as Rendering | undefined)?._toCloudFormation() ?? {}) as Template;
      Object.keys(Parameters).forEach(name => parameters.add(name));
      for (const [name, resource] of Object.entries(Resources)) {
        namesOf.set(name, namesIn(resource, resolved));
        namesOf.get(name)?.forEach(other => open.add(other));
      }
    }
    return TemplateGraph.ofNames(namesOf, parameters);
  } finally {
    reading.isReading = false;
  }
}

interface Rendering {
  _toCloudFormation(): object;
}

/** Elements of a stack by logical id. An id takes time, so that no more are asked for than it takes to find one. */
class Elements {
  private readonly byId = new Map<string, CfnElement>();
  private readonly others: CfnElement[];

  constructor(private readonly stack: Stack) {
    this.others = stack.node
      .findAll()
      .filter(child => CfnElement.isCfnElement(child) && child.stack === stack)
      .reverse() as CfnElement[];
  }

  /** @returns the logical id */
  add(element: CfnElement): string {
    const id = idOf(this.stack, element);
    this.byId.set(id, element);
    return id;
  }

  find(id: string): CfnElement | undefined {
    while (!this.byId.has(id) && !isPseudoParameter(id) && this.others.length > 0) {
      this.add(this.others.pop()!);
    }
    return this.byId.get(id);
  }
}

/**
 * Everything in a resource that may refer to others. Hundreds of users are much the same, so that they are not rendered
 * for it.
 */
function unrendered(resource: CfnResource): TemplateResource {
  const { metadata } = resource.cfnOptions;
  return { ...resource['rawOverrides'] as object, given: [resource['cfnProperties'], metadata] };
}

/**
 * Resolves tokens and intrinsic functions, the same one once, because many resources have it. Of a list or map that is
 * made late, what is in it is left to the caller.
 */
function resolverOf(stack: Stack): (value: unknown) => unknown {
  const known = new Map<unknown, unknown>();
  const context: IResolveContext = {
    scope: stack,
    preparing: false,
    documentPath: [],
    registerPostProcessor: () => undefined,
    resolve: value => stack.resolve(value) as unknown,
  };
  const resolved = (value: unknown): unknown => {
    if (Tokenization.isResolvable(value)) {
      return resolved(value.resolve(context));
    }
    if (!Token.isUnresolved(value) && !isIntrinsic(value)) {
      return value;
    }
    known.set(value, known.has(value) ? known.get(value) : stack.resolve(value));
    return known.get(value);
  };
  return resolved;
}

function isIntrinsic(value: unknown): boolean {
  return (
    typeof value === 'object'
    && value !== null
    && Object.keys(value).some(key => key === 'Ref' || key.startsWith('Fn::'))
  );
}

function idOf(stack: Stack, { logicalId }: CfnElement): string {
  return stack.resolve(logicalId) as string;
}
