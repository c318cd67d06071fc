import { CfnElement, type CfnResource, type IResolveContext, Lazy, type Stack } from 'aws-cdk-lib';
import { lanesIn, namesIn, TemplateGraph, type TemplateResource } from './template-graph';

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
  private lanes?: ReadonlyMap<string, string>;

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
    return this.lanes.get(this.stack.resolve(resource.logicalId) as string);
  }

  private read(stackGraph: StackGraph): Map<string, string> {
    stackGraph.graph ??= graphIn(this.stack, stackGraph) ?? null;
    // One that is there under a condition cannot be waited for where it is not.
    const always = this.resources.filter(({ cfnOptions: { condition } }) => condition === undefined);
    const ids = always.map(({ logicalId }) => this.stack.resolve(logicalId) as string);
    return stackGraph.graph ? lanesIn(stackGraph.graph, ids, this.width) : new Map<string, string>();
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

/** What is in lanes, and all that it waits for, without lanes. Nothing else in the template matters, and to render takes time. */
function graphIn(stack: Stack, reading: StackGraph): TemplateGraph | undefined {
  reading.isReading = true;
  try {
    const elements = new Map(stack.node.findAll()
      .filter(child => CfnElement.isCfnElement(child) && child.stack === stack)
      .map(element => [idOf(stack, element as CfnElement), element as unknown as Rendering]));
    const resources: { [logicalId: string]: TemplateResource } = {};
    const parameters = new Set<string>();
    const open = new Set(reading.inLanes.map(resource => idOf(stack, resource)));
    for (const id of open) {
      const { Resources = {}, Parameters = {} } = stack.resolve(elements.get(id)?._toCloudFormation() ?? {}) as Template;
      Object.assign(resources, Resources);
      Object.keys(Parameters).forEach(name => parameters.add(name));
      Object.values(Resources).flatMap(resource => namesIn(resource) ?? []).forEach(name => open.add(name));
    }
    return TemplateGraph.of(resources, parameters);
  } finally {
    reading.isReading = false;
  }
}

interface Rendering {
  _toCloudFormation(): object;
}

function idOf(stack: Stack, { logicalId }: CfnElement): string {
  return stack.resolve(logicalId) as string;
}
