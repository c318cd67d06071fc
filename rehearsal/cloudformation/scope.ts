import { NO_VALUE, Scope } from './intrinsics';
import { ResourceState, StackIdentity, Template } from './template';

/** The names of one template, with the resources that exist at the moment of asking. */
export function templateScope(
  template: Template, stack: StackIdentity, resources: ReadonlyMap<string, ResourceState>, importValue: (name: string) => unknown,
): Scope {
  const pseudoParameters: Record<string, unknown> = {
    'AWS::AccountId': stack.account,
    'AWS::NoValue': NO_VALUE,
    'AWS::NotificationARNs': [],
    'AWS::Partition': stack.partition,
    'AWS::Region': stack.region,
    'AWS::StackId': stack.id,
    'AWS::StackName': stack.name,
    'AWS::URLSuffix': 'amazonaws.com',
  };
  const existing = (logicalId: string) => {
    const state = resources.get(logicalId);
    if (!state) {
      const known = Object.hasOwn(template.Resources, logicalId);
      throw new Error(`${known ? `resource ${logicalId} does not exist at this moment` : `template has no resource or parameter ${logicalId}`}`);
    }
    return state;
  };
  return {
    region: stack.region,
    ref: (name) => {
      if (Object.hasOwn(pseudoParameters, name)) {
        return pseudoParameters[name];
      }
      const parameter = template.Parameters?.[name];
      if (parameter) {
        return parameter.Default ?? problem(`parameter ${name} has no default, and a rehearsal has no other value for it`);
      }
      return existing(name).physicalId;
    },
    attribute: (logicalId, attribute) => {
      const { attributes, type } = existing(logicalId);
      return attributes[attribute] ?? problem(`${logicalId} (${type}) has no attribute ${attribute} in a rehearsal`);
    },
    mapping: (name, first, second) => template.Mappings?.[name]?.[first]?.[second],
    condition: name => template.Conditions?.[name] ?? problem(`template has no condition ${name}`),
    importValue,
  };
}

function problem(message: string): never {
  throw new Error(message);
}
