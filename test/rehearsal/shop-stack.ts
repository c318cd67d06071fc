import { StackResult } from '../../rehearsal/cloudformation/stack';
import { ResourceDefinition, ResourceState, Template } from '../../rehearsal/cloudformation/template';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { assemblyOf } from './fixtures/app';

/** Another one for each test of a file that imports it. */
export let rehearsal: Rehearsal;

beforeEach(async () => {
  rehearsal = await Rehearsal.start();
});

afterEach(() => rehearsal.close());

/** Deploys the stack Shop with these resources. */
export function deploy(
  Resources: Record<string, ResourceDefinition>, others: Partial<Template> = {},
): Promise<StackResult> {
  return rehearsal.deploy(assemblyOf({ Shop: { Resources, ...others } }), 'Shop');
}

export function resource(logicalId: string, stack = 'Shop'): ResourceState {
  return rehearsal.resources(stack).find(state => state.logicalId === logicalId)!;
}
