import { Token } from 'aws-cdk-lib';
import * as rds from 'aws-cdk-lib/aws-rds';
import type { IConstruct } from 'constructs';
import { clusterIn, instanceIn } from './iam-authentication';
import { isRestored } from './restored';

/** @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbinstance.html */
const DEFAULT_PORT = 5432;

/** The port of an instance of this app. One that is restored has the port it had. */
export function portOfInstance(resource: rds.CfnDBInstance): number {
  const { port, attrEndpointPort } = resource;
  return Token.isUnresolved(port) || (port === undefined && isRestored(resource))
    ? Token.asNumber(attrEndpointPort)
    : Number(port ?? DEFAULT_PORT);
}

/** The port of a cluster, instance or proxy of this app, where it is known at synthesis. */
export function knownPort(construct: IConstruct): number | undefined {
  const instance = instanceIn(construct);
  const proxy = rds.CfnDBProxy.isCfnDBProxy(construct.node.defaultChild);
  const port = clusterIn(construct)?.port ?? (instance ? portOfInstance(instance) : proxy ? DEFAULT_PORT : undefined);
  return port === undefined || Token.isUnresolved(port) ? undefined : port;
}
