import { AppGraph, GraphStack, isDatabaseType, keyOf, Node, Origin, propertiesOf } from './app-graph';
import { nameOf } from './resource-name';
import { Expected } from './stand-in-objects';
import {
  DATABASE_RESOURCE_ID,
  DatabaseRoleProperties,
  DatabaseUserProperties,
  DatabaseUsersProperties,
  IAM_AUTHENTICATION_RESOURCE_TYPE,
  RoleProperties,
} from '../../lib/contract/wire';

/** Which database each user is of. */
export class DatabaseTargets {
  private readonly byUser: ReadonlyMap<Node, Origin>;
  private readonly declared: string[];

  constructor(private readonly graph: AppGraph, private readonly users: Node[]) {
    this.byUser = new Map(
      users.map(user => [
        user,
        this.target(user.stack, (propertiesOf(user).Database as { ResourceId?: unknown } | undefined)?.ResourceId),
      ]),
    );
    this.declared = users.flatMap(user => namesOf(user));
  }

  /** Why users cannot be made in the database that one of them names. */
  problem(user: Node, isEngine: (node: Node) => boolean): string[] {
    const origin = this.byUser.get(user)!;
    if (origin.kind !== 'resource' || !isDatabaseType(origin.node) || isEngine(origin.node)) {
      return [];
    }
    const { Engine: engine } = propertiesOf(origin.node);
    return [
      `${nameOf(user)} is a user of ${nameOf(origin.node)}, which has Engine ${JSON.stringify(engine)}: users are for aurora-postgresql and postgres`,
    ];
  }

  /** Databases that are not of the app. */
  standIns(): string[] {
    return [...new Set([...this.byUser.values()].flatMap((origin) => {
      switch (origin.kind) {
        case 'text': return [`database ${origin.text} is of another app`];
        case 'foreign': return [`the database of ${origin.name} is of another app`];
        case 'other': return ['a database whose resource id is not known before the deployment'];
        case 'resource':
          return isDatabaseType(origin.node)
            ? []
            : [`the database that ${nameOf(origin.node)} leads to is of another app`];
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
    const roles = this.users
      .filter(user => textOf(this.byUser.get(user)!) === key)
      .map(user => propertiesOf(user) as Partial<RoleProperties>);
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
    const own = this.graph.nodes.find(
      node =>
        isDatabaseType(node)
        && named.kind === 'text'
        && [propertiesOf(node).DBClusterIdentifier, propertiesOf(node).DBInstanceIdentifier].some(
          each => typeof each === 'string' && each.toLowerCase() === named.text,
        ),
    );
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

function namesOf(user: Node): string[] {
  const { Username, Usernames, RoleName } = propertiesOf(user) as Partial<
    DatabaseUserProperties & DatabaseUsersProperties & DatabaseRoleProperties
  >;
  return [Username, Usernames, RoleName].flat().filter(name => typeof name === 'string');
}
