import { isDeepStrictEqual } from 'node:util';
import { dependencies, dependents, inParallel } from './dependencies';
import { holds, resolve, Scope } from './intrinsics';
import { Surroundings, templateScope } from './scope';
import { exportedValues, outputValues } from './stack-outputs';
import {
  Properties,
  ResourceDefinition,
  ResourceFailure,
  ResourceProvider,
  ResourceState,
  StackIdentity,
  Template,
} from './template';

export interface StackEvent {
  readonly stackName: string;
  readonly logicalId: string;
  readonly type: string;
  /** As in CloudFormation, such as CREATE_COMPLETE. */
  readonly status: string;
  readonly reason?: string;
}

export interface StackResult {
  readonly status: string;
  /** Why it failed. */
  readonly reason?: string;
  readonly outputs: Record<string, string>;
}

export interface StackEnvironment extends Surroundings {
  providerFor(type: string, logicalId: string): ResourceProvider;
  /**
   * Whether the properties of a resource must be what CloudFormation would make of them. In those of others, what
   * cannot be resolved is invented.
   *
   * @default - all are
   */
  isNeeded?(logicalId: string): boolean;
  /** A text of a property, with its dynamic references resolved. @default - as it is */
  readonly resolveReferences?: (text: string) => string;
  /** The stack that imports an export at this moment. @default - none */
  importerOf?(name: string): string | undefined;
  /** What it returns is awaited, so that a caller may look around between two resources. */
  onEvent(event: StackEvent): void | Promise<void>;
}

/** A stack and its life by CloudFormation's rules. */
export class Stack {
  readonly resources = new Map<string, ResourceState>();
  /** What its removal policies have left in the account, of this stack no more: it works as before. */
  readonly retained: ResourceState[] = [];
  exports: Record<string, string> = {};
  outputs: Record<string, string> = {};
  /** As DescribeStacks says it; undefined before the first deployment. */
  status?: string;
  private template?: Template;
  /** Made by the operation that is under way. */
  private readonly fresh = new Set<string>();

  constructor(readonly identity: StackIdentity, private readonly environment: StackEnvironment) {}

  /** Of the last deployment that went well. */
  get deployed(): Template | undefined {
    return this.template;
  }

  async deploy(template: Template): Promise<StackResult> {
    this.fresh.clear();
    return this.during(this.template ? 'UPDATE' : 'CREATE', () =>
      this.template ? this.update(template, this.template) : this.create(template),
    );
  }

  /** After DELETE_FAILED the remaining resources are still there, and it can be called again. */
  async destroy(): Promise<StackResult> {
    this.fresh.clear();
    return this.during('DELETE', () => this.deleteAll());
  }

  private async during(verb: string, work: () => Promise<StackResult>): Promise<StackResult> {
    this.status = `${verb}_IN_PROGRESS`;
    const result = await work();
    this.status = result.status;
    return result;
  }

  private async deleteAll(): Promise<StackResult> {
    try {
      this.refuseExportsInUse({});
    } catch (error) {
      return { status: 'DELETE_FAILED', reason: messageOf(error), outputs: {} };
    }
    const failure = await this.deleteResources([...this.resources.values()], 'stop');
    if (failure === undefined) {
      this.template = undefined;
      this.exports = {};
      this.outputs = {};
    }
    return { status: failure === undefined ? 'DELETE_COMPLETE' : 'DELETE_FAILED', reason: failure, outputs: {} };
  }

  private async create(template: Template): Promise<StackResult> {
    try {
      await this.reach(template);
      return { status: 'CREATE_COMPLETE', outputs: this.publish(template) };
    } catch (error) {
      const failure = await this.deleteResources([...this.resources.values()], 'stop');
      return {
        status: failure === undefined ? 'ROLLBACK_COMPLETE' : 'ROLLBACK_FAILED',
        reason: reasons(error, failure),
        outputs: {},
      };
    }
  }

  private async update(template: Template, previous: Template): Promise<StackResult> {
    try {
      this.refuseOtherTypes(template);
      const replaced = await this.reach(template);
      const outputs = this.publish(template);
      await this.cleanUp(template, replaced);
      return { status: 'UPDATE_COMPLETE', outputs };
    } catch (error) {
      try {
        // What was replaced a moment ago is still there, and is what the resources are updated back to.
        const replaced = await this.reach(previous);
        await this.cleanUp(previous, replaced);
        return { status: 'UPDATE_ROLLBACK_COMPLETE', reason: reasons(error), outputs: this.publish(previous) };
      } catch (failure) {
        return { status: 'UPDATE_ROLLBACK_FAILED', reason: reasons(error, failure), outputs: {} };
      }
    }
  }

  /** Creates and updates in dependency order until the stack is as the template says; returns what was replaced. */
  private async reach(template: Template): Promise<ResourceState[]> {
    const scope = this.scopeOf(template);
    const lenient = { ...scope, invent: (path: string) => `invented-${path.split(/[.[]/)[0]}` };
    const isNeeded = (logicalId: string) => this.environment.isNeeded?.(logicalId) ?? true;
    const definitions = this.wanted(template);
    const replaced: ResourceState[] = [];
    await inParallel(dependencies(definitions), async (logicalId, cancelled) => {
      const definition = definitions[logicalId];
      const properties = this.withReferences(
        resolve(definition.Properties ?? {}, isNeeded(logicalId) ? scope : lenient, logicalId),
      ) as Properties;
      const current = this.resources.get(logicalId);
      if (!current) {
        await this.createResource(logicalId, definition, properties, cancelled);
      } else if (isDeepStrictEqual(current.properties, properties)) {
        this.resources.set(logicalId, { ...current, definition });
      } else {
        const physicalId = await this.updateResource(current, definition, properties, cancelled);
        if (physicalId !== current.physicalId) {
          replaced.push(current);
        }
      }
    });
    return replaced;
  }

  private async createResource(
    logicalId: string,
    definition: ResourceDefinition,
    properties: Properties,
    cancelled: AbortSignal,
  ): Promise<void> {
    const type = definition.Type;
    await this.step('CREATE', { logicalId, type }, async () => {
      const state = { logicalId, type, definition, properties };
      this.fresh.add(logicalId);
      try {
        const { physicalId, attributes } = await this.environment
          .providerFor(type, logicalId)
          .create({ stack: this.identity, logicalId, type, properties, cancelled });
        this.resources.set(logicalId, { ...state, physicalId, attributes });
      } catch (error) {
        if (error instanceof ResourceFailure && error.physicalId !== undefined) {
          this.resources.set(logicalId, { ...state, physicalId: error.physicalId, attributes: {} });
        }
        throw error;
      }
    });
  }

  private async updateResource(
    current: ResourceState,
    definition: ResourceDefinition,
    properties: Properties,
    cancelled: AbortSignal,
  ): Promise<string> {
    const { logicalId, type } = current;
    return this.step('UPDATE', current, async () => {
      // Also after a failure these are the properties that a rollback starts from.
      this.resources.set(logicalId, { ...current, properties });
      const request = { stack: this.identity, logicalId, type, properties, cancelled };
      const { physicalId, attributes } = await this.environment.providerFor(type, logicalId).update(request, current);
      this.resources.set(logicalId, { logicalId, type, definition, properties, physicalId, attributes });
      return physicalId;
    });
  }

  /** As CloudFormation's clean-up phase: a failure here leaves a resource behind, but the stack is complete. */
  private async cleanUp(template: Template, replaced: ResourceState[]): Promise<void> {
    const wanted = this.wanted(template);
    const dropped = [...this.resources.values()].filter(({ logicalId }) => !Object.hasOwn(wanted, logicalId));
    await this.deleteResources([...dropped, ...replaced], 'goOn');
  }

  /** In reverse dependency order; returns the first failure. */
  private async deleteResources(states: ResourceState[], onFailure: 'stop' | 'goOn'): Promise<string | undefined> {
    const order = dependents(
      Object.fromEntries([...this.resources.values()].map(({ logicalId, definition }) => [logicalId, definition])),
    );
    let failure: string | undefined;
    await inParallel(order, async (logicalId) => {
      for (const state of states.filter(one => one.logicalId === logicalId)) {
        try {
          await this.deleteResource(state);
        } catch (error) {
          failure ??= (error as Error).message;
          if (onFailure === 'stop') {
            throw error;
          }
          this.forget(state);
        }
      }
    }).catch(() => undefined);
    return failure;
  }

  private async deleteResource(state: ResourceState): Promise<void> {
    const { DeletionPolicy, UpdateReplacePolicy } = state.definition;
    const policy = this.isCurrent(state) ? DeletionPolicy : UpdateReplacePolicy;
    // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
    if (policy === 'Retain' || (policy === 'RetainExceptOnCreate' && !this.fresh.has(state.logicalId))) {
      this.retained.push(state);
      await this.report('DELETE_SKIPPED', state);
    } else {
      await this.step('DELETE', state, () =>
        this.environment.providerFor(state.type, state.logicalId).delete(this.identity, state),
      );
    }
    this.forget(state);
  }

  /** Of a resource that was replaced, the new one stays. */
  private forget(state: ResourceState): void {
    if (this.isCurrent(state)) {
      this.resources.delete(state.logicalId);
    }
  }

  private isCurrent({ logicalId, physicalId }: ResourceState): boolean {
    return this.resources.get(logicalId)?.physicalId === physicalId;
  }

  private refuseOtherTypes(template: Template): void {
    for (const [logicalId, { Type: type }] of Object.entries(template.Resources)) {
      const current = this.resources.get(logicalId);
      if (current && current.type !== type) {
        throw new Error(
          `Update of resource type is not permitted: ${logicalId} is ${current.type}, the new template says ${type}`,
        );
      }
    }
  }

  private wanted(template: Template): Record<string, ResourceDefinition> {
    const scope = this.scopeOf(template);
    return Object.fromEntries(Object.entries(template.Resources).filter(([logicalId, { Condition }]) =>
      Condition === undefined || holds({ Condition }, scope, logicalId)));
  }

  private scopeOf(template: Template): Scope {
    return templateScope(template, this.identity, this.resources, this.environment);
  }

  private withReferences(value: unknown): unknown {
    const { resolveReferences } = this.environment;
    const map = (each: unknown): unknown => {
      if (typeof each === 'string') {
        return each.includes('{{resolve:') ? resolveReferences!(each) : each;
      }
      return Array.isArray(each)
        ? each.map(map)
        : typeof each === 'object' && each !== null
          ? Object.fromEntries(Object.entries(each).map(([key, item]) => [key, map(item)]))
          : each;
    };
    return resolveReferences ? map(value) : value;
  }

  /** @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html */
  private refuseExportsInUse(wanted: Record<string, string>): void {
    for (const [name, value] of Object.entries(this.exports)) {
      const importer = wanted[name] === value ? undefined : this.environment.importerOf?.(name);
      if (importer !== undefined) {
        throw new Error(
          `Cannot ${Object.hasOwn(wanted, name) ? 'update' : 'delete'} export ${name} as it is in use by ${importer}.`,
        );
      }
    }
  }

  private publish(template: Template): Record<string, string> {
    const strict = this.scopeOf(template);
    const scope = this.environment.isNeeded ? { ...strict, invent: (path: string) => `invented-${path}` } : strict;
    const exports = exportedValues(template, scope);
    this.refuseExportsInUse(exports);
    this.exports = exports;
    const outputs = outputValues(template, scope);
    this.outputs = outputs;
    this.template = template;
    return outputs;
  }

  private async step<Result>(
    verb: string,
    resource: { logicalId: string; type: string },
    work: () => Promise<Result>,
  ): Promise<Result> {
    await this.report(`${verb}_IN_PROGRESS`, resource);
    let result: Result;
    try {
      result = await work();
    } catch (error) {
      const reason = (error as Error).message;
      await this.report(`${verb}_FAILED`, resource, reason);
      throw new Error(`${resource.logicalId} (${resource.type}): ${reason}`, { cause: error });
    }
    await this.report(`${verb}_COMPLETE`, resource);
    return result;
  }

  private async report(
    status: string,
    { logicalId, type }: { logicalId: string; type: string },
    reason?: string,
  ): Promise<void> {
    await this.environment.onEvent({ stackName: this.identity.name, logicalId, type, status, reason });
  }
}

function reasons(error: unknown, rollbackFailure?: unknown): string {
  return [error, rollbackFailure]
    .filter(each => each !== undefined)
    .map(messageOf)
    .join('; and then the rollback failed: ');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : error as string;
}
