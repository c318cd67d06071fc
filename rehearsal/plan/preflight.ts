import { AppGraph, isDatabaseType, Node, propertiesOf } from './app-graph';
import { DatabaseTargets } from './database-targets';
import { isOfLibrary, ROLE_TYPES } from './library-types';
import { neededNodes } from './needed-nodes';
import { customNote, inventedParameters, snapshotNote, transformNote, unknownPolicies } from './notes';
import { codeProblems, limits, noPostgresql, noUsers, templateProblems, unknownIntrinsics } from './problems';
import { nameOf } from './resource-name';
import { AssemblyStack } from '../cloudformation/cloud-assembly';
import { askedMajor, hasServer, isPostgresql, majorOf } from '../cloudformation/database-properties';
import { isCustom } from '../cloudformation/native-resource';
import { PolicyDocument } from '../iam/policy-document';
import { installedMajors, PostgresqlMajor } from '../postgresql/binaries';
import type { DeploymentPlan } from './deployment-plan';

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

/** They decide who may do what and where a function gets to, although nothing refers to them. */
const NOT_LISTED
  = /^AWS::(CDK::Metadata|IAM::|CloudFormation::Stack$|EC2::(Route|RouteTable|Subnet|SubnetRouteTableAssociation|VPCEndpoint)$)/;

/**
 * Looks at the templates before anything starts.
 *
 * @param assets folder of each asset, by its object key
 */
export function preflight(stacks: AssemblyStack[], assets: ReadonlyMap<string, string>, given: GivenValues): Preflight {
  const ssm = (name: string) => ssmOf(stacks, given, name);
  const parametersOf = (stackId: string) =>
    Object.fromEntries(
      Object.entries(given.parameters).flatMap(([key, value]) => {
        const at = key.indexOf(':');
        return at < 0 ? [[key, value]] : key.slice(0, at) === stackId ? [[key.slice(at + 1), value]] : [];
      }),
    );
  const graph = new AppGraph(stacks, { parametersOf: ({ id }) => parametersOf(id), exports: given.exports, ssm });
  const users = graph.ofType(...ROLE_TYPES);
  const isEngine = ({ stack, definition }: Node) =>
    isPostgresql(graph.known(stack, definition.Properties?.Engine) ?? definition.Properties?.Engine);
  const needed = neededNodes(graph, node => !isDatabaseType(node) || isEngine(node));
  const isNeeded = (stackId: string, logicalId: string) => {
    const node = graph.node(stackId, logicalId);
    // What another assembly of the same app has, and this one does not: it is deleted as it was made.
    return node === undefined || needed.has(node);
  };
  const majors = installedMajors().filter(major => given.majors.length === 0 || given.majors.includes(major));
  const targets = new DatabaseTargets(graph, users);
  const policy = (arn: string) => given.policies[arn] ?? given.policies[arn.split('/').at(-1) ?? ''];
  const databases = [...needed].filter(
    node =>
      isDatabaseType(node) && hasServer({ type: node.definition.Type, properties: node.definition.Properties ?? {} }),
  );
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
      ...versions.flatMap(({ database, asked, used }) =>
        asked !== undefined && askedMajor(asked) !== used
          ? [`${database} asks for PostgreSQL ${asked}: ${used} is used`]
          : [],
      ),
      ...unknownPolicies(graph, policy),
      ...graph.stacks.flatMap(stack => [
        ...inventedParameters(stack, parametersOf(stack.definition.id), ssm),
        ...transformNote(stack),
      ]),
      ...[...new Set(graph.stacks.flatMap(stack => graph.foreignNames(stack)))].map(
        name => `${name} is of another app: its value is invented; --export gives it`,
      ),
      ...graph.nodes
        .filter(({ definition: { Type: type } }) => isCustom(type) && !isOfLibrary(type))
        .flatMap(node => customNote(node, needed)),
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

function versionOf(graph: AppGraph, node: Node, majors: readonly PostgresqlMajor[]): Preflight['versions'] {
  const version = graph.known(node.stack, propertiesOf(node).EngineVersion) as string | number | undefined;
  const { Engine: engine } = propertiesOf(node);
  if (majors.length === 0 || engine === undefined) {
    return [];
  }
  return [
    {
      database: nameOf(node),
      asked: version === undefined ? undefined : `${version}`,
      used: majorOf(node.definition.Type, { Engine: graph.known(node.stack, engine), EngineVersion: version }, majors),
    },
  ];
}

function byType(nodes: Node[]): Map<string, string[]> {
  const types = new Map<string, string[]>();
  nodes.forEach(node => types.set(node.definition.Type, [...types.get(node.definition.Type) ?? [], nameOf(node)]));
  return new Map([...types].sort(([a], [b]) => a < b ? -1 : 1));
}

/** Of Systems Manager: one that the app makes, or one that was given. */
function ssmOf(stacks: AssemblyStack[], given: GivenValues, name: string): string | undefined {
  const values = stacks
    .flatMap(({ template }) => Object.values(template.Resources))
    .filter(({ Type: type, Properties }) => type === 'AWS::SSM::Parameter' && Properties?.Name === name);
  const [own] = values.map(({ Properties }) => Properties?.Value);
  return typeof own === 'string' ? own : own === undefined ? given.ssm[name] : 'of the app';
}
