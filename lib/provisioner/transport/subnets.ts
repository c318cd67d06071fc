import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type { IConstruct } from 'constructs';
import type { DatabaseKind } from '../../contract/wire';
import type { Database } from '../../database/database';
import { resourcesOfApp } from '../../database/resources-of-app';
import { errorAt } from '../../model/errors';
import { warn, type Warning } from '../../model/warning';
import { endpointPattern } from '../deployment-order';

export interface Subnets {
  readonly vpc: ec2.IVpc;
  readonly vpcSubnets?: ec2.SubnetSelection;
}

/** Why the functions would need a way out of the VPC. */
export interface NeedsWayOut {
  readonly readsSecret: boolean;
  readonly frameworkInVpc: boolean;
}

/**
 * A function in a public subnet has no public address: it gets to the database and not out of the VPC.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc-internet.html
 */
export function allowPublicSubnet(
  scope: IConstruct, { vpc, vpcSubnets }: Subnets, { kind }: Database, needs: NeedsWayOut,
): { readonly allowPublicSubnet?: boolean } {
  const { hasPublic } = vpc.selectSubnets(vpcSubnets);
  if (hasPublic && (needs.readsSecret || needs.frameworkInVpc)) {
    throw errorAt(scope, `the function that creates users would run in public subnets of ${vpc.node.path}, where a `
      + 'Lambda function has no public address, and so no way to the AWS services that it calls; '
      + `pass vpcSubnets with private or isolated ones${otherRemedies(kind, needs)}`);
  }
  return hasPublic ? { allowPublicSubnet: true } : {};
}

function otherRemedies(kind: DatabaseKind, { readsSecret, frameworkInVpc }: NeedsWayOut): string {
  if (frameworkInVpc) {
    return readsSecret ? '' : ', or leave frameworkInVpc out';
  }
  return ', or admin: AdminCredentials.fromIam(username), which needs no '
    + `secret${kind === 'cluster' ? ', or transport: SqlTransport.dataApi()' : ''}`;
}

/**
 * Isolated subnets of a VPC of this app: an imported one may have ways that the app does not know. Looked up late,
 * because an endpoint may come later.
 */
export function warnOfNoWayOut(
  scope: IConstruct, { vpc, vpcSubnets }: Subnets, { readsSecret, frameworkInVpc }: NeedsWayOut,
): void {
  if (!(vpc instanceof ec2.Vpc) || !(readsSecret || frameworkInVpc)) {
    return;
  }
  const { subnets } = vpc.selectSubnets(vpcSubnets);
  const isolated = new Set(vpc.isolatedSubnets);
  if (subnets.length === 0 || !subnets.every(subnet => isolated.has(subnet))) {
    return;
  }
  scope.node.addValidation({
    validate: () => {
      const tables = subnets.map(({ routeTable: { routeTableId } }) => routeTableId);
      const resources = resourcesOfApp(scope);
      const leadsTo = (service: string) => resources.some(resource =>
        (ec2.CfnRoute.isCfnRoute(resource) && tables.includes(resource.routeTableId))
        || (ec2.CfnVPCEndpoint.isCfnVPCEndpoint(resource) && resource.vpcId === vpc.vpcId
          && endpointPattern(service).test(resource.serviceName ?? '')));
      warn(scope, [
        readsSecret && !leadsTo('secretsmanager') ? noWayToSecretsManager(vpc) : undefined,
        frameworkInVpc && !(leadsTo('lambda') && leadsTo('s3')) ? noWayForFramework(vpc) : undefined,
      ]);
      return [];
    },
  });
}

function noWayToSecretsManager({ node: { path } }: IConstruct): Warning {
  return {
    id: 'cdk-aurora-iam-auth:noWayToSecretsManager',
    text: `the function that creates users runs in isolated subnets of ${path} and reads a secret, `
      + 'and nothing there leads to Secrets Manager, so that the deployment fails; '
      + 'add vpc.addInterfaceEndpoint(\'SecretsManager\', '
      + '{ service: ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER }), '
      + 'or acknowledge where there is another way',
  };
}

function noWayForFramework({ node: { path } }: IConstruct): Warning {
  return {
    id: 'cdk-aurora-iam-auth:noWayForFramework',
    text: `the provider framework runs in isolated subnets of ${path} (frameworkInVpc), and nothing there leads to `
      + 'Lambda and S3, so that CloudFormation gets no answer and the deployment fails; '
      + 'add vpc.addInterfaceEndpoint(\'Lambda\', { service: ec2.InterfaceVpcEndpointAwsService.LAMBDA }) and '
      + 'vpc.addGatewayEndpoint(\'S3\', { service: ec2.GatewayVpcEndpointAwsService.S3 }), '
      + 'or acknowledge where there is another way',
  };
}
