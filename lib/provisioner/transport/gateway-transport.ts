import { Aws, Tokenization } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { optionOfVpc } from './outside-vpc';
import type { NetworkOptions, Transport, TransportChoice } from './transport';
import { DATABASE_CA_FILE, DATABASE_PORT, URL_SUFFIX } from '../../contract/wire';
import type { Database } from '../../database/database';
import { EXPRESS_MASTER } from '../../database/express';
import { errorAt } from '../../model/errors';
import { warn } from '../../model/warning';
import { CONNECTS_FROM_OUTSIDE_VPC } from '../acknowledgements';
import type { Admin } from '../admin';
import { AMAZON_CA_FILE, GIVEN_CA_FILE } from '../handler-code';

/** A connection over the internet, to the internet access gateway of a cluster that is in no VPC of the account. */
export class GatewayTransport implements Transport {
  public readonly identity: unknown = 'internet access gateway';
  public readonly environment: { readonly [name: string]: string };
  public readonly outsideVpc: Transport['outsideVpc'] = {
    name: 'SqlTransport.internetAccessGateway()',
    handlerId: 'GatewayHandler',
    resourceId: 'GatewayResource',
    acknowledgement: CONNECTS_FROM_OUTSIDE_VPC,
    trustsAmazon: true,
  };

  constructor(
    scope: IConstruct,
    { kind, construct, resource, isBehindGateway, port }: Database,
    admin: Admin,
    options: NetworkOptions,
  ) {
    const refuse = (problem: string) => {
      throw errorAt(
        scope,
        `the way to ${kind} ${construct.node.path} is the internet access gateway of express configuration, and ${problem}`,
      );
    };
    if (kind === 'instance' || (resource && !isBehindGateway)) {
      refuse(`this ${kind} is in a VPC and has none; leave transport out`);
    }
    if (admin.secret) {
      refuse(`only IAM signs in there; pass admin: AdminCredentials.fromIam('${EXPRESS_MASTER}'), or leave it out`);
    }
    const { caCertificates } = options.provisioner ?? {};
    const name = optionOfVpc(options);
    if (name) {
      refuse(`${name} cannot be combined with it, because the function runs outside a VPC; leave it out`);
    }
    warn(scope, [{
      id: 'cdk-aurora-iam-auth:expressConfiguration',
      text: `${kind} ${construct.node.path} has express configuration, which this library has not met on AWS: neither `
        + 'which authority signs the certificate of its gateway is documented, nor what its master may grant; '
        + 'try it, and acknowledge',
    }]);
    this.environment = {
      [DATABASE_PORT]: Tokenization.stringifyNumber(port),
      [DATABASE_CA_FILE]: caCertificates === undefined ? AMAZON_CA_FILE : GIVEN_CA_FILE,
      [URL_SUFFIX]: Aws.URL_SUFFIX,
    };
  }

  public allow(): void {
    // A token needs no more than rds-db:connect.
  }

  public securityGroups(): undefined {
    return undefined;
  }

  public allowInboundFrom(): void {
    // The gateway is open to the internet, and lets in by IAM.
  }
}

/** Also what a cluster with express configuration has without being asked. */
export const INTERNET_ACCESS_GATEWAY: TransportChoice = {
  kind: 'internetAccessGateway',
  create: (scope, database, admin, options) => new GatewayTransport(scope, database, admin, options),
};
