import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as rds from 'aws-cdk-lib/aws-rds';
import { Dependable, type IConstruct, type IDependable } from 'constructs';
import type { Database } from '../database/database';

export interface DeploymentPrerequisites {
  readonly database: Database['construct'];
  /** Of the handler; undefined outside of any. */
  readonly vpc?: ec2.IVpc;
  readonly handler: lambda.Function;
  /** What is called from the VPC, as AWS names it in endpoints. */
  readonly services: string[];
}

/**
 * Prerequisites of creating a user, which stay until it is removed: an instance that answers, the
 * rules that let the handler through, and a way to the services that are called, with its rules. (The secret, the roles
 * and the routes come by themselves, because the handler refers to them.)
 *
 * Exactly these, and no whole construct: below the security group of the database are also the rules
 * of its clients, and a client that waits for its user (`fn.node.addDependency(user)`) would wait for itself.
 * Looked up late, at synthesis: an endpoint of the VPC may come after the user.
 */
export function deploymentPrerequisites(way: DeploymentPrerequisites): IDependable {
  const dependable: IDependable = {};
  Dependable.implement(dependable, {
    get dependencyRoots() {
      if (!way.vpc) {
        return databaseOf(way);
      }
      const endpoints = endpointsOf(way.vpc, way.services);
      return [...databaseOf(way), ...rulesOf(way, [way.database, ...endpoints.flatMap(connectable)]), ...endpoints];
    },
  });
  return dependable;
}

function databaseOf({ database }: DeploymentPrerequisites): IConstruct[] {
  return database.node.findAll().filter(
    child => rds.CfnDBCluster.isCfnDBCluster(child) || rds.CfnDBInstance.isCfnDBInstance(child),
  );
}

/** A rule is below one of the groups it is between; which one depends on the stacks they are in. */
function rulesOf({ handler: { connections } }: DeploymentPrerequisites, targets: ec2.IConnectable[]): IConstruct[] {
  const ownGroups = connections.securityGroups;
  const groups = targets.flatMap(target => target.connections.securityGroups);
  const [theirs, ours] = [groups, ownGroups].map(each => each.map(group => group.securityGroupId));
  return [...groups, ...ownGroups].flatMap(group => group.node.findAll()).filter((rule) => {
    const ends = ec2.CfnSecurityGroupIngress.isCfnSecurityGroupIngress(rule)
      ? { from: rule.sourceSecurityGroupId, to: rule.groupId }
      : ec2.CfnSecurityGroupEgress.isCfnSecurityGroupEgress(rule)
        ? { from: rule.groupId, to: rule.destinationSecurityGroupId }
        : {};
    return ours.some(id => id === ends.from) && theirs.some(id => id === ends.to);
  });
}

/** In subnets without a way out, services are reached through endpoints. */
function endpointsOf(vpc: ec2.IVpc, services: string[]): IConstruct[] {
  const names = services.map(endpointPattern);
  return vpc.node.findAll().filter(
    child => ec2.CfnVPCEndpoint.isCfnVPCEndpoint(child) && names.some(name => name.test(child.serviceName ?? '')),
  );
}

/** The L2 of an endpoint, where there is one. */
function connectable({ node: { scope } }: IConstruct): ec2.IConnectable[] {
  return scope && 'connections' in scope ? [scope as unknown as ec2.IConnectable] : [];
}

/**
 * The name of a service in that of an endpoint. It is not all of it: more comes in front and behind, and s3 is not
 * s3-outposts.
 */
export function endpointPattern(service: string): RegExp {
  return new RegExp(`\\.${service}(?![\\w-])`);
}
