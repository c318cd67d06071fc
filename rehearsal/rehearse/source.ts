import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { callerFolder } from '../caller-folder';
import { InputError } from './input-error';
import { AssemblyStack, CloudAssembly } from '../cloudformation/cloud-assembly';
import { settingsIn, synthesize, synthesizeWith } from '../cloudformation/synthesize';
import type { GivenValues } from '../plan/preflight';
import { unusedValue } from '../plan/unused-values';

/**
 * Paths are those of the caller: npm runs scripts in the folder of the package.
 *
 * @throws if it cannot be read or synthesized, or has values in it that are invented until AWS is asked
 */
export async function assemblyOf(source: string | undefined, context: Record<string, string>): Promise<CloudAssembly> {
  const assembly = await readOrSynthesize(source, context);
  if (assembly.lookupProblem !== undefined) {
    throw new InputError(`${source ?? 'cdk.json'}: ${assembly.lookupProblem}`);
  }
  return assembly;
}

async function readOrSynthesize(source: string | undefined, context: Record<string, string>): Promise<CloudAssembly> {
  const project = callerFolder();
  try {
    if (source === undefined) {
      return await synthesizeWith(appOf(project), project, context);
    }
    const path = resolve(project, source);
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) {
      throw new Error(`${source}: no such file or folder`);
    }
    if (!found.isDirectory()) {
      return await synthesize(path, context);
    }
    if (Object.keys(context).length > 0) {
      throw new Error(`${source} is synthesized already: context is for apps`);
    }
    return new CloudAssembly(path);
  } catch (error) {
    throw new InputError((error as Error).message, { cause: (error as Error).cause });
  }
}

/** @throws if a value is given that nothing in the app takes */
export function refuseUnused(stacks: readonly AssemblyStack[], given: GivenValues): void {
  const problem = unusedValue(stacks, given);
  if (problem !== undefined) {
    throw new InputError(problem);
  }
}

/** Whether it is what `cdk synth` has written, and no app. */
export function isFolder(source: string | undefined): boolean {
  return (
    source !== undefined && statSync(resolve(callerFolder(), source), { throwIfNoEntry: false })?.isDirectory() === true
  );
}

/** The command that `cdk synth` would run. */
function appOf(project: string): string {
  const file = resolve(project, 'cdk.json');
  const { app } = settingsIn(file);
  if (typeof app !== 'string') {
    throw new Error(`expected an app or folder, or "app" in ${file}; --help says more`);
  }
  return app;
}

/**
 * Those stacks and all that they depend on, in the order of deployment.
 *
 * @param ids none are all; * at the end stands for any text
 */
export function selectStacks({ stacks }: CloudAssembly, ids: string[]): AssemblyStack[] {
  if (stacks.length === 0) {
    throw new InputError('there is no stack in the cloud assembly');
  }
  const selected = new Set<string>();
  const select = (id: string) => {
    if (!selected.has(id)) {
      selected.add(id);
      stacks.find(stack => stack.id === id)?.dependencies.forEach(select);
    }
  };
  for (const wanted of ids.length === 0 ? ['*'] : ids) {
    const found = stacks.filter(({ id, name }) =>
      wanted.endsWith('*') ? id.startsWith(wanted.slice(0, -1)) : [id, name].includes(wanted),
    );
    if (found.length === 0) {
      throw new InputError(`there is no stack ${wanted}, only ${stacks.map(({ id }) => id).join(', ')}`);
    }
    found.forEach(({ id }) => select(id));
  }
  return stacks.filter(({ id }) => selected.has(id));
}
