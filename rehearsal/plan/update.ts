import { valuesOf } from './app-graph';
import { AssemblyStack } from '../cloudformation/cloud-assembly';
import { isCustom } from '../cloudformation/native-resource';

/** Why CloudFormation would refuse to update one app to another, stack by stack in the order of deployment. */
export function updateProblems(from: AssemblyStack[], to: AssemblyStack[]): string[] {
  const before = new Map(from.map(stack => [stack.id, stack]));
  return to.flatMap((stack, index) => {
    const old = before.get(stack.id);
    if (!old) {
      return [];
    }
    // Stacks that come later are still as they were.
    const current = [
      ...to.slice(0, index),
      ...from.filter(({ id }) => !to.slice(0, index + 1).some(each => each.id === id)),
    ];
    return [...exportsInUse(old, stack, current), ...changedTokens(old, stack)];
  });
}

function exportsInUse(old: AssemblyStack, next: AssemblyStack, others: AssemblyStack[]): string[] {
  const kept = Object.keys(exportsOf(next));
  return Object.keys(exportsOf(old)).filter(name => !kept.includes(name)).flatMap((name) => {
    const importer = others.find(({ template }) =>
      valuesOf(template.Resources, 'Fn::ImportValue').some(({ argument }) => argument === name),
    );
    return importer
      ? [
          `stack ${next.id} cannot be updated: it no longer has the export ${name}, which stack ${importer.id} imports until it is updated itself. `
          + `Keep it for one deployment with this.exportValue(...) in ${next.id}`,
        ]
      : [];
  });
}

function exportsOf({ template }: AssemblyStack): Record<string, unknown> {
  return Object.fromEntries(
    Object.values(template.Outputs ?? {}).flatMap(({ Export, Value }) =>
      typeof Export?.Name === 'string' ? [[Export.Name, Value]] : [],
    ),
  );
}

function changedTokens(old: AssemblyStack, next: AssemblyStack): string[] {
  return Object.entries(next.template.Resources).flatMap(([logicalId, { Type: type, Properties: properties }]) => {
    const before = Object.hasOwn(old.template.Resources, logicalId) ? old.template.Resources[logicalId] : undefined;
    if (!before) {
      return [];
    }
    if (before.Type !== type) {
      return [
        `stack ${next.id} cannot be updated: resource ${logicalId} is a ${before.Type} and would become a ${type}; CloudFormation changes no type. Give it another id`,
      ];
    }
    const [was, is] = [before.Properties?.ServiceToken, properties?.ServiceToken].map(value => JSON.stringify(value));
    return isCustom(type) && was !== is
      ? [
          `stack ${next.id} cannot be updated: the service token of ${logicalId} (${type}) would change from ${was} to ${is}, which CloudFormation refuses. Give the resource another id`,
        ]
      : [];
  });
}
