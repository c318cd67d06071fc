import { NO_VALUE, Scope, StackOutputRequest } from './intrinsics';
import { hasLanguageExtensions, ParameterDefinition, ResourceState, StackIdentity, Template } from './template';

const URL_SUFFIXES: Record<string, string | undefined> = {
  'aws': 'amazonaws.com',
  'aws-cn': 'amazonaws.com.cn',
  'aws-us-gov': 'amazonaws.com',
};

/** What other stacks and the account have, and what stands for what is not known. */
export interface Surroundings {
  readonly importValue: (name: string) => unknown;
  readonly stackOutput?: (request: StackOutputRequest) => unknown;
  /** What stands for an attribute that a resource does not have in a rehearsal. @default - it is an error */
  readonly inventAttribute?: (state: ResourceState, attribute: string) => unknown;
}

/** The names of one template, with the resources that exist at the moment of asking. */
export function templateScope(
  template: Template,
  stack: StackIdentity,
  resources: ReadonlyMap<string, ResourceState>,
  { importValue, stackOutput, inventAttribute }: Surroundings,
): Scope {
  const pseudoParameters: Record<string, unknown> = {
    'AWS::AccountId': stack.account,
    'AWS::NoValue': NO_VALUE,
    'AWS::NotificationARNs': [],
    'AWS::Partition': stack.partition,
    'AWS::Region': stack.region,
    'AWS::StackId': stack.id,
    'AWS::StackName': stack.name,
    'AWS::URLSuffix': URL_SUFFIXES[stack.partition],
  };
  const existing = (logicalId: string) => {
    const state = resources.get(logicalId);
    if (!state) {
      const known = Object.hasOwn(template.Resources, logicalId);
      throw new Error(
        known
          ? `resource ${logicalId} does not exist at this moment`
          : `template has no resource or parameter ${logicalId}`,
      );
    }
    return state;
  };
  return {
    region: stack.region,
    ref: (name) => {
      if (Object.hasOwn(pseudoParameters, name)) {
        return pseudoParameters[name] ?? problem(`${name} of partition ${stack.partition} is not rehearsed`);
      }
      const parameter = own(template.Parameters, name);
      return parameter ? parameterValue(name, parameter) : existing(name).physicalId;
    },
    attribute: (logicalId, attribute) => {
      const state = existing(logicalId);
      const { attributes, type } = state;
      return (
        attributes[attribute]
        ?? inventAttribute?.(state, attribute)
        ?? problem(`${logicalId} (${type}) has no attribute ${attribute} in a rehearsal`)
      );
    },
    mapping: (name, first, second) =>
      own(own(own(template.Mappings, name) ?? problem(`template has no mapping ${name}`), first), second),
    condition: name => own(template.Conditions, name) ?? problem(`template has no condition ${name}`),
    importValue,
    stackOutput: request =>
      stackOutput?.(request)
      ?? problem(`stack ${request.stackName} is not rehearsed, so its output ${request.outputName} is not known`),
    isResource: name => Object.hasOwn(template.Resources, name),
    languageExtensions: hasLanguageExtensions(template),
  };
}

function parameterValue(name: string, { Type: type, Default: value }: ParameterDefinition): unknown {
  if (type.startsWith('AWS::SSM::Parameter::Value<')) {
    problem(`parameter ${name} (${type}) is not rehearsed: its value is in Systems Manager`);
  }
  if (value === undefined) {
    problem(`parameter ${name} has no default, and a rehearsal has no other value for it`);
  }
  const isList = type === 'CommaDelimitedList' || type.startsWith('List<');
  return isList ? String(value).split(',').map(item => item.trim()) : value;
}

/** Not what every object inherits, such as `constructor`. */
function own<Value>(object: Readonly<Record<string, Value>> | undefined, key: string): Value | undefined {
  return object && Object.hasOwn(object, key) ? object[key] : undefined;
}

function problem(message: string): never {
  throw new Error(message);
}
