import { Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { IConstruct } from 'constructs';
import { errorAt } from './errors';
import { ManagedDatabase } from './managed-database';
import { psqlCommand } from './psql-command';
import { ConnectionEnvironmentOptions, IDatabaseUser } from '../database-user';

type User = IConstruct & Pick<IDatabaseUser, 'username' | 'databaseName'>;

/** How clients get in as a user, whether it has a resource of its own or shares one. */
export class UserAccess {
  constructor(private readonly user: User, private readonly database: ManagedDatabase) {}

  public grantConnect(grantee: iam.IGrantable): iam.Grant {
    return this.database.grants._connect(grantee, this.user.username);
  }

  public environment(options: ConnectionEnvironmentOptions = {}): { [name: string]: string } {
    const { Host, Port } = this.database.address;
    return {
      PGHOST: Host,
      PGPORT: Port,
      PGUSER: this.user.username,
      PGDATABASE: this.user.databaseName,
      PGSSLMODE: 'verify-full',
      ...options.region ? { AWS_REGION: this.database.region } : {},
    };
  }

  public psqlCommand(): string {
    const { username, databaseName } = this.user;
    if (Token.isUnresolved(username)) {
      throw errorAt(this.user, 'username is a CDK token, and psqlCommand cannot quote for a shell what is not known at synthesis; give the username itself, or use connectionEnvironment()');
    }
    const { Host, Port } = this.database.address;
    return psqlCommand({ host: Host, port: Port, region: this.database.region, username, database: databaseName });
  }
}
