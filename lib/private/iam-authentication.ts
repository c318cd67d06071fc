import { Stack } from 'aws-cdk-lib';
import * as rds from 'aws-cdk-lib/aws-rds';
import { errorAt } from './errors';

const CHECKED = new WeakSet<rds.CfnDBCluster>();

/**
 * Nobody signs in with IAM while it is off, and the server then says no more than "password
 * authentication failed". So refuse what is off now, and at the end of the synthesis what is not on.
 */
export function requireIamAuthentication(cluster: rds.CfnDBCluster): void {
  const value = cluster.enableIamDatabaseAuthentication;
  if (value !== undefined && value !== true) {
    throw errorAt(cluster, `iamAuthentication of the cluster is ${value === false ? 'false' : 'a token'}, and unless it is on no user can sign in with IAM; `
      + 'set it to true or leave it out');
  }
  if (!CHECKED.has(cluster)) {
    CHECKED.add(cluster);
    cluster.node.addValidation({ validate: () => problems(cluster) });
  }
}

/** Reads what the template will say, overrides included. */
function problems(cluster: rds.CfnDBCluster): string[] {
  const template = Stack.of(cluster).resolve(cluster._toCloudFormation()) as Template;
  const [resource] = Object.values(template.Resources);
  const value = resource.Properties?.EnableIAMDatabaseAuthentication;
  return value === true
    ? []
    : [`EnableIAMDatabaseAuthentication is ${JSON.stringify(value) ?? 'not set'}, and unless it is true no user can sign in with IAM; `
      + 'apply ClusterIamAuthentication or set iamAuthentication: true, and let nothing change it afterwards'];
}

interface Template {
  readonly Resources: Record<string, { readonly Properties?: Record<string, unknown> }>;
}
