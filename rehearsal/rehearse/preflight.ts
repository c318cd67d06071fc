import { RESOURCE_TYPES } from './declared-roles';
import { IAM_AUTHENTICATION_RESOURCE_TYPE } from '../../lib/contract/wire';
import { AssemblyStack } from '../cloudformation/cloud-assembly';
import { isDatabase, majorOf } from '../cloudformation/database-servers';
import { isRehearsed } from '../cloudformation/intrinsics';
import { ResourceDefinition } from '../cloudformation/template';

/** Throws when it is plain from the templates that a rehearsal of these stacks fails or shows nothing. */
export function preflight(stacks: AssemblyStack[]): void {
  stacks.forEach(refuseUnsupported);
  stacks.forEach(stack => refuseForeign(stack, stacks));
  if (!stacks.some(({ template }) => Object.values(template.Resources ?? {}).some(({ Type: type }) => RESOURCE_TYPES.includes(type)))) {
    throw new Error(`no user or role of cdk-aurora-iam-auth is in ${stacks.length === 1 ? 'stack' : 'the stacks'} ${stacks.map(({ name }) => name).join(', ')}: `
      + "add one, such as new AuroraIamAuth(this, 'IamAuth', { cluster }).addUser('orders')");
  }
}

function refuseUnsupported({ name, template }: AssemblyStack): void {
  const { Resources: resources = {}, Outputs: outputs = {} } = template;
  const problem = Object.entries(resources).map(([logicalId, definition]) => whyNotRehearsed(definition, `Resources.${logicalId}`)).find(Boolean)
    ?? unknownIntrinsic(outputs, 'Outputs');
  if (problem !== undefined) {
    throw new Error(`stack ${name} is not rehearsed: ${problem}`);
  }
}

/** What is named by a text, and not by a reference, is a database of another app. */
function refuseForeign({ name, template }: AssemblyStack, stacks: AssemblyStack[]): void {
  const foreign = Object.values(template.Resources ?? {}).flatMap(({ Type: type, Properties: properties = {} }) => {
    const { ResourceId: resourceId } = (properties.Database ?? {}) as { ResourceId?: unknown };
    const database = RESOURCE_TYPES.includes(type) ? resourceId : type === IAM_AUTHENTICATION_RESOURCE_TYPE ? properties.Identifier : undefined;
    return typeof database === 'string' && !identifiersIn(stacks).includes(database) ? [database] : [];
  })[0];
  if (foreign !== undefined) {
    throw new Error(`stack ${name} is not rehearsed: database ${foreign} is of another app, and does not exist in a rehearsal; `
      + 'name the other stacks with --stack, or let a stack of yours stand for that app, as examples/imported-cluster does');
  }
}

function identifiersIn(stacks: AssemblyStack[]): string[] {
  const databases = stacks.flatMap(({ template }) => Object.values(template.Resources ?? {})).filter(({ Type: type }) => /^AWS::RDS::DB(Cluster|Instance)$/.test(type));
  return databases.flatMap(({ Properties: { DBClusterIdentifier: cluster, DBInstanceIdentifier: instance } = {} }) => [cluster, instance])
    .flatMap(identifier => typeof identifier === 'string' ? [identifier.toLowerCase()] : []);
}

function whyNotRehearsed(definition: ResourceDefinition, path: string): string | undefined {
  const { Type: type, Properties: properties = {} } = definition;
  if (type === 'AWS::CloudFormation::Stack') {
    return `${path}: nested stacks (${type}) are not rehearsed`;
  }
  if (isDatabase({ type, properties }) && [properties.Engine, properties.EngineVersion].every(value => typeof value !== 'object')) {
    try {
      majorOf(type, properties);
    } catch (error) {
      return `${path}: ${(error as Error).message}`;
    }
  }
  return unknownIntrinsic(properties, `${path}.Properties`);
}

/** Path and name of the first. */
function unknownIntrinsic(value: unknown, path: string): string | undefined {
  if (typeof value !== 'object' || value === null) {
    return undefined;
  }
  const entries = Object.entries(value);
  const [unknown] = entries.find(([key]) => key.startsWith('Fn::') && !isRehearsed(key)) ?? [];
  return unknown === undefined
    ? entries.map(([key, item]) => unknownIntrinsic(item, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`)).find(each => each !== undefined)
    : `${path}: ${unknown} is not rehearsed`;
}
