import { ResourceState } from './template';

/** What a function gets to from where it runs. Security groups and network ACLs are not looked at. */
export interface Reach {
  /** Endpoints of databases. */
  readonly vpc: boolean;
  /** All of AWS' services, over the internet. */
  readonly internet: boolean;
  /** Services that there is an interface endpoint for in its VPC, such as `secretsmanager`. */
  readonly services: string[];
}

/**
 * Outside of a VPC a function gets to the internet and to no database. Inside, it has no public address, so that it
 * needs another way than an internet gateway; and it may run in any of its subnets.
 *
 * @param existing all resources that exist at this moment; a subnet that is not among them is taken to have a way
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc-internet.html
 */
export function reachOf({ properties }: ResourceState, existing: ResourceState[]): Reach {
  const { SubnetIds: subnetIds = [] } = (properties.VpcConfig ?? {}) as { SubnetIds?: string[] };
  if (subnetIds.length === 0) {
    return { vpc: false, internet: true, services: [] };
  }
  const ofType = (type: string) => existing.filter(resource => resource.type === type);
  const subnets = ofType('AWS::EC2::Subnet').filter(({ physicalId }) => subnetIds.includes(physicalId));
  const routeTableOf = (subnetId: string) =>
    ofType('AWS::EC2::SubnetRouteTableAssociation').find(each => each.properties.SubnetId === subnetId)?.properties
      .RouteTableId;
  const hasWay = (subnetId: string) =>
    ofType('AWS::EC2::Route').some(
      ({ properties: route }) =>
        route.RouteTableId === routeTableOf(subnetId)
        && route.DestinationCidrBlock === '0.0.0.0/0'
        && (route.GatewayId as string | undefined)?.startsWith('igw-') !== true,
    );
  return {
    vpc: true,
    internet: subnets.every(({ physicalId }) => hasWay(physicalId)),
    services: ofType('AWS::EC2::VPCEndpoint')
      .filter(
        ({ properties: endpoint }) =>
          endpoint.VpcEndpointType === 'Interface'
          && isTrue(endpoint.PrivateDnsEnabled)
          && endpoint.VpcId === subnets[0]?.properties.VpcId,
      )
      .map(({ properties: endpoint }) => String(endpoint.ServiceName).split('.').slice(3).join('.')),
  };
}

/**
 * What the AWS SDK is told of where the services are:
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
 */
export function endpointsFor({ internet, services }: Reach, aws: string, nowhere: string): Record<string, string> {
  return Object.fromEntries([
    ['AWS_ENDPOINT_URL', internet ? aws : nowhere],
    ...services
      .filter(service => Object.hasOwn(SERVICE_NAMES, service))
      .map(service => [`AWS_ENDPOINT_URL_${SERVICE_NAMES[service]}`, aws]),
  ]) as Record<string, string>;
}

const SERVICE_NAMES: Record<string, string> = {
  'lambda': 'LAMBDA',
  'rds': 'RDS',
  'rds-data': 'RDS_DATA',
  'secretsmanager': 'SECRETS_MANAGER',
};

function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}
