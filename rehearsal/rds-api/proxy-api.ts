import { AwsCall, AwsService } from '../cloudformation/aws-endpoint';
import { Authorize } from '../cloudformation/secrets-manager';
import { ResourceState } from '../cloudformation/template';
import { fault, parametersOf, result } from './query-protocol';

export interface ProxySurroundings {
  readonly authorize: Authorize;
  /** By its name. */
  readonly proxy: (name: string) => ResourceState | undefined;
  readonly targetGroup: (name: string) => ResourceState | undefined;
}

interface AuthEntry {
  readonly AuthScheme?: string;
  readonly IAMAuth?: string;
  readonly SecretArn?: string;
}

/**
 * DescribeDBProxies and DescribeDBProxyTargets of one proxy.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBProxy.html
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBProxyTarget.html
 */
export function proxyApi({ authorize, proxy, targetGroup }: ProxySurroundings): AwsService {
  return (call: AwsCall) => {
    const { Action: action = '', DBProxyName: name = '' } = parametersOf(call) ?? {};
    if (action !== 'DescribeDBProxies' && action !== 'DescribeDBProxyTargets') {
      return undefined;
    }
    const found = proxy(name);
    const arn = (found?.attributes.DBProxyArn as string | undefined) ?? '*';
    if (!authorize(call.accessKeyId, `rds:${action}`, arn)) {
      return fault(
        403,
        'AccessDenied',
        `User is not authorized to perform: rds:${action} on resource: ${arn} because no identity-based policy allows the rds:${action} action`,
      );
    }
    if (found === undefined) {
      return fault(404, 'DBProxyNotFoundFault', `DBProxy ${name} not found.`);
    }
    return action === 'DescribeDBProxies'
      ? result(action, { DBProxies: { member: described(found) } })
      : result(action, { Targets: { member: targets(targetGroup(name)) } });
  };
}

function described({ physicalId, attributes, properties }: ResourceState) {
  return {
    DBProxyName: physicalId,
    DBProxyArn: attributes.DBProxyArn as string,
    Status: 'available',
    EngineFamily: properties.EngineFamily as string,
    RoleArn: properties.RoleArn as string,
    Endpoint: attributes.Endpoint as string,
    DefaultAuthScheme: (properties.DefaultAuthScheme ?? 'NONE') as string,
    Auth: {
      member: ((properties.Auth ?? []) as AuthEntry[]).map(
        ({ AuthScheme = 'SECRETS', IAMAuth = 'DISABLED', SecretArn }) => ({ AuthScheme, IAMAuth, SecretArn }),
      ),
    },
  };
}

function targets(group?: ResourceState) {
  const { DBClusterIdentifiers: clusters = [], DBInstanceIdentifiers: instances = [] } = (group?.properties ?? {}) as {
    DBClusterIdentifiers?: string[];
    DBInstanceIdentifiers?: string[];
  };
  return [
    ...clusters.map(id => ({ RdsResourceId: id, Type: 'TRACKED_CLUSTER', TargetHealth: { State: 'AVAILABLE' } })),
    ...instances.map(id => ({ RdsResourceId: id, Type: 'RDS_INSTANCE', TargetHealth: { State: 'AVAILABLE' } })),
  ];
}
