import { AppGraph, GraphStack, valuesOf } from './app-graph';
import type { GivenValues } from './preflight';
import { AssemblyStack } from '../cloudformation/cloud-assembly';

/**
 * The first value that was given and that nothing in an app takes: its name is misspelled, and without a word the app
 * would be deployed with another value.
 *
 * @param stacks all of the app, whichever of them are deployed
 * @returns the option, the rule and what to do about it
 */
export function unusedValue(stacks: readonly AssemblyStack[], given: Omit<GivenValues, 'majors'>): string | undefined {
  const { parameters, exports, ssm, policies } = given;
  const graph = new AppGraph([...stacks], { parametersOf: () => ({}), exports: {}, ssm: () => undefined });
  const text = JSON.stringify([graph.stacks.map(({ definition }) => definition.template), parameters]);
  const imported = importsOf(graph);
  const attached = attachedPolicies(graph);
  const takesPolicy = (name: string) =>
    attached.isOpen || attached.names.some(arn => arn === name || arn.split('/').at(-1) === name);
  return (
    unusedParameter(stacks, parameters)
    ?? unused(
      '--export',
      exports,
      name => imported.isOpen || imported.names.includes(name),
      'no stack of the app imports this export, or reads this output',
    )
    // A dynamic reference may be made of several values.
    ?? unused(
      '--ssm',
      ssm,
      name => text.includes(JSON.stringify(name).slice(1, -1)) || text.includes('resolve:ssm'),
      'no stack of the app has a parameter with this name in Systems Manager',
    )
    ?? unused(
      '--policy',
      policies,
      takesPolicy,
      'no identity of the app has this managed policy or permissions boundary',
    )
  );
}

/** The same for parameters of templates alone. */
export function unusedParameter(
  stacks: readonly AssemblyStack[],
  parameters: GivenValues['parameters'],
): string | undefined {
  const known = stacks.flatMap(({ id, template }) =>
    Object.keys(template.Parameters ?? {}).flatMap(name => [name, `${id}:${name}`]),
  );
  return unused('--parameter', parameters, name => known.includes(name), 'no stack of the app has this parameter');
}

/** Without the value, which may be a secret. */
function unused(
  option: string,
  given: object,
  isTaken: (name: string) => boolean,
  problem: string,
): string | undefined {
  const name = Object.keys(given).find(each => !isTaken(each));
  return name === undefined ? undefined : `${option} ${name}: ${problem}; correct the name, or leave it out`;
}

/** Names, and whether there are others that are not known before the deployment. */
interface Names {
  readonly names: readonly string[];
  readonly isOpen: boolean;
}

function namesOf(values: readonly unknown[]): Names {
  return {
    names: values.filter(value => typeof value === 'string'),
    isOpen: values.some(value => typeof value !== 'string'),
  };
}

function importsOf(graph: AppGraph): Names {
  return namesOf(graph.stacks.flatMap((stack) => {
    const { template } = stack.definition;
    const outputs = valuesOf(template, 'Fn::GetStackOutput').map(
      ({ argument }) => Object(argument) as { StackName?: unknown; OutputName?: unknown },
    );
    return [
      ...valuesOf(template, 'Fn::ImportValue').map(({ argument }) => graph.known(stack, argument)),
      ...outputs.map(({ StackName: of, OutputName: output }) =>
        typeof of === 'string' && typeof output === 'string' ? `${of}.${output}` : undefined,
      ),
    ];
  }));
}

/** Those of the app itself need none that is given. */
function attachedPolicies(graph: AppGraph): Names {
  const knownOf = (stack: GraphStack, value: unknown) =>
    graph.known(stack, value) ?? (graph.origin(stack, value).kind === 'resource' ? [] : [undefined]);
  return namesOf(
    graph.stacks.flatMap(stack =>
      Object.values(stack.definition.template.Resources).flatMap(({ Properties = {} }) =>
        [Properties.ManagedPolicyArns, Properties.ManagedPolicies, Properties.PermissionsBoundary]
          .flat()
          .filter(value => value !== undefined)
          .flatMap(value => knownOf(stack, value)),
      ),
    ),
  );
}
