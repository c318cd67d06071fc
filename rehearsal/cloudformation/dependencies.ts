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
      throw new Error(`circular dependency between resources: ${[...path.slice(path.indexOf(logicalId)), logicalId].join(' -> ')}`);
    }
    dependenciesOf(resources[logicalId]).filter(name => Object.hasOwn(resources, name)).forEach(name => visit(name, [...path, logicalId]));
    ordered.add(logicalId);
  };
  Object.keys(resources).forEach(logicalId => visit(logicalId, []));
  return [...ordered];
}

function dependenciesOf({ Properties: properties, DependsOn: dependsOn = [] }: ResourceDefinition): string[] {
  return [...referencesIn(properties), ...(Array.isArray(dependsOn) ? dependsOn : [dependsOn])];
}
