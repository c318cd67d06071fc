import { CustomResource, Duration, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { DATABASE_USER_RESOURCE_TYPE, DatabaseUserProperties, SERVICE_TIMEOUT_SECONDS } from './contract/wire';
import { IDatabaseRole } from './database-role';
import { IIamAuth } from './iam-auth';
import { errorAt } from './private/errors';
import { ManagedDatabase } from './private/managed-database';
import { databaseProblem, wireForm } from './private/privilege-set';
import { psqlCommand } from './private/psql-command';
import { Privileges } from './privileges';

/** A role in PostgreSQL that signs in with an IAM token. */
export interface IDatabaseUser extends IDatabaseRole {
  /** Name of the user, in the case it has in the database. */
  readonly username: string;
}

/** What a database user may do. */
export interface DatabaseUserOptions {
  /**
   * What the user may do, besides connecting to its database.
   *
   * @default - CONNECT on `databaseName`
   */
  readonly privileges?: Privileges[];

  /**
   * The database that the user connects to. It must exist when the user is deployed.
   *
   * @default - the one of the AuroraIamAuth
   */
  readonly databaseName?: string;
}

/** A user of a database, and what it may do. */
export interface DatabaseUserProps extends DatabaseUserOptions {
  /** The database. */
  readonly iamAuth: IIamAuth;

  /**
   * Name of the PostgreSQL role, in the case it is to have.
   *
   * 1 to 63 bytes of UTF-8, no character above U+00FF, no `/`, `:` or control character,
   * not `pg_...`, `rds...`, `public`, `none`, nor the name of the admin.
   *
   * Another name is a rename: what the user owns and may do stays with it.
   * Where the name is a token, the deployment checks it, and refuses `*`, `?` and `$` as well.
   */
  readonly username: string;
}

/** Whom the variables are for. */
export interface ConnectionEnvironmentOptions {
  /**
   * Whether AWS_REGION is among them, the Region that tokens are made for.
   *
   * Needed where nothing sets it (EC2), or where it is another Region than the one of the database.
   * Lambda and ECS set it, and Lambda refuses a function that wants to.
   *
   * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
   * @default false
   */
  readonly region?: boolean;
}

/**
 * A PostgreSQL role that signs in with an IAM token, and with nothing else: it is a member of `rds_iam` and has no password.
 *
 * It exists as long as the construct does. When the construct goes, the role loses its login and its sessions end. Then it
 * is dropped, unless anything depends on it, such as a table it owns or a privilege that was granted by hand: then it stays,
 * without access, and gets it back when a user of that name is declared again.
 *
 * A role of this name that is there already is not taken over; the deployment fails and leaves it as it is.
 *
 * @resource Custom::RdsIamUser
 */
export class DatabaseUser extends Construct implements IDatabaseUser {
  public readonly username: string;
  public readonly roleName: string;

  /** The database that the user connects to. */
  public readonly databaseName: string;

  private readonly database: ManagedDatabase;

  /**
   * @param scope where the user goes; also another stack than the one of the database
   * @param id id of the construct; with another id it is still the same user
   * @param props the user
   */
  constructor(scope: Construct, id: string, props: DatabaseUserProps) {
    super(scope, id);
    const { username, iamAuth, databaseName = iamAuth.databaseName, privileges = [] } = props;
    this.username = username;
    this.roleName = username;
    this.databaseName = databaseName;
    this.database = iamAuth._database;
    this.database.checkUsername(this, username);
    this.database.claimUsername(this, username);
    const problem = databaseProblem(databaseName);
    if (problem) {
      throw errorAt(this, problem);
    }
    const grants = [Privileges.onDatabase({ database: databaseName }), ...privileges].flatMap(({ _onDatabase }) => _onDatabase ?? []);
    const roles = privileges.flatMap(({ _memberOf }) => _memberOf ?? []);
    roles.forEach(role => this.checkMembership(role));
    const properties: DatabaseUserProperties = {
      Database: this.database.address,
      Username: username,
      ...Token.isUnresolved(username) ? { PolicyUsername: username } : {},
      ...wireForm(grants, roles.map(({ roleName }) => roleName)),
    };
    const resource = new CustomResource(this, 'Resource', {
      resourceType: DATABASE_USER_RESOURCE_TYPE,
      serviceToken: this.database.provisionerFor(this).serviceToken,
      serviceTimeout: Duration.seconds(SERVICE_TIMEOUT_SECONDS),
      properties: { ...properties },
    });
    resource.node.addDependency(...roles);
  }

  /**
   * Lets an IAM identity sign in as this user: `rds-db:connect` on exactly this user of exactly this database.
   *
   * Fails for an identity of another account, and for one whose policies this app may not change. See `ConnectGrants`.
   *
   * @param grantee a role, user, group, or what has a role, such as a Lambda function
   */
  public grantConnect(grantee: iam.IGrantable): iam.Grant {
    return this.database.grants._connect(grantee, this.username);
  }

  /**
   * What a client needs to know to connect, as the environment variables that PostgreSQL's own clients read.
   *
   * They are PGHOST, PGPORT, PGUSER, PGDATABASE and PGSSLMODE=verify-full. Two things are the client's own: PGSSLROOTCERT, the
   * file with the CAs of RDS, which depends on where it runs
   * (https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem); and the password, a token that it makes for each connection.
   *
   * @see https://www.postgresql.org/docs/current/libpq-envars.html
   * @param options whom the variables are for
   */
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

  /**
   * A command for a CfnOutput, which makes a token with the AWS CLI and opens psql.
   *
   * It is one line for any POSIX shell, on a machine that reaches the database. It asks for PGSSLROOTCERT, the path of a file with the CAs of RDS. Fails where the username is a token, which cannot be quoted for a shell.
   */
  public get psqlCommand(): string {
    if (Token.isUnresolved(this.username)) {
      throw errorAt(this, 'username is a CDK token, and psqlCommand cannot quote for a shell what is not known at synthesis; give the username itself, or use connectionEnvironment()');
    }
    const { Host, Port } = this.database.address;
    return psqlCommand({ host: Host, port: Port, region: this.database.region, username: this.username, database: this.databaseName });
  }

  private checkMembership(role: IDatabaseRole): void {
    if (role.roleName === this.username) {
      throw errorAt(this, `role name ${JSON.stringify(role.roleName)} is the user itself, and a role cannot be a member of itself; leave it out`);
    }
    if (role instanceof DatabaseUser && !role.database.isSameAs(this.database)) {
      throw errorAt(this, `role name ${JSON.stringify(role.roleName)} is a user of another database, ${role.node.path}; create a user of that name in this one`);
    }
  }
}
