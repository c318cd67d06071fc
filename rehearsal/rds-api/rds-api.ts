import { AuroraLikeServer } from '../aurora-like-server';
import { AwsAnswer, AwsCall, AwsService } from '../cloudformation/aws-endpoint';
import { Authorize } from '../cloudformation/secrets-manager';
import { ResourceState } from '../cloudformation/template';
import { Condition } from './condition';
import { Elements, fault, parametersOf, result } from './query-protocol';

/** What there is to call, at this moment. */
export interface Surroundings {
  readonly authorize: Authorize;
  /** ARN of who an access key belongs to. */
  readonly principal: (accessKeyId: string) => string | undefined;
  /** A cluster or an instance by its ARN; a member of a cluster has no server of its own. */
  readonly database: (arn: string) => RdsDatabase | undefined;
  /** The same by `cluster-...` or `db-...`. */
  readonly databaseWithId: (resourceId: string) => RdsDatabase | undefined;
  /** Identifiers of the instances of a cluster. */
  readonly members: (clusterIdentifier: string) => string[];
}

export interface RdsDatabase {
  readonly resource: ResourceState;
  readonly server?: AuroraLikeServer;
}

interface Kind {
  /** As in `DBClusterIdentifier` and `DescribeDBClusters`. */
  readonly name: 'DBCluster' | 'DBInstance';
  readonly resourceType: string;
  readonly notFound: string;
  readonly invalidState: string;
  /** The filter that finds one by its resource id. */
  readonly idFilter: string;
  /** Beside what a cluster and an instance have in common. */
  readonly describe: (described: Described) => Elements;
}

interface Described {
  readonly resource: ResourceState;
  readonly server?: AuroraLikeServer;
  readonly status: string;
  readonly pending?: Elements;
  readonly members: string[];
}

const CLUSTER: Kind = {
  name: 'DBCluster',
  resourceType: 'cluster',
  notFound: 'DBClusterNotFoundFault',
  invalidState: 'InvalidDBClusterStateFault',
  idFilter: 'db-cluster-resource-id',
  describe: ({ resource: { attributes, properties }, server, status, pending, members }) => ({
    DBClusterArn: attributes.DBClusterArn as string,
    DbClusterResourceId: attributes.DBClusterResourceId as string,
    Engine: properties.Engine as string,
    Status: status,
    Endpoint: server?.host,
    ReaderEndpoint: attributes['ReadEndpoint.Address'] as string | undefined,
    Port: server?.port,
    PendingModifiedValues: pending,
    DBClusterMembers: { DBClusterMember: members.map(DBInstanceIdentifier => ({ DBInstanceIdentifier })) },
  }),
};

const INSTANCE: Kind = {
  name: 'DBInstance',
  resourceType: 'db',
  notFound: 'DBInstanceNotFound',
  invalidState: 'InvalidDBInstanceState',
  idFilter: 'dbi-resource-id',
  describe: ({ resource: { attributes, properties }, server, status, pending }) => ({
    DBInstanceArn: attributes.DBInstanceArn as string,
    DbiResourceId: attributes.DbiResourceId as string,
    DBClusterIdentifier: properties.DBClusterIdentifier as string | undefined,
    Engine: (properties.Engine ?? (server?.source ? 'postgres' : undefined)) as string | undefined,
    DBInstanceStatus: status,
    Endpoint: { Address: attributes['Endpoint.Address'] as string, Port: attributes['Endpoint.Port'] as string },
    PendingModifiedValues: pending ?? {},
  }),
};

/** The part of the RDS API that describes databases and enables IAM authentication, for those of all stacks. */
export class RdsApi {
  private readonly conditions = new Map<string, Condition>();

  constructor(private readonly surroundings: Surroundings) {}

  /** Of a cluster or an instance, for tests to change. */
  condition({ attributes }: ResourceState): Condition {
    const resourceId = (attributes.DBClusterResourceId ?? attributes.DbiResourceId) as string;
    const condition = this.conditions.get(resourceId) ?? new Condition();
    this.conditions.set(resourceId, condition);
    return condition;
  }

  readonly service: AwsService = (call) => {
    const { Action: action, ...parameters } = parametersOf(call) ?? {};
    const kind = [CLUSTER, INSTANCE].find(({ name }) => [`Describe${name}s`, `Modify${name}`].includes(action));
    return kind && this.answer(call, kind, action, parameters);
  };

  private answer(call: AwsCall, kind: Kind, action: string, parameters: Record<string, string>): AwsAnswer {
    const {
      [`${kind.name}Identifier`]: given,
      'Filters.Filter.1.Name': filter,
      'Filters.Filter.1.Values.Value.1': value,
      ...others
    } = parameters;
    if (given === undefined && filter === kind.idFilter) {
      const physicalId = this.surroundings.databaseWithId(value)?.resource.physicalId;
      return physicalId === undefined && this.surroundings.authorize(call.accessKeyId, `rds:${action}`, '*')
        ? result(action, { [`${kind.name}s`]: {} })
        : this.answer(call, kind, action, { [`${kind.name}Identifier`]: physicalId ?? '-' });
    }
    const { accessKeyId, region } = call;
    const identifier = given?.toLowerCase();
    const principal = this.surroundings.principal(accessKeyId) ?? '';
    const [, partition, , , account] = principal.split(':');
    const arn = `arn:${partition}:rds:${region}:${account}:${kind.resourceType}:${identifier ?? '*'}`;
    if (!this.surroundings.authorize(accessKeyId, `rds:${action}`, arn)) {
      return fault(
        403,
        'AccessDenied',
        `User: ${principal} is not authorized to perform: rds:${action} on resource: ${arn} because no identity-based policy allows the rds:${action} action`,
      );
    }
    const { EnableIAMDatabaseAuthentication: enable, ApplyImmediately: immediately, ...unknown } = others;
    if (identifier === undefined || Object.keys(unknown).length > 0) {
      return fault(400, 'NotRehearsed', `${action} with ${JSON.stringify(parameters)} is not rehearsed`);
    }
    const found = this.surroundings.database(arn);
    if (!found) {
      return fault(404, kind.notFound, `${kind.name} ${identifier} not found.`);
    }
    return action.startsWith('Describe')
      ? result(action, { [`${kind.name}s`]: { [kind.name]: this.describe(kind, identifier, found) } })
      : this.modify(kind, identifier, found.resource, enable === 'true', immediately === 'true');
  }

  private describe(
    kind: Kind,
    identifier: string,
    { resource, server }: Pick<Described, 'resource' | 'server'>,
  ): Elements {
    const condition = this.condition(resource);
    const { status, iamAuthentication } = condition.describe();
    if (server && iamAuthentication !== undefined) {
      server.iamAuthentication = iamAuthentication;
    }
    const pending = Object.keys(condition.pending).length > 0 ? condition.pending : undefined;
    return {
      [`${kind.name}Identifier`]: identifier,
      IAMDatabaseAuthenticationEnabled: server?.iamAuthentication === true,
      EnabledCloudwatchLogsExports: { member: (resource.properties.EnableCloudwatchLogsExports ?? []) as string[] },
      ...kind.describe({ resource, server, status, pending, members: this.surroundings.members(identifier) }),
    };
  }

  private modify(
    kind: Kind,
    identifier: string,
    resource: ResourceState,
    enable: boolean,
    immediately: boolean,
  ): AwsAnswer {
    const condition = this.condition(resource);
    if (condition.status !== 'available') {
      return fault(400, kind.invalidState, `${kind.name} ${identifier} is not in available state.`);
    }
    condition.modify(enable, immediately);
    return result(`Modify${kind.name}`, { [kind.name]: { [`${kind.name}Identifier`]: identifier } });
  }
}
