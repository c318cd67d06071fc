import { isDeepStrictEqual } from 'node:util';
import { DeployedStack } from '../deployed/deployed-stack';
import { NO_VALUE, referencesIn, resolve, Scope } from '../../rehearsal/cloudformation/intrinsics';
import { templateScope } from '../../rehearsal/cloudformation/scope';
import { ParameterDefinition, Template } from '../../rehearsal/cloudformation/template';
import { valuesOf } from '../../rehearsal/plan/app-graph';

/** A value, or why it is not known. */
export type Known = { readonly value: unknown } | { readonly unknown: string };

export type Parameters = ReadonlyMap<string, Known>;

/** A CloudFormation parameter with NoEcho is shown as this. */
const NO_ECHO = '****';

/**
 * What another property than one of these changes, does not give the resource another name. Of other types, any change
 * may.
 */
const NAME_DEPENDS_ON: Readonly<Record<string, string[]>> = {
  // https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html
  'AWS::IAM::Role': ['RoleName', 'Path'],
  // https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-user.html
  'AWS::IAM::User': ['UserName'],
};

/** Functions whose value depends on more than what they refer to by name. */
const DEPENDENT = ['Fn::If', 'Fn::FindInMap'];

/** Of a stack at its last deployment. */
export function parametersBefore({ facts, template }: DeployedStack): Parameters {
  return new Map(Object.entries(template.Parameters ?? {}).map(([name, definition]): [string, Known] => {
    const value = facts.parameters.get(name);
    return [
      name,
      value === undefined || value === NO_ECHO
        ? {
            unknown: `the value of parameter ${name} is not shown by CloudFormation`,
          }
        : { value: typed(value, definition) },
    ];
  }));
}

/**
 * Of its next deployment. The CDK CLI keeps the values of parameters that are not given.
 *
 * @param given by the command line, by the CDK CLI, or by the parent of a nested stack
 */
export function parametersAfter(
  template: Template,
  deployed: DeployedStack | undefined,
  given: Parameters,
  isNested: boolean,
): Parameters {
  return new Map(Object.entries(template.Parameters ?? {}).map(([name, definition]): [string, Known] => {
    const kept = isNested ? undefined : deployed?.facts.parameters.get(name);
    const known = given.get(name);
    if (known && 'unknown' in known) {
      return [name, known];
    }
    if (definition.Type.startsWith('AWS::SSM::Parameter::Value<')) {
      return [
        name,
        {
          unknown: `parameter ${name} is in Systems Manager, from where CloudFormation reads it during the deployment`,
        },
      ];
    }
    const value = known?.value ?? kept ?? definition.Default;
    if (value === undefined || value === NO_ECHO) {
      return [
        name,
        {
          unknown:
            value === undefined
              ? `parameter ${name} has no value yet`
              : `the value of parameter ${name} is not shown by CloudFormation`,
        },
      ];
    }
    return [name, { value: typed(value, definition) }];
  }));
}

function typed(value: unknown, { Type: type }: ParameterDefinition): unknown {
  const isList = type.includes('CommaDelimitedList') || type.includes('List<');
  return isList && typeof value === 'string' ? value.split(',').map(item => item.trim()) : value;
}

/** What a stack has in its template before a deployment. */
export class ValuesBefore {
  private readonly parameters: Parameters;

  constructor(readonly deployed: DeployedStack) {
    this.parameters = parametersBefore(deployed);
  }

  parameter(name: string): Known | undefined {
    return this.parameters.get(name);
  }

  /** @throws why a part is not known */
  resolve(value: unknown, path: string): unknown {
    const { deployed } = this;
    return complete(resolve(value, scopeOf(deployed.template, deployed, this.parameters, {
      ref: name => deployed.resources.get(name)?.physicalId ?? unknown(`resource ${name} does not exist`),
      output: (logicalId, name) => deployed.nested.get(logicalId)?.facts.outputs.get(name),
    }), path));
  }
}

/** What it will have there. What the deployment may change is not known. */
export class ValuesAfter {
  private readonly scope: Scope;

  constructor(
    private readonly template: Template,
    private readonly before: ValuesBefore,
    private readonly parameters: Parameters,
  ) {
    const { deployed } = before;
    this.scope = scopeOf(template, deployed, parameters, {
      ref: (name) => {
        const { physicalId } = deployed.resources.get(name) ?? unknown(
          `resource ${name} is created by the deployment, which gives it a name`,
        );
        return this.keepsName(name)
          ? physicalId
          : unknown(`resource ${name} is changed by the deployment, which may give it another name`);
      },
      output: (logicalId, name) =>
        this.keepsName(logicalId) ? deployed.nested.get(logicalId)?.facts.outputs.get(name) : undefined,
    });
  }

  /** @throws why a part is not known */
  resolve(value: unknown, path: string): unknown {
    return complete(resolve(value, this.scope, path));
  }

  get conditions(): Scope {
    return this.scope;
  }

  /** Whether a value is the same before and after, also where it is not known. */
  isSame(before: unknown, after: unknown, under: readonly string[] = []): boolean {
    return isDeepStrictEqual(before, after)
      && !DEPENDENT.some(name => valuesOf(after, name).length > 0)
      && referencesIn(after).every(name => this.isSameName(name, under));
  }

  private isSameName(name: string, under: readonly string[]): boolean {
    const parameter = this.parameters.get(name);
    if (parameter) {
      const before = this.before.parameter(name);
      return (
        before !== undefined
        && 'value' in before
        && 'value' in parameter
        && isDeepStrictEqual(before.value, parameter.value)
      );
    }
    return !Object.hasOwn(this.template.Resources, name) || under.includes(name) || this.keepsName(name, under);
  }

  private keepsName(logicalId: string, under: readonly string[] = []): boolean {
    const { deployed } = this.before;
    const [was, is] = [deployed.template.Resources[logicalId], this.template.Resources[logicalId]];
    if (was?.Type !== is?.Type || !deployed.resources.has(logicalId)) {
      return false;
    }
    const names = NAME_DEPENDS_ON[is.Type];
    const [before, after] = [was, is].map(
      ({ Properties = {} }) => names ? Object.fromEntries(names.map(name => [name, Properties[name]])) : Properties,
    );
    return this.isSame(before, after, [...under, logicalId]);
  }
}

interface Lookup {
  readonly ref: (logicalId: string) => unknown;
  readonly output: (logicalId: string, name: string) => string | undefined;
}

function scopeOf(template: Template, { facts }: DeployedStack, parameters: Parameters, { ref, output }: Lookup): Scope {
  const importValue = (name: string) => unknown(`export ${name} is read by CloudFormation during the deployment`);
  const scope = templateScope(template, facts, new Map(), { importValue });
  return {
    ...scope,
    ref: (name) => {
      const parameter = parameters.get(name);
      if (parameter) {
        return 'value' in parameter ? parameter.value : unknown(parameter.unknown);
      }
      return Object.hasOwn(template.Resources, name) ? ref(name) : scope.ref(name);
    },
    attribute: (logicalId, attribute) => {
      const name = /^Outputs\.(.+)$/.exec(attribute)?.[1];
      return (name === undefined ? undefined : output(logicalId, name)) ?? unknown(
        `attribute ${attribute} of resource ${logicalId} is known to CloudFormation alone`,
      );
    },
    stackOutput: ({ stackName, outputName }) => unknown(
      `output ${outputName} of stack ${stackName} is read by CloudFormation during the deployment`,
    ),
  };
}

/** A value as CloudFormation hands it to a custom resource: every scalar is a text. */
function complete(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(complete);
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, complete(item)]));
  }
  return value === NO_VALUE
    ? undefined
    : String(value).includes('{{resolve:')
      ? unknown(`${String(value)} is read by CloudFormation during the deployment`)
      : String(value);
}

function unknown(reason: string): never {
  throw new Error(reason);
}
