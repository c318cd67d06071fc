import { DatabaseProxies } from './database-proxies';
import { DatabaseServers } from './database-servers';
import { arn } from './native-resource';
import { Properties, ResourceOutcome, ResourceProvider, StackIdentity } from './template';

/** `AWS::RDS::DBProxyTargetGroup`: which database is behind a proxy. */
export function databaseProxyTargetGroup(proxies: DatabaseProxies, servers: DatabaseServers): ResourceProvider {
  const register = (stack: StackIdentity, properties: Properties): Promise<ResourceOutcome> => {
    const {
      DBProxyName: name,
      TargetGroupName: group,
      DBClusterIdentifiers: clusters = [],
      DBInstanceIdentifiers: instances = [],
    } = properties as unknown as TargetGroupProperties;
    const targets = [...clusters.map(id => `cluster:${id}`), ...instances.map(id => `db:${id}`)];
    if (group !== 'default' || targets.length !== 1) {
      throw new Error(
        `a target group ${group} with ${targets.length} databases is not rehearsed: there is one of each proxy, default, with one cluster or instance`,
      );
    }
    const proxy = proxies.get(stack, name);
    proxy.database = servers.server(arn(stack, 'rds', targets[0].toLowerCase()));
    const groupArn = arn(stack, 'rds', `target-group:${proxy.resourceId.replace('prx-', 'prx-tg-')}`);
    return Promise.resolve({ physicalId: groupArn, attributes: { TargetGroupArn: groupArn } });
  };
  return {
    create: async ({ stack, properties }) => register(stack, properties),
    update: async ({ stack, properties }) => register(stack, properties),
    delete: (stack, { properties }) => {
      const proxy = proxies.find(stack, properties.DBProxyName as string);
      if (proxy) {
        proxy.database = undefined;
      }
      return Promise.resolve();
    },
  };
}

interface TargetGroupProperties {
  readonly DBProxyName: string;
  readonly TargetGroupName: string;
  readonly DBClusterIdentifiers?: string[];
  readonly DBInstanceIdentifiers?: string[];
}
