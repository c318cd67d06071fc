import { AppGraph, GraphStack, Node, propertiesOf, valuesOf } from './app-graph';
import { nameOf } from './resource-name';
import { isCustomResource } from '../cloudformation/native-resource';
import { parameterValues } from '../cloudformation/parameters';
import { policyOfAws } from '../cloudformation/role-policies';
import { hasLanguageExtensions } from '../cloudformation/template';
import { PolicyDocument } from '../iam/policy-document';

export function transformNote({ definition: { id }, template }: GraphStack): string[] {
  return template.Transform === undefined || hasLanguageExtensions(template)
    ? []
    : [`stack ${id} has the Transform ${JSON.stringify(template.Transform)}: it is not applied`];
}

export function snapshotNote(node: Node): string[] {
  const { SnapshotIdentifier, DBSnapshotIdentifier } = propertiesOf(node);
  const snapshot = SnapshotIdentifier ?? DBSnapshotIdentifier;
  return snapshot === undefined
    ? []
    : [
        `${nameOf(node)} is restored from snapshot ${typeof snapshot === 'string' ? snapshot : JSON.stringify(snapshot)}: an empty database stands in, with the objects that the users name`,
      ];
}

/** Policies and permissions boundaries whose statements are not known, with what that means. */
export function unknownPolicies(graph: AppGraph, policy: (arn: string) => PolicyDocument | undefined): string[] {
  const boundaries = new Map<string, number>();
  const attached = new Map<string, number>();
  for (const { stack, definition } of graph.ofType('AWS::IAM::Role')) {
    const { ManagedPolicyArns: arns = [], PermissionsBoundary: boundary } = (definition.Properties ?? {}) as {
      ManagedPolicyArns?: unknown;
      PermissionsBoundary?: unknown;
    };
    const count = (map: Map<string, number>, value: unknown) => {
      const arn = graph.known(stack, value);
      if (typeof arn === 'string' && !policyOfAws(arn) && !policy(arn)) {
        map.set(arn, (map.get(arn) ?? 0) + 1);
      }
    };
    (Array.isArray(arns) ? arns : []).forEach(arn => count(attached, arn));
    count(boundaries, boundary);
  }
  const roles = (count: number) => `${count} role${count === 1 ? '' : 's'}`;
  return [
    ...[...boundaries].map(
      ([arn, count]) =>
        `permissions boundary ${arn} of ${roles(count)} is not known: provisioners work as if it allowed all, logins are shown as "?"; --policy ${arn}=<file> gives it`,
    ),
    ...[...attached].map(
      ([arn, count]) =>
        `managed policy ${arn} of ${roles(count)} is not known: logins of ${count === 1 ? 'this role' : 'these roles'} are shown as "?"; --policy ${arn}=<file> gives it`,
    ),
  ];
}

export function inventedParameters(
  { definition, template, parent }: GraphStack,
  given: Readonly<Record<string, string>>,
  ssm: (name: string) => string | undefined,
): string[] {
  const used = new Set(
    ['Ref', 'Fn::Sub']
      .flatMap(name => valuesOf([template.Resources, template.Conditions], name))
      .map(({ argument }) => JSON.stringify(argument)),
  );
  const isUsed = (name: string) => [...used].some(argument => argument.includes(name));
  return parameterValues(definition.template, { parameters: { ...given, ...definition.parameters }, ssm })
    .filter(({ from, name }) => from === 'invented' && isUsed(name) && !parent)
    .map(({ name, type, ssmName }) =>
      ssmName === undefined
        ? `parameter ${name} (${type}) of stack ${definition.id} has no value: it is invented; --parameter ${name}=<value> gives it`
        : `parameter ${ssmName} of Systems Manager is not in the app: its value is invented; --ssm ${ssmName}=<value> gives it`,
    );
}

export function customNote(node: Node, needed: Set<Node>): string[] {
  const { Type: type } = node.definition;
  if (!isCustomResource(type)) {
    return [];
  }
  return [
    needed.has(node)
      ? `${nameOf(node)} (${type}) is a custom resource of the app that users wait for: its function runs, and if it fails it does nothing`
      : `${nameOf(node)} (${type}) is a custom resource of the app: it does nothing`,
  ];
}
