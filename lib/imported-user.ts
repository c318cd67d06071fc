import { Token } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { ConnectionEnvironmentOptions, GrantConnectOptions, PsqlCommandOptions } from './connect-options';
import { usernameProblem } from './contract/names';
import { clusterOfClients, instanceOfClients } from './database/client-database';
import type { Database } from './database/database';
import { UserAccess } from './database/user-access';
import { errorAt } from './model/errors';
import { markManagedElsewhere } from './model/known-role';
import { isToBeLookedUp } from './model/token';
import { requireOptions, requireText } from './model/types';
import { managedDatabaseOf } from './provisioner/managed-database';
import type { IDatabaseUser } from './role-interface';
import type { DatabaseUserAttributes } from './role-options';

/** A user that is created elsewhere: this app connects as it, and no more. */
export class ImportedUser extends Construct implements IDatabaseUser {
  public readonly username: string;
  public readonly roleName: string;
  public readonly database: string;
  private readonly access: UserAccess;

  constructor(scope: Construct, id: string, attributes: DatabaseUserAttributes) {
    super(scope, id);
    requireOptions(this, 'attributes', attributes);
    const { username, iamAuth, database: name } = attributes;
    requireText(this, 'username', username);
    if (name !== undefined) {
      requireText(this, 'database', name);
    }
    const problem = Token.isUnresolved(username)
      ? 'username is a token, and a * in it would let the grantee sign in as every user; give the username itself'
      : !isToBeLookedUp(username) && usernameProblem(username);
    if (problem) {
      throw errorAt(this, problem);
    }
    const database = databaseOf(this, attributes);
    this.username = username;
    this.roleName = username;
    this.database = name ?? iamAuth?.database ?? database.databaseName ?? 'postgres';
    this.access = new UserAccess(this, database);
    markManagedElsewhere(this);
  }

  public grantConnect(grantee: iam.IGrantable, options: GrantConnectOptions = {}): iam.Grant {
    return this.access.grantConnect(grantee, options);
  }

  public connectionEnvironment(options: ConnectionEnvironmentOptions = {}): { [name: string]: string } {
    return this.access.environment(options);
  }

  public psqlCommand(options: PsqlCommandOptions = {}): string {
    return this.access.psqlCommand(options);
  }
}

function databaseOf(
  scope: Construct,
  { iamAuth, cluster, instance, alsoResourceIds }: DatabaseUserAttributes,
): Database {
  const given = Object.entries({ iamAuth, cluster, instance })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name);
  if (given.length !== 1) {
    throw errorAt(
      scope,
      `the database of the user is given by ${given.join(' and ') || 'nothing'}, and a user is in one database server; pass one of iamAuth, cluster and instance`,
    );
  }
  if (iamAuth && alsoResourceIds !== undefined) {
    throw errorAt(
      scope,
      'alsoResourceIds cannot be combined with iamAuth, which has those of its database; pass them to the AuroraIamAuth or InstanceIamAuth',
    );
  }
  const options = { alsoResourceIds };
  return cluster
    ? clusterOfClients(cluster, options)
    : instance
      ? instanceOfClients(instance, options)
      : managedDatabaseOf(scope, iamAuth!).database;
}
