import { PROVISIONED_RESOURCE_TYPES } from '../../lib/contract/wire';
import { Account, DeployedResource, StackFacts } from './account';
import { AssemblyStack } from '../../rehearsal/cloudformation/cloud-assembly';
import { referencesIn } from '../../rehearsal/cloudformation/intrinsics';
import { ResourceDefinition, Template } from '../../rehearsal/cloudformation/template';

/** A stack as it is deployed. */
export interface DeployedStack {
  readonly facts: StackFacts;
  readonly template: Template;
  readonly resources: ReadonlyMap<string, DeployedResource>;
  /** By logical id. */
  readonly nested: ReadonlyMap<string, DeployedStack>;
}

const STACK = 'AWS::CloudFormation::Stack';

/** Resources that concern this command: roles and what PUBLIC loses, provisioners, and stacks that may have some. */
const OF_INTEREST = [...PROVISIONED_RESOURCE_TYPES, 'AWS::Lambda::Alias', STACK];

/**
 * With all its nested stacks.
 *
 * @param isExpected whether the next template has something of this library, so that the resources are needed in any
 * case
 */
export async function readStack(account: Account, facts: StackFacts, isExpected = false): Promise<DeployedStack> {
  const template = await account.template(facts);
  if (!isExpected && !Object.values(template.Resources).some(({ Type: type }) => OF_INTEREST.includes(type))) {
    return { facts, template, resources: new Map(), nested: new Map() };
  }
  const resources = await account.resources(facts);
  const nested = new Map<string, DeployedStack>();
  for (const [logicalId, { type, physicalId }] of resources) {
    const child = type === STACK ? await account.stack(physicalId, facts.region) : undefined;
    if (child) {
      nested.set(logicalId, await readStack(account, child));
    }
  }
  return { facts, template, resources, nested };
}

/** Whether an app declares something of this library in a stack, or in one nested in it. */
export function hasRoles({ template, nested }: Pick<AssemblyStack, 'template' | 'nested'>): boolean {
  return Object.values(template.Resources).some(isProvisioned) || Object.values(nested).some(hasRoles);
}

export function isProvisioned({ Type: type }: ResourceDefinition): boolean {
  return PROVISIONED_RESOURCE_TYPES.includes(type);
}

/** What invokes a function by one of its aliases. */
export interface Alias {
  readonly arn: string;
  /** Logical id of the function. */
  readonly handler: string;
}

/** All aliases of that name. `Ref` of an alias, which is its physical id, is its ARN. */
export function aliasesNamed(name: string, { template, resources }: DeployedStack): Alias[] {
  return aliasIds(name, template).flatMap(({ logicalId, handler }) => {
    const arn = resources.get(logicalId)?.physicalId;
    return arn === undefined ? [] : [{ arn, handler }];
  });
}

/** Logical ids of the aliases of that name, and of the function of each. */
export function aliasIds(
  name: string,
  { Resources: resources }: Template,
): { readonly logicalId: string; readonly handler: string }[] {
  return Object.entries(resources).flatMap(([logicalId, { Type: type, Properties: { Name, FunctionName } = {} }]) => {
    const handler = type === 'AWS::Lambda::Alias' && Name === name
      ? referencesIn(FunctionName).find(id => resources[id]?.Type === 'AWS::Lambda::Function')
      : undefined;
    return handler === undefined ? [] : [{ logicalId, handler }];
  });
}

/**
 * Logical id of the function that does the work for a role: that of the service token, or the one behind CDK's provider
 * framework.
 */
export function handlerOf(role: ResourceDefinition, { Resources: resources }: Template): string | undefined {
  const [token] = referencesIn(role.Properties?.ServiceToken);
  const framework = behindFramework(resources[token]);
  return framework ?? (resources[token] ? token : undefined);
}

export function environmentOf(definition: ResourceDefinition | undefined): Readonly<Record<string, unknown>> {
  return (definition?.Properties?.Environment as { Variables?: Record<string, unknown> } | undefined)?.Variables ?? {};
}

/**
 * https://github.com/aws/aws-cdk/blob/main/packages/aws-cdk-lib/custom-resources/lib/provider-framework/runtime/consts.ts
 */
function behindFramework(definition: ResourceDefinition | undefined): string | undefined {
  return referencesIn(environmentOf(definition).USER_ON_EVENT_FUNCTION_ARN)[0];
}
