import { Stack } from 'aws-cdk-lib';
import * as rds from 'aws-cdk-lib/aws-rds';
import type { IConstruct } from 'constructs';
import { accessModelOf, addCheck } from '../model/app-access';
import { errorAt } from '../model/errors';

/** What has IAM authentication as a property. */
export type DatabaseResource = rds.CfnDBCluster | rds.CfnDBInstance;

/** An L1, or what an L2 was made of; undefined for an imported cluster. */
export function clusterIn(construct: IConstruct | rds.IDBClusterRef): rds.CfnDBCluster | undefined {
  const candidate = rds.CfnDBCluster.isCfnDBCluster(construct) ? construct : construct.node.defaultChild;
  return rds.CfnDBCluster.isCfnDBCluster(candidate) ? candidate : undefined;
}

/** An L1, or what an L2 was made of; undefined for an imported instance. */
export function instanceIn(construct: IConstruct | rds.IDBInstanceRef): rds.CfnDBInstance | undefined {
  const candidate = rds.CfnDBInstance.isCfnDBInstance(construct) ? construct : construct.node.defaultChild;
  return rds.CfnDBInstance.isCfnDBInstance(candidate) ? candidate : undefined;
}

export function enableIamAuthentication(resource: DatabaseResource): void {
  requireIamAuthentication(resource);
  resource.enableIamDatabaseAuthentication = true;
}

/**
 * No user signs in with IAM while it is off, and the server then says no more than "password
 * authentication failed". So refuse what is off now, and at the end of the synthesis what is not on.
 */
export function requireIamAuthentication(resource: DatabaseResource): void {
  // An instance of the L2 has what it is told until the synthesis.
  const value = Stack.of(resource).resolve(resource.enableIamDatabaseAuthentication) as unknown;
  if (value !== undefined && value !== true) {
    throw errorAt(
      resource,
      `iamAuthentication of the ${kindOf(resource)} is ${value === false ? 'false' : 'a token'}, and unless it is on no user can sign in with IAM; `
      + 'set it to true or leave it out',
    );
  }
  if (addCheck(accessModelOf(resource), 'IAM authentication')) {
    resource.node.addValidation({ validate: () => problems(resource) });
  }
}

function problems(database: DatabaseResource): string[] {
  const { EnableIAMDatabaseAuthentication: value, WithExpressConfiguration: express } = propertiesIn(database);
  return value === true || (value === undefined && express === true)
    ? []
    : [
        `EnableIAMDatabaseAuthentication is ${JSON.stringify(value) ?? 'not set'}, and unless it is true no user can sign in with IAM; `
        + `apply ${rds.CfnDBCluster.isCfnDBCluster(database) ? 'ClusterIamAuthEnabled' : 'InstanceIamAuthEnabled'} or set iamAuthentication: true, and let nothing change it afterwards`,
      ];
}

/** What the template will say, overrides included. */
export function propertiesIn(database: DatabaseResource): { readonly [property: string]: unknown } {
  const template = Stack.of(database).resolve(database._toCloudFormation()) as Template;
  return Object.values(template.Resources)[0].Properties ?? {};
}

function kindOf(resource: DatabaseResource): string {
  return rds.CfnDBCluster.isCfnDBCluster(resource) ? 'cluster' : 'instance';
}

interface Template {
  readonly Resources: Record<string, { readonly Properties?: Record<string, unknown> }>;
}
