import { compareStacks, StackReference } from './compare-stacks';
import { jsonOfDrift, textOfDrift } from './drift-text';
import { DriftOptions, driftOptionsOf, USAGE } from './options';
import { hasRoles } from '../deployed/deployed-stack';
import { openAccount } from '../deployed/open-account';
import { assemblyIn, isAssembly } from '../deployed/select-stacks';
import { CliError, EXIT_CODES } from '../exit-codes';
import { InputError } from '../../rehearsal/rehearse/input-error';

/** `drift <stack...>` and `drift <cdk.out>` */
export async function main(args: string[]): Promise<number> {
  const options = driftOptionsOf(args);
  if (!options) {
    console.log(USAGE);
    return EXIT_CODES.ok;
  }
  const { only, all: undeclared, expected, failOnDrift, failOnUndeclared, json } = options;
  const comparison = await compareStacks(openAccount(), referencesOf(options), { only, undeclared, expected });
  if (comparison.missing.length > 0 && comparison.impossible.length === 0) {
    throw new InputError(
      `--only ${comparison.missing.join(', ')}: nothing of that name is deployed; pass a logical id, or the path of a construct`,
    );
  }
  process.stdout.write(json ? jsonOfDrift(comparison, new Date()) : textOfDrift(comparison));
  if (comparison.impossible.length > 0) {
    throw new CliError(EXIT_CODES.refused, 'not everything could be compared:', comparison.impossible);
  }
  const drifted = comparison.databases.some(({ driftedRoles }) => driftedRoles > 0);
  const surprising = comparison.databases.some(({ undeclared = [] }) =>
    undeclared.some(login => login.expected === undefined),
  );
  return (failOnDrift && drifted) || (failOnUndeclared && surprising) ? EXIT_CODES.failed : EXIT_CODES.ok;
}

function referencesOf({ names, region }: DriftOptions): StackReference[] {
  const references = [...new Set(names)]
    .map((name): readonly StackReference[] =>
      isAssembly(name)
        ? assemblyIn(name).stacks.map(stack => ({
            name: stack.name,
            account: stack.account,
            region: stack.region,
            declares: hasRoles(stack),
          }))
        : [{ name: stackName(name) }],
    )
    .flat();
  if (region !== undefined && references.length > 0 && references.every(reference => reference.region !== undefined)) {
    throw new InputError(
      `--region ${region}: each stack of the app has a Region of its own, where it is looked for; leave the option out`,
    );
  }
  return references.map(reference => ({ ...reference, region: reference.region ?? region }));
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html */
function stackName(name: string): string {
  if (!/^[a-zA-Z][-a-zA-Z0-9]{0,127}$|^arn:/.test(name)) {
    throw new InputError(
      `${name} is neither a folder with a manifest.json, as cdk synth writes it, nor the name of a stack, which has letters, digits and hyphens`,
    );
  }
  return name;
}
