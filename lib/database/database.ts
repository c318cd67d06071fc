import { Tokenization } from 'aws-cdk-lib';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as rds from 'aws-cdk-lib/aws-rds';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type { IConstruct } from 'constructs';
import type { DatabaseResource } from './iam-authentication';
import type { SignInTarget } from './sign-in-target';
import type { DatabaseAddress, DatabaseKind } from '../contract/wire';
import { errorAt } from '../model/errors';

/** A database that users are created in: a cluster or an instance, made in this app or imported. */
export interface Database {
  readonly kind: DatabaseKind;
  /** As the app has it. */
  readonly construct: rds.IDatabaseCluster | rds.IDatabaseInstance;
  /** Undefined where it is imported. */
  readonly resource?: DatabaseResource;
  /** How its users sign in. */
  readonly target: SignInTarget;
  readonly host: string;
  /** Of a cluster; undefined where it was imported without it. */
  readonly readerHost?: string;
  /** A number wherever the app says it, because a rule with a number can be read and checked; a token otherwise. */
  readonly port: number;
  /** The database that is made with it. */
  readonly databaseName?: string;
  readonly vpc?: ec2.IVpc;
  readonly secret?: secretsmanager.ISecret;
  /** Whether it is in no VPC of the account, and clients connect to the internet access gateway. */
  readonly isBehindGateway?: boolean;
}

export function addressOf({ target, host, port }: Database): DatabaseAddress {
  return { ResourceId: target.resourceId, Host: host, Port: Tokenization.stringifyNumber(port) };
}

export function readerHostOf(scope: IConstruct, { construct, kind, readerHost }: Database): string {
  if (kind === 'instance') {
    throw errorAt(
      scope,
      `instance ${construct.node.path} has no reader endpoint: a read replica has an endpoint and a resource id of its own; `
      + 'use the endpoint of the replica, and ConnectGrants.fromInstance(replica)',
    );
  }
  if (readerHost === undefined) {
    throw errorAt(
      scope,
      `cluster ${construct.node.path} was imported without its reader endpoint; give readerEndpointAddress where it is imported`,
    );
  }
  return readerHost;
}

export function vpcOf(scope: IConstruct, { construct, kind, vpc }: Database): ec2.IVpc {
  if (!vpc) {
    throw errorAt(
      scope,
      `${kind} ${construct.node.path} does not tell its VPC, and the function that creates the users runs there; pass vpc`,
    );
  }
  return vpc;
}
