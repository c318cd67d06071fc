import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { callerFolder } from '../../rehearsal/caller-folder';
import { AssemblyStack, CloudAssembly } from '../../rehearsal/cloudformation/cloud-assembly';
import { InputError } from '../../rehearsal/rehearse/input-error';

export function isAssembly(folder: string): boolean {
  return existsSync(join(resolve(callerFolder(), folder), 'manifest.json'));
}

/**
 * What `cdk synth` has written.
 *
 * @throws if it is not that, or cannot be read
 */
export function assemblyIn(folder: string): CloudAssembly {
  if (!isAssembly(folder)) {
    throw new InputError(
      `${folder} is not a folder that cdk synth has written: it has no manifest.json; run cdk synth --output ${folder}`,
    );
  }
  const assembly = readAssembly(resolve(callerFolder(), folder));
  if (assembly.lookupProblem !== undefined) {
    throw new InputError(`${folder}: ${assembly.lookupProblem}`);
  }
  return assembly;
}

function readAssembly(path: string): CloudAssembly {
  try {
    return new CloudAssembly(path);
  } catch (error) {
    throw new InputError((error as Error).message, { cause: error });
  }
}

/**
 * In the order of deployment.
 *
 * @param ids none are all; * at the end stands for any text
 */
export function stacksNamed({ stacks }: CloudAssembly, ids: readonly string[]): AssemblyStack[] {
  const matches = (
    wanted: string,
    { id, name }: AssemblyStack,
  ) => wanted.endsWith('*') ? id.startsWith(wanted.slice(0, -1)) : [id, name].includes(wanted);
  const missing = ids.find(id => !stacks.some(stack => matches(id, stack)));
  if (missing !== undefined) {
    throw new InputError(
      `there is no stack ${missing}, only ${stacks.map(({ id }) => id).join(', ') || 'none at all'}`,
    );
  }
  return ids.length === 0 ? stacks : stacks.filter(stack => ids.some(id => matches(id, stack)));
}
