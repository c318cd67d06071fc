import { Token } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import { grantConnect, proxyInFront } from './connect-permission';
import { addressOf, type Database } from './database';
import { roleOfProxy } from './proxy';
import { psqlCommand } from './psql-command';
import type { ConnectionEnvironmentOptions, GrantConnectOptions } from '../connect-options';
import { errorAt } from '../model/errors';
import type { IDatabaseUser } from '../role-interface';

type User = IConstruct & Pick<IDatabaseUser, 'username' | 'databaseName'>;

/** How clients get in as a user, whether it has a resource of its own or shares one. */
export class UserAccess {
  constructor(private readonly user: User, private readonly database: Database) {}

  public grantConnect(grantee: iam.IGrantable, { through }: GrantConnectOptions): iam.Grant {
    const { target } = this.database;
    const { username } = this.user;
    if (!through) {
      return grantConnect(target, grantee, username);
    }
    grantConnect(target, roleOfProxy(this.user, through, this.database), username, through);
    return grantConnect(proxyInFront(through), grantee, username);
  }

  public environment(options: ConnectionEnvironmentOptions = {}): { [name: string]: string } {
    const { through } = options;
    const { Host, Port } = through ? { Host: through.endpoint, Port: '5432' } : addressOf(this.database);
    return {
      PGHOST: Host,
      PGPORT: Port,
      PGUSER: this.user.username,
      PGDATABASE: this.user.databaseName,
      PGSSLMODE: 'verify-full',
      ...options.region ? { AWS_REGION: this.database.construct.env.region } : {},
    };
  }

  public psqlCommand(): string {
    const { username, databaseName } = this.user;
    if (Token.isUnresolved(username)) {
      throw errorAt(this.user, 'username is a CDK token, and psqlCommand cannot quote for a shell what is not known at synthesis; give the username itself, or use connectionEnvironment()');
    }
    const { Host, Port } = addressOf(this.database);
    const { region } = this.database.construct.env;
    return psqlCommand({ host: Host, port: Port, region, username, database: databaseName });
  }
}
