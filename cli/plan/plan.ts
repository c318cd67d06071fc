import { planOptionsOf, PlanOptions, USAGE } from './options';
import { isNothing, markdownOfPlan, textOfPlan } from './plan-text';
import { planStacks, StackPlan } from './plan-stacks';
import { PlannedResource } from './stack-events';
import { openAccount } from '../deployed/open-account';
import { isNamed } from '../deployed/named-resource';
import { assemblyIn, stacksNamed } from '../deployed/select-stacks';
import { CliError, EXIT_CODES } from '../exit-codes';
import { jsonText } from '../json-text';
import { AssemblyStack } from '../../rehearsal/cloudformation/cloud-assembly';
import { unusedParameter } from '../../rehearsal/plan/unused-values';
import { InputError } from '../../rehearsal/rehearse/input-error';

/** `plan <cdk.out>` */
export async function main(args: string[]): Promise<number> {
  const options = planOptionsOf(args);
  if (!options) {
    console.log(USAGE);
    return EXIT_CODES.ok;
  }
  const plans = await plan(options);
  process.stdout.write(written(plans, options));
  const impossible = plans.flatMap(({ stack, impossible: reasons }) =>
    reasons.map(reason => `stack ${stack}: ${reason}`),
  );
  if (impossible.length > 0) {
    throw new CliError(EXIT_CODES.refused, 'not everything could be planned:', impossible);
  }
  return plans.some(({ resources }) => resources.some(({ problem }) => problem !== undefined))
    ? EXIT_CODES.failed
    : EXIT_CODES.ok;
}

async function plan({ folder, stacks: ids, only, parameters }: PlanOptions): Promise<StackPlan[]> {
  const assembly = assemblyIn(folder);
  const unused = unusedParameter(assembly.stacks, parameters);
  if (unused !== undefined) {
    throw new InputError(unused);
  }
  const stacks = stacksNamed(assembly, ids);
  const found = new Set<string>();
  const isWanted = (resource: PlannedResource, stack: string) => {
    const names = only.filter(name => isNamed(resource, stack, name));
    names.forEach(name => found.add(name));
    return only.length === 0 || names.length > 0;
  };
  const plans = await planStacks(openAccount(), {
    stacks,
    parametersOf: stack => parametersFor(stack, parameters),
    isWanted,
  });
  const missing = only.filter(name => !found.has(name));
  if (missing.length > 0 && plans.every(({ impossible }) => impossible.length === 0)) {
    throw new InputError(
      `--only ${missing.join(', ')}: no user or group role of that name is created, changed or removed`,
    );
  }
  return plans;
}

/** Those of one stack have its id in front. */
function parametersFor({ id }: AssemblyStack, parameters: PlanOptions['parameters']): Record<string, string> {
  const all = Object.entries(parameters);
  return Object.fromEntries([
    ...all.filter(([name]) => !name.includes(':')),
    ...all.filter(([name]) => name.startsWith(`${id}:`)).map(([name, value]) => [name.slice(id.length + 1), value]),
  ]) as Record<string, string>;
}

function written(plans: StackPlan[], { format }: PlanOptions): string {
  switch (format) {
    case 'json': return `${jsonText({ nothingToDo: isNothing(plans), stacks: plans })}\n`;
    case 'markdown': return markdownOfPlan(plans);
    case 'text': return textOfPlan(plans);
  }
}
