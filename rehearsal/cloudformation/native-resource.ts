import { randomBytes } from 'node:crypto';
import {
  Properties,
  ResourceOutcome,
  ResourceProvider,
  ResourceRequest,
  ResourceState,
  StackIdentity,
} from './template';

/** EC2 types whose `Ref` is an id, by the id's prefix. */
const EC2_IDS: Record<string, string> = {
  'AWS::EC2::EIP': 'eipalloc',
  'AWS::EC2::InternetGateway': 'igw',
  'AWS::EC2::NatGateway': 'nat',
  'AWS::EC2::NetworkAcl': 'acl',
  'AWS::EC2::RouteTable': 'rtb',
  'AWS::EC2::SecurityGroup': 'sg',
  'AWS::EC2::SecurityGroupEgress': 'sgr',
  'AWS::EC2::SecurityGroupIngress': 'sgr',
  'AWS::EC2::Subnet': 'subnet',
  'AWS::EC2::VPC': 'vpc',
  'AWS::EC2::VPCEndpoint': 'vpce',
};

/** Attributes beside those that every type gets here, such as `Arn`. */
const ATTRIBUTES: Record<string, (id: string, properties: Properties) => Properties> = {
  'AWS::EC2::EIP': id => ({ AllocationId: id, PublicIp: '192.0.2.1' }),
  'AWS::EC2::InternetGateway': id => ({ InternetGatewayId: id }),
  'AWS::EC2::NatGateway': id => ({ NatGatewayId: id }),
  'AWS::EC2::RouteTable': id => ({ RouteTableId: id }),
  'AWS::EC2::SecurityGroup': (id, { VpcId }) => ({ GroupId: id, VpcId }),
  'AWS::EC2::Subnet': (id, { AvailabilityZone, CidrBlock, VpcId }) => ({
    SubnetId: id,
    AvailabilityZone,
    CidrBlock,
    VpcId,
  }),
  'AWS::EC2::VPC': (id, { CidrBlock }) => ({
    VpcId: id,
    CidrBlock,
    DefaultSecurityGroup: newId('sg'),
    DefaultNetworkAcl: newId('acl'),
  }),
  'AWS::IAM::Role': () => ({ RoleId: `AROA${randomBytes(8).toString('hex').toUpperCase()}` }),
  'AWS::KMS::Key': id => ({ KeyId: id }),
};

/** Property that gives a resource of the type its name. */
const NAMES: Record<string, string> = {
  'AWS::IAM::ManagedPolicy': 'ManagedPolicyName',
  'AWS::IAM::Policy': 'PolicyName',
  'AWS::IAM::Role': 'RoleName',
  'AWS::Lambda::Function': 'FunctionName',
  'AWS::Logs::LogGroup': 'LogGroupName',
  'AWS::RDS::GlobalCluster': 'GlobalClusterIdentifier',
};

/**
 * The qualified ARN of a function.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-alias.html#aws-resource-lambda-alias-return-values
 */
function aliasArn({ stack, properties: { FunctionName: name, Name: alias } }: ResourceRequest): string {
  const functionArn = String(name).startsWith('arn:') ? String(name) : arn(stack, 'lambda', `function:${String(name)}`);
  return `${functionArn}:${String(alias)}`;
}

const REF_IS_ARN = ['AWS::IAM::ManagedPolicy', 'AWS::SNS::Topic'];

/** A resource that does nothing in a rehearsal but have an id and attributes, both invented. */
export const nativeResource: ResourceProvider = {
  create: request => Promise.resolve(invent(request)),
  update: (_request: ResourceRequest, { physicalId, attributes }: ResourceState) =>
    Promise.resolve({ physicalId, attributes }),
  delete: () => Promise.resolve(),
};

/**
 * Custom resources of CDK itself that have nothing to do with databases: their functions would call services that are
 * not here.
 */
const INERT = ['Custom::LogRetention', 'Custom::S3AutoDeleteObjects', 'Custom::VpcRestrictDefaultSG'];

/** What stands for an attribute that a resource does not have here. */
export function inventedAttribute({ logicalId, attributes }: ResourceState, attribute: string): string {
  return /Arn$/.test(attribute) && attributes.Arn !== undefined
    ? (attributes.Arn as string)
    : /Port$/.test(attribute)
      ? '5432'
      : `${logicalId.toLowerCase()}-${attribute.toLowerCase().replaceAll('.', '-')}.invented`;
}

/** Whether a type is one of CloudFormation's for custom resources. */
export function isCustom(type: string): boolean {
  return type.startsWith('Custom::') || type === 'AWS::CloudFormation::CustomResource';
}

/** Whether a type is one that does something here. */
export function isCustomResource(type: string): boolean {
  return isCustom(type) && !INERT.includes(type);
}

/** `arn:<partition>:<service>:<region>:<account>:<resource>`, IAM being without a Region. */
export function arn({ partition, region, account }: StackIdentity, service: string, resource: string): string {
  return `arn:${partition}:${service}:${service === 'iam' ? '' : region}:${account}:${resource}`;
}

/** A name as CloudFormation makes them: short enough for every type. */
export function generatedName({ stack, logicalId }: Pick<ResourceRequest, 'stack' | 'logicalId'>): string {
  return `${stack.name.slice(0, 24)}-${logicalId.slice(0, 24)}-${randomBytes(6).toString('hex').toUpperCase()}`;
}

function invent(request: ResourceRequest): ResourceOutcome {
  const { stack, type, properties } = request;
  if (type === 'AWS::Lambda::Alias') {
    return { physicalId: aliasArn(request), attributes: { AliasArn: aliasArn(request) } };
  }
  const [, service, kind = 'resource'] = type.split('::');
  const prefix = EC2_IDS[type];
  const id = prefix ? newId(prefix) : (properties[NAMES[type]] as string | undefined) ?? generatedName(request);
  const separator = type === 'AWS::Lambda::Function' || type === 'AWS::Logs::LogGroup' ? ':' : '/';
  const resourceKind
    = kind === 'ManagedPolicy'
      ? 'policy'
      : kind === 'LogGroup'
        ? 'log-group'
        : kind === 'ScheduleGroup'
          ? 'schedule-group'
          : kind.toLowerCase();
  const itsArn = arn(stack, service.toLowerCase(), `${resourceKind}${separator}${id}`);
  return {
    physicalId: REF_IS_ARN.includes(type) ? itsArn : id,
    attributes: { Arn: type === 'AWS::Logs::LogGroup' ? `${itsArn}:*` : itsArn, ...ATTRIBUTES[type]?.(id, properties) },
  };
}

function newId(prefix: string): string {
  return `${prefix}-0${randomBytes(8).toString('hex')}`;
}
