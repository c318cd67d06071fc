import { Action, PlannedResource, resourcesOf, Transition, withNested } from './stack-events';
import { Known, Parameters } from './values';
import { Account } from '../deployed/account';
import { Note, Plan, PlannedChange } from '../../lib/contract/look';
import { aliasesNamed, DeployedStack, hasRoles, isProvisioned, readStack } from '../deployed/deployed-stack';
import { NotPossible } from '../deployed/not-possible';
import { PLAN_ALIAS } from '../../lib/contract/wire';
import { AssemblyStack } from '../../rehearsal/cloudformation/cloud-assembly';

export interface StackPlan {
  /** Of the stack, and of the resources that lead to a nested one. */
  readonly stack: string;
  /** @default - as the caller's */
  readonly account?: string;
  readonly region?: string;
  /** ARN of the stack, if it is deployed. */
  readonly stackId?: string;
  /** Who works on roles at this moment, or which operation on the stack is under way. */
  readonly underWay: string[];
  readonly resources: ResourceResult[];
  /** Why there is no plan of some resources, and what to do about it. */
  readonly impossible: string[];
}

export interface ResourceResult {
  readonly logicalId: string;
  /** Of the construct within its stack. */
  readonly name: string;
  readonly type: string;
  readonly action: Action;
  /** In their order. */
  readonly changes: PlannedChange[];
  readonly notes: Note[];
  /** Why the deployment would fail. */
  readonly problem?: string;
  /** Why what would be done is not known. */
  readonly notPlanned?: string;
}

export interface PlanRequest {
  /** In the order of the deployment. */
  readonly stacks: readonly AssemblyStack[];
  /** Values of parameters of a stack. */
  readonly parametersOf: (stack: AssemblyStack) => Readonly<Record<string, string>>;
  /** @param stack the one that the stack of the resource is nested in, from which paths of constructs begin */
  readonly isWanted: (resource: PlannedResource, stack: string) => boolean;
}

/** What a deployment of these stacks would execute in their databases. Each provisioner is asked once. */
export async function planStacks(
  account: Account,
  { stacks, parametersOf, isWanted }: PlanRequest,
): Promise<StackPlan[]> {
  const plans: StackPlan[] = [];
  for (const stack of stacks) {
    try {
      const deployed = await deployedStack(account, stack);
      const given: Parameters = new Map(
        Object.entries({ ...stack.parameters, ...parametersOf(stack) }).map(([name, value]): [string, Known] => [
          name,
          { value },
        ]),
      );
      for (const transition of withNested({ name: stack.id, deployed, next: stack, given, isNested: false })) {
        if (concernsRoles(transition)) {
          const resources = resourcesOf(transition).filter(resource => isWanted(resource, stack.id));
          plans.push(await planStack(account, transition, resources, stack));
        }
      }
    } catch (error) {
      plans.push(
        {
          stack: stack.id,
          account: stack.account,
          region: stack.region,
          underWay: [],
          resources: [],
          impossible: [reasonOf(error)],
        },
      );
    }
  }
  return plans;
}

/** @returns undefined if it is not deployed, which only the credentials of its account can tell */
async function deployedStack(
  account: Account,
  { name, account: expected, region, ...stack }: AssemblyStack,
): Promise<DeployedStack | undefined> {
  const caller = expected === undefined ? undefined : await account.id(region);
  if (caller !== expected) {
    throw new NotPossible(
      `it is in account ${expected}, and the credentials are of account ${caller}; use those of account ${expected}`,
    );
  }
  const facts = await account.stack(name, region);
  return facts && readStack(account, facts, hasRoles(stack));
}

async function planStack(
  account: Account,
  { name, deployed }: Transition,
  resources: PlannedResource[],
  { account: expected, region }: AssemblyStack,
): Promise<StackPlan> {
  const answers = new Map<string, Plan>();
  const impossible: string[] = [];
  for (const handler of new Set(
    resources.flatMap(({ outcome }) => (outcome.kind === 'event' ? [outcome.handler] : [])),
  )) {
    try {
      answers.set(handler, await ask(account, deployed!, handler, resources));
    } catch (error) {
      impossible.push(reasonOf(error));
    }
  }
  const facts = deployed?.facts;
  return {
    stack: name,
    account: facts?.account ?? expected,
    region: facts?.region ?? region,
    stackId: facts?.id,
    underWay: [
      ...facts?.status.endsWith('_IN_PROGRESS') ? [`the stack is in ${facts.status}`] : [],
      ...[...answers.values()].flatMap(({ underWay }) => underWay ?? []),
    ],
    resources: resources.map(resource => resultOf(resource, answers)),
    impossible,
  };
}

async function ask(
  account: Account,
  deployed: DeployedStack,
  handler: string,
  resources: PlannedResource[],
): Promise<Plan> {
  const alias = aliasesNamed(PLAN_ALIAS, deployed).find(each => each.handler === handler);
  if (!alias) {
    throw new NotPossible(
      `the provisioner ${handler} of the deployed stack ${deployed.facts.name} has no alias "${PLAN_ALIAS}"; call iamAuth.grantPlan(...) with the role that plans, and deploy the stack once`,
    );
  }
  const events = resources.flatMap(({ outcome }) =>
    outcome.kind === 'event' && outcome.handler === handler ? [outcome.event] : [],
  );
  return await account.invoke(alias.arn, { resources: events }, 'iamAuth.grantPlan(...)') as Plan;
}

function resultOf({ outcome, ...resource }: PlannedResource, answers: ReadonlyMap<string, Plan>): ResourceResult {
  const nothing = { ...resource, changes: [], notes: [] };
  switch (outcome.kind) {
    case 'problem': return { ...nothing, problem: outcome.problem };
    case 'notPlanned': return { ...nothing, notPlanned: outcome.reason };
    case 'event': {
      const answer = answers.get(outcome.handler);
      if (!answer) {
        return { ...nothing, notPlanned: 'its provisioner did not plan it, see below' };
      }
      // Two, if the update of a resource replaces it: the second is the removal of what it was.
      const plans = answer.resources.filter(({ logicalId }) => logicalId === resource.logicalId);
      const problem = plans.find(plan => plan.problem !== undefined)?.problem;
      return {
        ...resource,
        changes: plans.flatMap(({ changes }) => changes),
        notes: plans.flatMap(({ notes }) => notes),
        ...problem === undefined ? {} : { problem },
      };
    }
  }
}

function concernsRoles({ deployed, next }: Transition): boolean {
  return [deployed?.template, next?.template].some(template =>
    Object.values(template?.Resources ?? {}).some(isProvisioned),
  );
}

function reasonOf(error: unknown): string {
  if (error instanceof NotPossible) {
    return error.message;
  }
  throw error;
}
