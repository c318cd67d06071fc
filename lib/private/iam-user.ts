import { Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { errorAt } from './errors';
import { ManagedDatabase } from './managed-database';
import { psqlCommand } from './psql-command';
import { RoleResource } from './role-resource';
import { ConnectionEnvironmentOptions, IDatabaseUser } from '../database-user';

/**
 * What a user is to its clients, whether it has a resource of its own or shares one.
 *
 * @internal
 */
export abstract class IamUser extends Construct implements IDatabaseUser {
  public readonly username: string;
  public readonly roleName: string;
  public readonly databaseName: string;

  /** @internal */
  public abstract readonly _resource: RoleResource;

  constructor(scope: Construct, id: string, private readonly database: ManagedDatabase, username: string, databaseName: string) {
    super(scope, id);
    this.username = username; // no parameter property: jsii does not see those of a hidden class
    this.roleName = username;
    this.databaseName = databaseName;
  }

  public grantConnect(grantee: iam.IGrantable): iam.Grant {
    return this.database.grants._connect(grantee, this.username);
  }

  public connectionEnvironment(options: ConnectionEnvironmentOptions = {}): { [name: string]: string } {
    const { Host, Port } = this.database.address;
    return {
      PGHOST: Host,
      PGPORT: Port,
      PGUSER: this.username,
      PGDATABASE: this.databaseName,
      PGSSLMODE: 'verify-full',
      ...options.region ? { AWS_REGION: this.database.region } : {},
    };
  }

  public get psqlCommand(): string {
    if (Token.isUnresolved(this.username)) {
      throw errorAt(this, 'username is a CDK token, and psqlCommand cannot quote for a shell what is not known at synthesis; give the username itself, or use connectionEnvironment()');
    }
    const { Host, Port } = this.database.address;
    return psqlCommand({ host: Host, port: Port, region: this.database.region, username: this.username, database: this.databaseName });
  }
}
