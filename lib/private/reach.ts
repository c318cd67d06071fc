import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { FunctionRole } from './function-role';

/** How the function that creates users gets to the database. */
export interface Reach {
  /** Equal for those that are the same way. */
  readonly identity: unknown;
  /** Where the function runs; undefined outside of any VPC. */
  readonly network?: { readonly vpc: ec2.IVpc; readonly vpcSubnets?: ec2.SubnetSelection };
  /** What the function is told. */
  readonly environment: { readonly [name: string]: string };
  /** What the role of the function may do for it, beside reading the secret. */
  allow(role: FunctionRole): void;
  securityGroups(scope: Construct): ec2.ISecurityGroup[] | undefined;
  /** Lets the function in. */
  letIn(handler: lambda.Function): void;
}
