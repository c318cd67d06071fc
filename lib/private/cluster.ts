import { Token } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { IConstruct } from 'constructs';
import { errorAt } from './errors';

/** The resource of a PostgreSQL cluster that this app creates. */
export function clusterOfThisApp(scope: IConstruct, cluster: rds.IDatabaseCluster): rds.CfnDBCluster {
  const resource = cluster.node.defaultChild;
  if (!rds.CfnDBCluster.isCfnDBCluster(resource)) {
    throw errorAt(scope, `cluster ${cluster.node.path} is imported, and IAM authentication can be switched on only where the cluster is made; `
      + 'pass a DatabaseCluster or DatabaseClusterFromSnapshot of this app, or use ConnectGrants for grants alone');
  }
  const { engine } = resource;
  if (engine !== undefined && !Token.isUnresolved(engine) && !engine.includes('postgres')) {
    throw errorAt(scope, `engine "${engine}" of cluster ${cluster.node.path} is not supported, because users are created in the SQL of PostgreSQL; `
      + 'pass a cluster with the engine aurora-postgresql or postgres');
  }
  return resource;
}

/** A number wherever the app says it, because a rule with a number can be read and checked; a token otherwise. */
export function portOf(cluster: rds.CfnDBCluster): number {
  return cluster.port ?? Token.asNumber(cluster.attrEndpointPort);
}

/** Beside the interface, a cluster that is made in this app knows its VPC and its secret. */
type OwnedCluster = rds.IDatabaseCluster & { readonly vpc?: ec2.IVpc; readonly secret?: secretsmanager.ISecret };

export function vpcOf(scope: IConstruct, cluster: OwnedCluster): ec2.IVpc {
  if (!cluster.vpc) {
    throw errorAt(scope, `cluster ${cluster.node.path} does not tell its VPC, and the function that creates the users runs there; pass vpc`);
  }
  return cluster.vpc;
}

export function adminSecretOf(scope: IConstruct, cluster: OwnedCluster): secretsmanager.ISecret {
  if (!cluster.secret) {
    throw errorAt(scope, `cluster ${cluster.node.path} has no secret (it has a password from elsewhere, from a snapshot or from the cluster it replicates), `
      + 'and users are created by an admin with username and password; pass admin: AdminCredentials.fromSecret(secret)');
  }
  return cluster.secret;
}

/** The admins whose names the app tells: of the cluster, and of the secret that is used to create users. */
export function adminsOf(cluster: OwnedCluster, resource: rds.CfnDBCluster, adminSecret: secretsmanager.ISecret): string[] {
  return [resource.masterUsername, usernameIn(cluster.secret), usernameIn(adminSecret)]
    .filter(username => username !== undefined && !Token.isUnresolved(username)) as string[];
}

/** The username of a secret that CDK generates a password for; the cluster itself refers to it by the secret. */
function usernameIn(secret: secretsmanager.ISecret | undefined): string | undefined {
  // What a cluster has as its secret is the attachment, a child of the secret.
  const resource = [secret, secret?.node.scope].map(construct => construct?.node.defaultChild)
    .find(child => secretsmanager.CfnSecret.isCfnSecret(child));
  const generated = resource?.generateSecretString;
  const template = generated && 'secretStringTemplate' in generated ? generated.secretStringTemplate : undefined;
  try {
    return (JSON.parse(template ?? '{}') as { username?: string }).username;
  } catch {
    return undefined; // not JSON, or not known at synthesis
  }
}
