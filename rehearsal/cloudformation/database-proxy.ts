import { randomBytes } from 'node:crypto';
import { CertificateAuthority } from '../gateway/certificate-authority';
import { DatabaseProxies } from './database-proxies';
import { isTrue } from './database-properties';
import { arn } from './native-resource';
import { proxyUsers, ProxyUsersOptions } from './proxy-users';
import { mayBeAssumedBy } from './role-policies';
import { Properties, ResourceProvider, ResourceRequest } from './template';
import { IssuedCredentials } from '../iam/credentials';
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
      throw new Error(
        `a proxy ${name} exists already in ${stack.region}, and their names are unique in an account and Region; give this one a dbProxyName of its own`,
      );
    }
    const resourceId = `prx-0${randomBytes(8).toString('hex')}`;
    const { certificateAuthority, credentials } = options;
    const host = `${name.toLowerCase()}.proxy-c${randomBytes(5).toString('hex')}.${stack.region}.rds.amazonaws.com`;
    const proxy = await RdsProxy.start({
      host,
      region: stack.region,
      resourceId,
      certificateAuthority,
      credentials,
      settings,
    });
    proxy.authorize = (principal, username, at) =>
      allows(principal, 'rds-db:connect', arn(stack, 'rds-db', `dbuser:${resourceId}/${username}`), at);
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

function settingsOf(properties: Properties, options: DatabaseProxyOptions): RdsProxySettings {
  if (properties.EngineFamily !== 'POSTGRESQL') {
    throw new Error(`a proxy with EngineFamily ${String(properties.EngineFamily)} is not rehearsed: use POSTGRESQL`);
  }
  const role = options.findRole(properties.RoleArn as string);
  // https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy-iam-setup.html
  if (role && !mayBeAssumedBy(role, 'rds.amazonaws.com')) {
    throw new Error(
      `the role of the proxy, ${role.physicalId}, may not be assumed by rds.amazonaws.com, so the proxy could do nothing with it; `
      + "make it with assumedBy: new iam.ServicePrincipal('rds.amazonaws.com')",
    );
  }
  return { requireTls: isTrue(properties.RequireTLS), userNamed: proxyUsers(properties, options) };
}
