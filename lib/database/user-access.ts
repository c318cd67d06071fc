import { Token } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import { caBundleUrl } from './certificate-authorities';
import { grantConnect, proxyInFront } from './connect-permission';
import { addressOf, type Database, readerHostOf } from './database';
import type { EndpointChoice } from './endpoint-choice';
import { labelIn } from './label';
import { roleOfProxy } from './proxy';
import { psqlCommand } from './psql-command';
import { requireReference } from './reference';
import type { ConnectionEnvironmentOptions, GrantConnectOptions, PsqlCommandOptions } from '../connect-options';
import { errorAt } from '../model/errors';
import { requireFlag, requireOptions, requireOwn, shown } from '../model/types';
import type { IDatabaseUser } from '../role-interface';

type User = IConstruct & Pick<IDatabaseUser, 'username' | 'database'>;

/** @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy.html */
const PORT_OF_PROXY = '5432';

/** On a user, the same in each copy of the library. */
const USER_ACCESS = Symbol.for('cdk-aurora-iam-auth.userAccess');

/** How clients get in as a user of this library, whichever construct it is. */
export function userAccessOf(user: IDatabaseUser): UserAccess {
  const { [USER_ACCESS]: access } = (user ?? {}) as { [USER_ACCESS]?: UserAccess };
  if (!access) {
    throw new Error(
      `user ${user?.node?.path ?? shown(user)} is no user of this library, and the database that it is in is not known; `
      + 'pass a DatabaseUser, users.user(username) of a DatabaseUsers, or DatabaseUser.fromUsername(scope, id, attributes)',
    );
  }
  return access;
}

/** How clients get in as a user, whether it has a resource of its own or shares one. */
export class UserAccess {
  constructor(private readonly user: User, private readonly database: Database) {
    Object.defineProperty(user, USER_ACCESS, { value: this });
  }

  public grantConnect(grantee: iam.IGrantable, options: GrantConnectOptions): iam.Grant {
    const { target } = this.database;
    const { username } = this.user;
    const label = labelIn(this.user, options);
    const { through } = options;
    if (through === undefined) {
      return grantConnect(target, grantee, username, { label });
    }
    requireReference('proxy', through, 'through');
    grantConnect(target, roleOfProxy(this.user, through, this.database), username, { onBehalfOf: through });
    return grantConnect(proxyInFront(through), grantee, username, { label });
  }

  public environment(options: ConnectionEnvironmentOptions): { [name: string]: string } {
    const { host, port } = this.addressOf(this.choiceIn(options));
    const { region } = options;
    requireFlag(this.user, 'region', region);
    return {
      PGHOST: host,
      PGPORT: port,
      PGUSER: this.user.username,
      PGDATABASE: this.user.database,
      PGSSLMODE: 'verify-full',
      ...region ? { AWS_REGION: this.database.construct.env.region } : {},
    };
  }

  public psqlCommand(options: PsqlCommandOptions): string {
    const { username, database } = this.user;
    if (Token.isUnresolved(username)) {
      throw errorAt(
        this.user,
        'username is a CDK token, and psqlCommand() cannot quote for a shell what is not known at synthesis; '
        + 'give the username itself, or use connectionEnvironment()',
      );
    }
    const { region } = this.database.construct.env;
    const choice = this.choiceIn(options);
    const holder = choice?.kind === 'proxy' ? 'proxy' : this.database.isBehindGateway ? 'gateway' : 'database';
    const cas = caBundleUrl(holder, region);
    return psqlCommand({ ...this.addressOf(choice), region, username, database, cas });
  }

  /** An `Endpoint` of aws-rds is another class, and would count as none. */
  private choiceIn(options: PsqlCommandOptions): EndpointChoice | undefined {
    requireOptions(this.user, 'options', options);
    const { endpoint } = options;
    requireOwn(this.user, 'endpoint', endpoint, '_choice', 'Endpoint.writer() of this library, or one of its siblings');
    return endpoint?._choice;
  }

  private addressOf(choice: EndpointChoice = { kind: 'writer' }): { readonly host: string; readonly port: string } {
    const { Host, Port } = addressOf(this.database);
    switch (choice.kind) {
      case 'writer': return { host: Host, port: Port };
      case 'reader': return { host: readerHostOf(this.user, this.database), port: Port };
      case 'proxy': return { host: choice.proxy.endpoint, port: PORT_OF_PROXY };
    }
  }
}
