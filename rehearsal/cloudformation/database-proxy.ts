import { randomBytes } from 'node:crypto';
import { CertificateAuthority } from '../gateway/certificate-authority';
import { DatabaseProxies } from './database-proxies';
import { DatabaseServers, isTrue } from './database-servers';
import { arn } from './native-resource';
import { proxyUsers, ProxyUsersOptions } from './proxy-users';
import { Properties, ResourceOutcome, ResourceProvider, ResourceRequest, ResourceState, StackIdentity } from './template';
import { IssuedCredentials } from '../iam/credentials';
import { list } from '../iam/policy-document';
import { RdsProxy, RdsProxySettings } from '../rds-proxy';

export interface DatabaseProxyOptions extends ProxyUsersOptions {
  readonly proxies: DatabaseProxies;
  readonly certificateAuthority: CertificateAuthority;
  readonly credentials: IssuedCredentials;
  readonly allows: (principal: string, action: string, resource: string, at?: Date) => boolean;
  /** Undefined: the subnet is in no rehearsed stack. */
  readonly vpcOf: (subnetId: string) => string | undefined;
}

/** `AWS::RDS::DBProxy`: what clients sign in to in front of a database. Pools and timeouts are not looked at. */
export function databaseProxy(options: DatabaseProxyOptions): ResourceProvider {
  const { proxies, allows, vpcOf } = options;
  const create = async ({ stack, properties }: ResourceRequest) => {
    const settings = settingsOf(properties, options);
    const name = properties.DBProxyName as string;
    if (proxies.find(stack, name)) {
      throw new Error(`a proxy ${name} exists already in ${stack.region}, and their names are unique in an account and Region; give this one a dbProxyName of its own`);
    }
    const resourceId = `prx-0${randomBytes(8).toString('hex')}`;
    const { certificateAuthority, credentials } = options;
    const host = `${name.toLowerCase()}.proxy-c${randomBytes(5).toString('hex')}.${stack.region}.rds.amazonaws.com`;
    const proxy = await RdsProxy.start({ host, region: stack.region, resourceId, certificateAuthority, credentials, settings });
    proxy.authorize = (principal, username, at) => allows(principal, 'rds-db:connect', arn(stack, 'rds-db', `dbuser:${resourceId}/${username}`), at);
    proxies.add(stack, name, proxy);
    const [subnetId] = properties.VpcSubnetIds as string[];
    return {
      physicalId: name,
      attributes: { DBProxyArn: arn(stack, 'rds', `db-proxy:${resourceId}`), Endpoint: host, VpcId: vpcOf(subnetId) },
    };
  };
  return {
    create,
    update: async (request, current) => {
      if (request.properties.DBProxyName !== current.properties.DBProxyName) {
        return create(request);
      }
      proxies.get(request.stack, current.physicalId).settings = settingsOf(request.properties, options);
      return current;
    },
    delete: (stack, { physicalId }) => proxies.delete(stack, physicalId),
  };
}

/** `AWS::RDS::DBProxyTargetGroup`: which database is behind a proxy. */
export function databaseProxyTargetGroup(proxies: DatabaseProxies, servers: DatabaseServers): ResourceProvider {
  const register = (stack: StackIdentity, properties: Properties): Promise<ResourceOutcome> => {
    const { DBProxyName: name, TargetGroupName: group, DBClusterIdentifiers: clusters = [], DBInstanceIdentifiers: instances = [] } = properties as unknown as TargetGroupProperties;
    const targets = [...clusters.map(id => `cluster:${id}`), ...instances.map(id => `db:${id}`)];
    if (group !== 'default' || targets.length !== 1) {
      throw new Error(`a target group ${group} with ${targets.length} databases is not rehearsed: there is one of each proxy, default, with one cluster or instance`);
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

function settingsOf(properties: Properties, options: DatabaseProxyOptions): RdsProxySettings {
  if (properties.EngineFamily !== 'POSTGRESQL') {
    throw new Error(`a proxy with EngineFamily ${String(properties.EngineFamily)} is not rehearsed: use POSTGRESQL`);
  }
  const role = options.findRole(properties.RoleArn as string);
  if (role && !mayBeAssumedByRds(role)) {
    throw new Error(`the role of the proxy, ${role.physicalId}, may not be assumed by rds.amazonaws.com, so the proxy could do nothing with it; `
      + "make it with assumedBy: new iam.ServicePrincipal('rds.amazonaws.com')");
  }
  return { requireTls: isTrue(properties.RequireTLS), userNamed: proxyUsers(properties, options) };
}

/** https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy-iam-setup.html */
function mayBeAssumedByRds({ properties }: ResourceState): boolean {
  return list((properties.AssumeRolePolicyDocument as TrustDocument).Statement).some(({ Effect, Action = [], Principal }) => Effect === 'Allow'
    && list(Action).includes('sts:AssumeRole') && list(Principal?.Service ?? []).includes('rds.amazonaws.com'));
}

interface TrustDocument {
  readonly Statement: TrustStatement | TrustStatement[];
}

interface TrustStatement {
  readonly Effect: string;
  readonly Action?: string | string[];
  readonly Principal?: { readonly Service?: string | string[] };
}
