import { DeployedResources } from './aws/stacks';
import { isSeen, Seen } from './observations';
import { AssemblyStack } from '../../rehearsal/cloudformation/cloud-assembly';

/** A stack of an app, and the one that it is nested in: that one itself if it is in none. */
export interface StackInApp {
  readonly stack: AssemblyStack;
  readonly top: AssemblyStack;
}

export function withNested(top: AssemblyStack): StackInApp[] {
  const all = (stack: AssemblyStack): AssemblyStack[] => [stack, ...Object.values(stack.nested).flatMap(all)];
  return all(top).map(stack => ({ stack, top }));
}

/** How CloudFormation calls it: a nested stack is known by its ARN. Undefined if it is not deployed. */
export async function deployedName(
  { stack, top }: StackInApp,
  resources: Pick<DeployedResources, 'find'>,
): Promise<Seen<string | undefined>> {
  let name: string | undefined = top.name;
  for (const logicalId of stack.id.slice(top.id.length).split('/').filter(Boolean)) {
    const found: Seen<string | undefined>
      = name === undefined ? { value: undefined } : await resources.find(name, logicalId);
    if (!isSeen(found)) {
      return found;
    }
    name = found.value;
  }
  return { value: name };
}
