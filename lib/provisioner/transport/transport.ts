import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct, IConstruct } from 'constructs';
import type { Database } from '../../database/database';
import type { Acknowledgement } from '../acknowledgements';
import type { Admin } from '../admin';
import type { ProvisionerOptions } from '../../provisioner-options';
import type { FunctionRole } from '../function-role';

/** Where the app wants the function that creates users to run. */
export interface NetworkOptions {
  readonly vpc?: ec2.IVpc;
  readonly vpcSubnets?: ec2.SubnetSelection;
  readonly securityGroups?: ec2.ISecurityGroup[];
  readonly provisioner?: Pick<ProvisionerOptions, 'frameworkInVpc' | 'caCertificates' | 'ipv6AllowedForDualStack'>;
}

/** How the function that creates users gets to the database. */
export interface Transport {
  /** Equal for those that are the same way. */
  readonly identity: unknown;
  /** Where the function runs; undefined outside of any VPC. */
  readonly network?: {
    readonly vpc: ec2.IVpc;
    readonly vpcSubnets?: ec2.SubnetSelection;
    readonly allowPublicSubnet?: boolean;
  };
  /** Of a function outside of any VPC, which answers CloudFormation itself. */
  readonly outsideVpc?: {
    /** As an app asks for it. */
    readonly name: string;
    /**
     * Id of the function below the provisioner: not that of another way, because CloudFormation refuses a ServiceToken
     * that changes.
     */
    readonly handlerId: string;
    /** Id of the custom resource below a user, for the same reason. */
    readonly resourceId: 'DataApiResource' | 'GatewayResource';
    /** Why it is in no VPC. */
    readonly acknowledgement: Acknowledgement;
    /** Whether its code has the authorities of Amazon. */
    readonly trustsAmazon?: boolean;
  };
  /** What the function is told. */
  readonly environment: { readonly [name: string]: string };
  /** What the role of the function may do for it, beside reading the secret. */
  allow(role: FunctionRole): void;
  securityGroups(scope: Construct): ec2.ISecurityGroup[] | undefined;
  /** Lets the function in. */
  allowInboundFrom(handler: lambda.Function): void;
}

/** What an app chooses. */
export interface TransportChoice {
  readonly kind: 'dataApi' | 'internetAccessGateway';
  readonly create: NewTransport;
}

export type NewTransport = (scope: IConstruct, database: Database, admin: Admin, options: NetworkOptions) => Transport;
