import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct, IConstruct } from 'constructs';
import type { Database } from '../../database/database';
import type { Admin } from '../admin';
import type { FunctionRole } from '../function-role';

/** Where the app wants the function that creates users to run. */
export interface NetworkOptions {
  readonly vpc?: ec2.IVpc;
  readonly vpcSubnets?: ec2.SubnetSelection;
  readonly securityGroups?: ec2.ISecurityGroup[];
  readonly provisioner?: { readonly frameworkInVpc?: boolean };
}

/** How the function that creates users gets to the database. */
export interface Reach {
  /** Equal for those that are the same way. */
  readonly identity: unknown;
  /** Where the function runs; undefined outside of any VPC. */
  readonly network?: { readonly vpc: ec2.IVpc; readonly vpcSubnets?: ec2.SubnetSelection; readonly allowPublicSubnet?: boolean };
  /** What the function is told. */
  readonly environment: { readonly [name: string]: string };
  /** What the role of the function may do for it, beside reading the secret. */
  allow(role: FunctionRole): void;
  securityGroups(scope: Construct): ec2.ISecurityGroup[] | undefined;
  /** Lets the function in. */
  letIn(handler: lambda.Function): void;
}

export type NewReach = (scope: IConstruct, database: Database, admin: Admin, options: NetworkOptions) => Reach;
