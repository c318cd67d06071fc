import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { Options } from './options';
import { AssemblyStack, CloudAssembly } from '../cloudformation/cloud-assembly';
import { synthesize } from '../cloudformation/synthesize';

/** Paths are those of the caller: npm runs scripts in the folder of the package. */
export async function assemblyOf({ source, context }: Options): Promise<CloudAssembly> {
  const path = resolve(process.env.INIT_CWD ?? '', source);
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) {
    throw new Error(`${source}: no such file or folder`);
  }
  if (!found.isDirectory()) {
    return synthesize(path, context);
  }
  if (Object.keys(context).length > 0) {
    throw new Error(`${source} is synthesized already: context is for apps`);
  }
  return new CloudAssembly(path);
}

/**
 * Those stacks and all that they depend on, in the order of deployment.
 *
 * @param names none are all
 */
export function selectStacks({ stacks, stages }: CloudAssembly, names: string[]): AssemblyStack[] {
  if (stacks.length === 0) {
    throw new Error(`there is no stack${stages.length === 0 ? '' : ` outside of stages: rehearse the folder of one, which cdk synth writes: ${stages.join(', ')}`}`);
  }
  const selected = new Set<string>();
  const select = (name: string) => {
    const stack = stacks.find(each => each.name === name);
    if (!stack) {
      throw new Error(`there is no stack ${name}, only ${stacks.map(each => each.name).join(', ')}`);
    }
    stack.dependencies.forEach(select);
    selected.add(name);
  };
  (names.length === 0 ? stacks.map(({ name }) => name) : names).forEach(select);
  return stacks.filter(({ name }) => selected.has(name));
}
