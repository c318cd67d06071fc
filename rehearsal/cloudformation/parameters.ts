import { randomBytes } from 'node:crypto';
import { ParameterDefinition, Template } from './template';

/** A parameter with the value that a rehearsal has for it. */
export interface ParameterValue {
  readonly name: string;
  readonly type: string;
  readonly value: string;
  /**
   * - `given`: by the user, by the CDK CLI, or by the parent of a nested stack
   * - `default`: of the template
   * - `ssm`: in Systems Manager, by a stack of the app or by the user
   * - `invented`: it is not known
   */
  readonly from: 'given' | 'default' | 'ssm' | 'invented';
  /** Name in Systems Manager. */
  readonly ssmName?: string;
}

export interface KnownValues {
  /** By name of the parameter. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** A parameter of Systems Manager; undefined if it is not known. */
  readonly ssm: (name: string) => string | undefined;
}

const SSM = /^AWS::SSM::Parameter::Value<(.+)>$/;

/** Ids of resources of EC2 by the type of a parameter. */
const ID_PREFIXES: Record<string, string> = {
  'AWS::EC2::Image::Id': 'ami',
  'AWS::EC2::Instance::Id': 'i',
  'AWS::EC2::SecurityGroup::Id': 'sg',
  'AWS::EC2::Subnet::Id': 'subnet',
  'AWS::EC2::Volume::Id': 'vol',
  'AWS::EC2::VPC::Id': 'vpc',
};

/** Values of all parameters of a template. */
export function parameterValues({ Parameters: parameters = {} }: Template, known: KnownValues): ParameterValue[] {
  return Object.entries(parameters).map(([name, definition]) => ({
    name,
    type: definition.Type,
    ...valueOf(name, definition, known),
  }));
}

/** The template with these values as the defaults of its parameters, none of which is in Systems Manager any more. */
export function withParameterValues(template: Template, values: ParameterValue[]): Template {
  const parameters = values.map(
    ({ name, type, value }) => [name, { Type: SSM.exec(type)?.[1] ?? type, Default: value }] as const,
  );
  return values.length === 0 ? template : { ...template, Parameters: Object.fromEntries(parameters) };
}

function valueOf(
  name: string,
  { Type: type, Default: value, AllowedValues: allowed, MinValue: least }: ParameterDefinition,
  known: KnownValues,
): Omit<ParameterValue, 'name' | 'type'> {
  const ofSsm = SSM.exec(type);
  const given = Object.hasOwn(known.parameters, name) ? known.parameters[name] : undefined;
  if (ofSsm && (typeof given === 'string' || value !== undefined)) {
    const ssmName = (given ?? value) as string;
    const stored = known.ssm(ssmName);
    return stored === undefined
      ? { value: invented(name, ofSsm[1]), from: 'invented', ssmName }
      : { value: stored, from: 'ssm', ssmName };
  }
  if (given !== undefined) {
    return { value: Array.isArray(given) ? given.join(',') : `${given as string | number}`, from: 'given' };
  }
  return value === undefined
    ? { value: String(allowed?.[0] ?? (type === 'Number' ? least ?? 1 : invented(name, type))), from: 'invented' }
    : { value: String(value), from: 'default' };
}

/** The same for the same name, so that nothing changes between two deployments of one run. */
function invented(name: string, type: string): string {
  const item = /^List<(.+)>$/.exec(type)?.[1] ?? type;
  const prefix = ID_PREFIXES[item];
  const id = (n: number) =>
    `${prefix}-0${Buffer.from(`${RUN}${n}${name}`).toString('hex').slice(0, 16).padEnd(16, '0')}`;
  const text = prefix === undefined ? `invented-${name}` : id(1);
  return type.startsWith('List<') && prefix !== undefined ? `${text},${id(2)}` : text;
}

const RUN = randomBytes(2).toString('hex');
