import { createHash, randomUUID } from 'node:crypto';
import { AssemblyStack } from './cloud-assembly';
import { ExistingResources } from './existing-resources';
import { generatedName, inventedAttribute, isCustom } from './native-resource';
import { nestedStack } from './nested-stack';
import { parameterValues, withParameterValues } from './parameters';
import { SharedValues } from './shared-values';
import { Stack, StackEvent, StackResult } from './stack';
import { Properties, ResourceProvider, ResourceRequest, ResourceState, StackIdentity, Template } from './template';
import { DeploymentPlan } from '../plan/deployment-plan';

export interface StacksOptions {
  readonly account?: string;
  readonly region?: string;
  readonly onEvent?: (event: StackEvent) => void | Promise<void>;
  readonly plan?: DeploymentPlan;
  readonly resources: ExistingResources;
  readonly providerFor: (stackId: string, type: string, logicalId: string) => ResourceProvider;
}

/** The stacks of an account, nested ones included, by their ids in the cloud assembly. */
export class Stacks {
  private readonly stacks = new Map<string, Stack>();
  private readonly values: SharedValues;
  /** What was uploaded, by what is carried out. */
  private readonly originals = new WeakMap<Template, Template>();
  /** Templates of nested stacks by what stands for the URL of each. */
  private readonly nestedTemplates = new Map<string, AssemblyStack>();

  constructor(private readonly options: StacksOptions) {
    this.values = new SharedValues(() => this.all, options.resources, options.plan);
  }

  get all(): Stack[] {
    return [...this.stacks.values()];
  }

  /** The resources of all stacks, and those that stacks have left behind. */
  get resources(): ResourceState[] {
    return [
      ...this.all.flatMap(({ resources }) => [...resources.values()]),
      ...this.all.flatMap(({ retained }) => retained),
    ];
  }

  get ids(): string[] {
    return [...this.stacks.keys()];
  }

  get entries(): [id: string, stack: Stack][] {
    return [...this.stacks];
  }

  named(name: string): Stack {
    const stack = this.stacks.get(name);
    if (!stack) {
      throw new Error(`stack ${name} was not deployed`);
    }
    return stack;
  }

  /** Creates or updates a stack. */
  async deploy(definition: AssemblyStack): Promise<StackResult> {
    const stack = this.stacks.get(definition.id) ?? this.newStack(definition);
    this.stacks.set(definition.id, stack);
    return stack.deploy(this.prepared(definition, {}));
  }

  /** The template as it was uploaded, of the last deployment that went well. */
  originalTemplate({ deployed }: Stack): Template | undefined {
    return deployed && this.originals.get(deployed);
  }

  idOf(stack: StackIdentity): string {
    return this.entries.find(([, { identity }]) => identity.id === stack.id)?.[0] ?? stack.name;
  }

  /** What makes the nested stack of a resource. */
  nestedStack(logicalId: string): ResourceProvider {
    return nestedStack({
      create: request => this.newNestedStack(request),
      find: id => this.all.find(({ identity }) => identity.id === id)!,
      deploy: (stack, properties) => {
        const template = this.nestedTemplate(properties, logicalId);
        return stack.deploy(this.prepared(template, (properties.Parameters ?? {}) as Properties));
      },
      forget: id =>
        this.entries.filter(([, { identity }]) => identity.id === id).forEach(([label]) => this.stacks.delete(label)),
    });
  }

  private newStack(definition: Pick<AssemblyStack, 'id' | 'name' | 'account' | 'region'>): Stack {
    const { plan, account: defaultAccount = '111122223333', region: defaultRegion = 'eu-central-1' } = this.options;
    const { id: label, name, account = defaultAccount, region = defaultRegion } = definition;
    const partition = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
    const id = `arn:${partition}:cloudformation:${region}:${account}:stack/${name}/${randomUUID()}`;
    const identity: StackIdentity = { name, id, partition, account, region };
    return new Stack(identity, {
      providerFor: (type, logicalId) => this.options.providerFor(label, type, logicalId),
      importValue: exported => this.values.importValue(exported, identity),
      stackOutput: request => this.values.stackOutput(request, identity),
      onEvent: event => this.options.onEvent?.({ ...event, stackName: label }),
      importerOf: exported => this.values.importerOf(exported, identity),
      resolveReferences: text => this.values.resolveReferences(text),
      ...plan && {
        isNeeded: (logicalId: string) => plan.isNeeded(label, logicalId),
        inventAttribute: (state: ResourceState, attribute: string) =>
          isCustom(state.type) && plan.isNeeded(label, state.logicalId)
            ? undefined
            : inventedAttribute(state, attribute),
      },
    });
  }

  /** The template as it is deployed: with values of its parameters, and nested templates that can be found again. */
  private prepared(definition: AssemblyStack, given: Properties): Template {
    const { plan } = this.options;
    const nested = Object.entries(definition.nested).map(([logicalId, child]) => {
      const key = `nested:${child.id}:${createHash('sha256').update(JSON.stringify(child.template)).digest('hex')}`;
      this.nestedTemplates.set(key, child);
      const resource = definition.template.Resources[logicalId];
      return [logicalId, { ...resource, Properties: { ...resource.Properties, TemplateURL: key } }] as const;
    });
    const template = {
      ...definition.template,
      Resources: { ...definition.template.Resources, ...Object.fromEntries(nested) },
    };
    const known = {
      parameters: { ...plan?.parametersOf(definition.id), ...definition.parameters, ...given },
      ssm: (name: string) => this.values.ssmParameter(name),
    };
    const values = parameterValues(template, known).filter(({ from }) => plan !== undefined || from !== 'invented');
    const valued = withParameterValues(template, values);
    const prepared = { ...valued, Parameters: { ...template.Parameters, ...valued.Parameters } };
    this.originals.set(prepared, definition.template);
    return prepared;
  }

  private newNestedStack({ stack, logicalId, properties }: ResourceRequest): Stack {
    const { id } = this.nestedTemplate(properties, logicalId);
    const nested = this.newStack({
      id,
      name: generatedName({ stack, logicalId }),
      account: stack.account,
      region: stack.region,
    });
    this.stacks.set(id, nested);
    return nested;
  }

  private nestedTemplate({ TemplateURL: url }: Properties, logicalId: string): AssemblyStack {
    const found = this.nestedTemplates.get(String(url));
    if (!found) {
      throw new Error(`the template of nested stack ${logicalId} is not in the cloud assembly`);
    }
    return found;
  }
}
