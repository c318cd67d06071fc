import { isDeepStrictEqual } from 'node:util';
import { Parameters, parametersAfter, ValuesAfter, ValuesBefore } from './values';
import { DeployedStack, environmentOf, handlerOf, isProvisioned } from '../deployed/deployed-stack';
import { NotPossible } from '../deployed/not-possible';
import { DATABASE_RESOURCE_ID } from '../../lib/contract/wire';
import { AssemblyStack } from '../../rehearsal/cloudformation/cloud-assembly';
import { dependencyOrder } from '../../rehearsal/cloudformation/dependencies';
import { holds } from '../../rehearsal/cloudformation/intrinsics';
import { ResourceDefinition } from '../../rehearsal/cloudformation/template';
import { resourceName } from '../../rehearsal/plan/resource-name';

export type Action = 'create' | 'update' | 'delete';

/** A user, several of them, or a group role that a deployment would create, change or remove. */
export interface PlannedResource {
  readonly logicalId: string;
  /** Of the construct within its stack. */
  readonly name: string;
  readonly type: string;
  readonly action: Action;
  /**
   * - `event`: what CloudFormation would send, to which function of the deployed stack
   * - `problem`: why CloudFormation would refuse the deployment
   * - `notPlanned`: what it would send is not known, and why
   */
  readonly outcome:
    | { readonly kind: 'event'; readonly handler: string; readonly event: ProvisionerEvent }
    | { readonly kind: 'problem'; readonly problem: string }
    | { readonly kind: 'notPlanned'; readonly reason: string };
}

export interface ProvisionerEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceType: string;
  readonly ResourceProperties: unknown;
  readonly OldResourceProperties?: unknown;
}

/** A stack, or one that is nested in another, before and after a deployment. At least one of the two is there. */
export interface Transition {
  /** Of the stack, and of the resources that lead to a nested one. */
  readonly name: string;
  readonly deployed?: DeployedStack;
  readonly next?: AssemblyStack;
  readonly given: Parameters;
  readonly isNested: boolean;
}

/** What is not sent to the provisioner, or is replaced there by what it was deployed for. */
const NOT_OF_THE_EVENT = ['ServiceToken', 'ServiceTimeout', 'Database'];

/** Nested stacks after the one that they are in. */
export function withNested(transition: Transition): Transition[] {
  const { deployed, next, name } = transition;
  const ids = new Set([...deployed?.nested.keys() ?? [], ...Object.keys(next?.nested ?? {})]);
  const unread = [...ids].find(
    logicalId => isUnread(next, logicalId) && hasRolesDeployed(deployed?.nested.get(logicalId)),
  );
  if (unread !== undefined) {
    // Its roles would seem to be removed.
    throw new NotPossible(
      `the template of its nested stack ${unread} is not in the folder; run cdk synth again, or deploy it as a NestedStack of the app`,
    );
  }
  return [transition, ...[...ids].flatMap(logicalId => withNested({
    name: `${name}/${logicalId}`,
    deployed: deployed?.nested.get(logicalId),
    next: next?.nested[logicalId],
    given: argumentsOf(transition, logicalId),
    isNested: true,
  }))];
}

/** Whether a stack stays, and its template is not one of the folder. */
function isUnread(next: AssemblyStack | undefined, logicalId: string): boolean {
  const { Type: type } = next?.template.Resources[logicalId] ?? {};
  return type === 'AWS::CloudFormation::Stack' && !Object.hasOwn(next!.nested, logicalId);
}

function hasRolesDeployed(stack: DeployedStack | undefined): boolean {
  return (
    stack !== undefined
    && (Object.values(stack.template.Resources).some(isProvisioned)
      || [...stack.nested.values()].some(hasRolesDeployed))
  );
}

/** Roles of one stack that a deployment has something to do with, in its order. */
export function resourcesOf(transition: Transition): PlannedResource[] {
  const { deployed, next } = transition;
  if (!deployed) {
    return rolesIn(next).map(([logicalId, definition]) =>
      planned(logicalId, definition, 'create', {
        kind: 'notPlanned',
        reason: 'its stack is not deployed in this account and Region: there is no provisioner that could plan it',
      }),
    );
  }
  return new StackEvents(transition, deployed).all();
}

class StackEvents {
  private readonly before: ValuesBefore;
  private readonly after?: ValuesAfter;

  constructor(private readonly transition: Transition, private readonly deployed: DeployedStack) {
    this.before = new ValuesBefore(deployed);
    this.after = valuesAfter(transition, this.before);
  }

  all(): PlannedResource[] {
    const { next } = this.transition;
    const roles = rolesIn(next).flatMap(([logicalId, definition]) => {
      const wanted = this.isWanted(definition);
      return wanted === false ? [] : [{ logicalId, definition, wanted }];
    });
    const order = dependencyOrder(this.deployed.template.Resources).reverse();
    const removed = order.filter(logicalId => !roles.some(role => role.logicalId === logicalId));
    return [
      ...roles.flatMap(({ logicalId, definition, wanted }) => wanted === true
        ? this.wanted(logicalId, definition)
        : [planned(logicalId, definition, 'create', { kind: 'notPlanned', reason: wanted.reason })]),
      ...removed.flatMap(logicalId => this.removed(logicalId, this.deployed.template.Resources[logicalId])),
    ];
  }

  private isWanted({ Condition }: ResourceDefinition): boolean | { readonly reason: string } {
    try {
      return Condition === undefined || holds({ Condition }, this.after!.conditions, `Conditions.${Condition}`);
    } catch (error) {
      return { reason: `it is not known whether it is wanted: ${(error as Error).message}` };
    }
  }

  private wanted(logicalId: string, definition: ResourceDefinition): PlannedResource[] {
    const { deployed } = this;
    const existing = deployed.resources.get(logicalId);
    const was = existing && deployed.template.Resources[logicalId];
    const action = existing ? 'update' : 'create';
    const outcome = (result: PlannedResource['outcome']) => [planned(logicalId, definition, action, result)];
    if (existing && existing.type !== definition.Type) {
      return outcome({
        kind: 'problem',
        problem: `it is a ${existing.type} and would become a ${definition.Type}, and CloudFormation changes no type; give the construct another id`,
      });
    }
    if (was && !isDeepStrictEqual(was.Properties?.ServiceToken, definition.Properties?.ServiceToken)) {
      return outcome({
        kind: 'problem',
        problem:
          'its provisioner would become another one, and CloudFormation refuses to modify a ServiceToken; give the construct another id',
      });
    }
    const handler = handlerOf(definition, this.transition.next!.template);
    if (handler === undefined || !deployed.resources.has(handler)) {
      return outcome(
        {
          kind: 'notPlanned',
          reason: 'its provisioner is created by the deployment: nothing can be planned before it exists',
        },
      );
    }
    if (this.hasOtherDatabase(handler)) {
      return outcome(
        {
          kind: 'notPlanned',
          reason: 'its provisioner is for another database after the deployment: nothing can be planned there before',
        },
      );
    }
    const after = values(definition, (value, path) => this.after!.resolve(value, path));
    const before = was && values(was, (value, path) => this.before.resolve(value, path));
    if (was && this.isUnchanged(was, definition, before, after)) {
      return [];
    }
    const reason
      = 'reason' in after
        ? after.reason
        : before && 'reason' in before
          ? `as it is deployed: ${before.reason}`
          : undefined;
    return outcome(reason === undefined
      ? {
          kind: 'event',
          handler,
          event: eventOf(
            existing ? 'Update' : 'Create',
            logicalId,
            definition.Type,
            after,
            existing?.physicalId,
            before,
          ),
        }
      : { kind: 'notPlanned', reason });
  }

  private isUnchanged(
    was: ResourceDefinition,
    is: ResourceDefinition,
    before: Values | undefined,
    after: Values,
  ): boolean {
    const [timeoutBefore, timeoutAfter] = [was, is].map(({ Properties }) => Properties?.ServiceTimeout);
    if (!isDeepStrictEqual(timeoutBefore, timeoutAfter)) {
      return false;
    }
    return before && 'properties' in before && 'properties' in after
      ? isDeepStrictEqual(before.properties, after.properties)
      : this.after!.isSame(ofEvent(was), ofEvent(is));
  }

  /** Which database it is, the provisioner is told when it is deployed. */
  private hasOtherDatabase(handler: string): boolean {
    const [before, after] = [this.deployed.template, this.transition.next!.template].map(
      ({ Resources }) => environmentOf(Resources[handler])[DATABASE_RESOURCE_ID],
    );
    return !isDeepStrictEqual(before, after);
  }

  private removed(logicalId: string, definition: ResourceDefinition): PlannedResource[] {
    const { deployed } = this;
    const existing = deployed.resources.get(logicalId);
    if (!existing || !isProvisioned(definition) || definition.DeletionPolicy === 'Retain') {
      return [];
    }
    const handler = handlerOf(definition, deployed.template);
    const before = values(definition, (value, path) => this.before.resolve(value, path));
    return [
      planned(
        logicalId,
        definition,
        'delete',
        'reason' in before || handler === undefined
          ? {
              kind: 'notPlanned',
              reason: 'reason' in before ? before.reason : 'the deployed stack has no provisioner for it',
            }
          : {
              kind: 'event',
              handler,
              event: eventOf('Delete', logicalId, definition.Type, before, existing.physicalId),
            },
      ),
    ];
  }
}

type Values = { readonly properties: unknown } | { readonly reason: string };

function values(definition: ResourceDefinition, resolve: (value: unknown, path: string) => unknown): Values {
  try {
    return {
      properties: Object.fromEntries(
        Object.entries(ofEvent(definition)).map(([name, value]) => [name, resolve(value, name)]),
      ),
    };
  } catch (error) {
    return { reason: (error as Error).message };
  }
}

function ofEvent({ Properties: properties = {} }: ResourceDefinition): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !NOT_OF_THE_EVENT.includes(name)));
}

function eventOf(
  type: ProvisionerEvent['RequestType'],
  logicalId: string,
  resourceType: string,
  values: Values,
  physicalId?: string,
  before?: Values,
): ProvisionerEvent {
  return {
    RequestType: type,
    LogicalResourceId: logicalId,
    ...physicalId === undefined ? {} : { PhysicalResourceId: physicalId },
    ResourceType: resourceType,
    ResourceProperties: propertiesOf(values),
    ...before === undefined ? {} : { OldResourceProperties: propertiesOf(before) },
  };
}

function propertiesOf(values: Values): unknown {
  return 'properties' in values ? values.properties : undefined;
}

/** In the order in which they are created: each after all that it depends on. */
function rolesIn(stack: AssemblyStack | undefined): [string, ResourceDefinition][] {
  const { Resources: resources = {} } = stack?.template ?? {};
  return dependencyOrder(resources).map(
    (logicalId): [string, ResourceDefinition] => [logicalId, resources[logicalId]],
  ).filter(([, definition]) => isProvisioned(definition));
}

function planned(
  logicalId: string,
  definition: ResourceDefinition,
  action: Action,
  outcome: PlannedResource['outcome'],
): PlannedResource {
  return { logicalId, name: resourceName(logicalId, definition), type: definition.Type, action, outcome };
}

function valuesAfter({ next, deployed, given, isNested }: Transition, before: ValuesBefore): ValuesAfter | undefined {
  return next && new ValuesAfter(next.template, before, parametersAfter(next.template, deployed, given, isNested));
}

/** What a stack gives to the parameters of one that is nested in it. */
function argumentsOf(transition: Transition, logicalId: string): Parameters {
  const { Parameters: parameters = {} } = (
    transition.next?.template.Resources[logicalId]?.Properties ?? {}
  ) as { Parameters?: Record<string, unknown> };
  const after = transition.deployed && valuesAfter(transition, new ValuesBefore(transition.deployed));
  return new Map(Object.entries(parameters).map(([name, value]) => {
    try {
      return [name, after ? { value: after.resolve(value, name) } : { unknown: 'its stack is not deployed yet' }];
    } catch (error) {
      return [name, { unknown: (error as Error).message }];
    }
  }));
}
