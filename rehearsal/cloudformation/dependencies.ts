import { setMaxListeners } from 'node:events';
import { referencesIn } from './intrinsics';
import { ResourceDefinition } from './template';

/** Logical ids in the order of creation: each after all that it depends on, otherwise as in the template. */
export function dependencyOrder(resources: Record<string, ResourceDefinition>): string[] {
  const ordered = new Set<string>();
  const visit = (logicalId: string, path: string[]) => {
    if (ordered.has(logicalId)) {
      return;
    }
    if (path.includes(logicalId)) {
      throw new Error(
        `circular dependency between resources: ${[...path.slice(path.indexOf(logicalId)), logicalId].join(' -> ')}`,
      );
    }
    dependenciesOf(resources[logicalId])
      .filter(name => Object.hasOwn(resources, name))
      .forEach(name => visit(name, [...path, logicalId]));
    ordered.add(logicalId);
  };
  Object.keys(resources).forEach(logicalId => visit(logicalId, []));
  return [...ordered];
}

/** Logical ids that each resource waits for. */
export function dependencies(resources: Record<string, ResourceDefinition>): Map<string, string[]> {
  return new Map(dependencyOrder(resources).map(logicalId =>
    [logicalId, dependenciesOf(resources[logicalId]).filter(name => Object.hasOwn(resources, name))]));
}

/** The same the other way round: a resource is deleted after those that depend on it. */
export function dependents(resources: Record<string, ResourceDefinition>): Map<string, string[]> {
  const all = dependencies(resources);
  return new Map([...all.keys()].reverse().map(logicalId =>
    [logicalId, [...all].filter(([, names]) => names.includes(logicalId)).map(([name]) => name)]));
}

/**
 * Works on each when those it waits for are done, and on independent ones at the same time, as CloudFormation does.
 * After a failure nothing new is begun; what is under way is told so and waited for, and then the first failure thrown.
 *
 * @param predecessors each name after those it waits for
 */
export async function inParallel(
  predecessors: ReadonlyMap<string, string[]>,
  work: (logicalId: string, cancelled: AbortSignal) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = [];
  const failed = new AbortController();
  setMaxListeners(0, failed.signal); // one for each custom resource under way
  const finished = new Map<string, Promise<void>>();
  for (const [logicalId, names] of predecessors) {
    finished.set(logicalId, Promise.all(names.map(name => finished.get(name)!)).then(async () => {
      if (failures.length === 0) {
        await work(logicalId, failed.signal).catch((error: unknown) => {
          failures.push(error);
          failed.abort();
        });
      }
    }));
  }
  await Promise.all(finished.values());
  if (failures.length > 0) {
    throw failures[0];
  }
}

function dependenciesOf({ Properties: properties, DependsOn: dependsOn = [] }: ResourceDefinition): string[] {
  return [...referencesIn(properties), ...(Array.isArray(dependsOn) ? dependsOn : [dependsOn])];
}
