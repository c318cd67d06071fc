import { CfnOutput, Lazy, Stack, Token } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { AdminCredentials } from './admin-credentials';
import { DatabaseRole, DatabaseRoleOptions } from './database-role';
import { DatabaseUser, DatabaseUserOptions } from './database-user';
import { DatabaseUsers, DatabaseUsersOptions } from './database-users';
import { IIamAuth } from './iam-auth';
import { rolesInStack } from './private/access/declared-roles';
import { accessFile } from './private/access/report-files';
import { accessLines, withinBytes } from './private/access/summary';
import { errorAt } from './private/errors';
import { ManagedDatabase, NameKind, PROVISIONER_ID } from './private/managed-database';
import { ProvisionerOptions } from './provisioner-options';
import { SqlTransport } from './sql-transport';

/** The way to a database, and how users are created in it. */
export interface IamAuthOptions {
  /**
   * How the users are created.
   *
   * @default - with the secret of the database, one that RDS manages included; an imported database has none
   */
  readonly admin?: AdminCredentials;

  /**
   * The database that users connect to unless they say otherwise.
   *
   * @default - the default database of the cluster or instance, else `postgres`
   */
  readonly databaseName?: string;

  /**
   * How the Lambda function that creates the users gets to the database. With `SqlTransport.dataApi()` it runs in no VPC.
   *
   * @default - a connection, from the VPC of the database
   */
  readonly transport?: SqlTransport;

  /**
   * The VPC of the Lambda function that creates the users.
   *
   * @default - the VPC of the database; an imported one does not tell it
   */
  readonly vpc?: ec2.IVpc;

  /**
   * The subnets of that function. It must reach the database from there, and Secrets Manager unless the admin is one `fromIam`: through a NAT gateway,
   * or through an interface endpoint for Secrets Manager. It cannot run in a public subnet.
   *
   * @default - the private subnets of the VPC; the isolated ones if it has no other
   */
  readonly vpcSubnets?: ec2.SubnetSelection;

  /**
   * The security groups of that function. They are allowed to the database on its port; the way to Secrets Manager (443) is up to them.
   *
   * @default - one of its own, that reaches the database, and port 443 where there is a secret to read
   */
  readonly securityGroups?: ec2.ISecurityGroup[];

  /**
   * How the functions run that create the users, where the rules of an organization ask for more.
   *
   * @default - as `ProvisionerOptions` says
   */
  readonly provisioner?: ProvisionerOptions;

  /**
   * Switches IAM authentication on at an imported database, during the deployment and without waiting for the maintenance window. A database of this app needs nothing of the kind.
   *
   * A function outside of the VPC, whose role may describe and modify this one database, does it and waits until it is on. Then the import needs neither its resource id
   * nor its endpoint: the function asks RDS for them, and refuses a database that is not as the import says.
   *
   * - Where other modifications of the database are pending, RDS would apply them at the same time; the deployment is refused instead.
   * - Nothing switches it off again, neither a rollback nor `cdk destroy`: others may use it meanwhile.
   * - The stack that owns the database does not know of it. It shows as drift there; where that stack says `iamAuthentication: false`, an update of the database may switch it off again.
   *
   * @default false
   */
  readonly enableIamAuthentication?: boolean;

  /**
   * Name of a group role that owns what the library keeps in database `postgres`: the registry, a table that says which CloudFormation resource manages which PostgreSQL role.
   * Pass it where more than one admin works with the same database, such as the master user first and a role of its own later. The role must exist,
   * and the admin must be a member of it that inherits its rights.
   *
   * A registry of any other owner is refused, because its owner could run code with the rights of the admin. Members of this role are trusted with it: they can change which resource manages which role.
   *
   * @default - the admin
   */
  readonly registryOwner?: string;

  /**
   * Any text, such as a date or a ticket. With another one, the next deployment compares all users and roles with the database again.
   *
   * CloudFormation looks at nothing that has not changed in the template. So this is for changes in the database itself:
   * after somebody has granted or revoked by hand, after a restore, or to reach tables that were created meanwhile.
   *
   * @default - a user or role is compared when something about it changes
   */
  readonly reapply?: string;
}

/** Of a text that is to be read in a console. */
const MAX_OUTPUT_BYTES = 4_096;

/** What `AuroraIamAuth` and `InstanceIamAuth` share. */
export abstract class IamAuthBase extends Construct implements IIamAuth {
  public abstract readonly databaseName: string;

  /** @internal */
  public abstract readonly _database: ManagedDatabase;

  /**
   * One line for each user and group role of this database in this stack: who may sign in, and what it may do. Sorted by name, as in
   *
   * `orders: sign-in by OrdersFunction role; shop: CONNECT; shop.public: USAGE, SELECT on all tables (also future ones of migrator)`
   *
   * It has what is granted with this library; users of other stacks are in theirs. It is a list that is made at the end of the synthesis: for an output, or
   * metadata. The access report in `cdk.out` says more.
   */
  public get accessSummary(): string[] {
    return Lazy.list({ produce: () => this.accessLines() }, { omitEmpty: false });
  }

  public addUser(username: string, options: DatabaseUserOptions = {}): DatabaseUser {
    this.checkName('username', username, 'new DatabaseUser(scope, id, { iamAuth, username })');
    this._database.checkUsername(this, username);
    return new DatabaseUser(this, username, { ...options, iamAuth: this, username });
  }

  public addUsers(id: string, options: DatabaseUsersOptions): DatabaseUsers {
    this.checkId('id', id, 'another one');
    return new DatabaseUsers(this, id, { ...options, iamAuth: this });
  }

  public addRole(roleName: string, options: DatabaseRoleOptions = {}): DatabaseRole {
    this.checkName('role name', roleName, 'new DatabaseRole(scope, id, { iamAuth, roleName })');
    this._database.checkRoleName(this, roleName);
    return new DatabaseRole(this, roleName, { ...options, iamAuth: this, roleName });
  }

  /**
   * Adds an output to the stack with the lines of `accessSummary`, for those who look at a stack and not at its template.
   *
   * AWS documents no length of an output. This one has 4,096 bytes at the most: with hundreds of users it has the first of them, says how many more there are, and where they are listed.
   *
   * @param id id of the output
   */
  public addAccessSummaryOutput(id = 'AccessSummary'): CfnOutput {
    const { templateFile } = Stack.of(this);
    return new CfnOutput(this, id, {
      description: 'Who may sign in to PostgreSQL as whom, and what each user may do',
      value: Lazy.string({
        produce: () => withinBytes(this.accessLines(), MAX_OUTPUT_BYTES, count => `and ${count} more, in ${accessFile(templateFile, 'md')} of the cloud assembly`) || 'no users',
      }),
    });
  }

  private accessLines(): string[] {
    const { identity } = this._database;
    return accessLines(rolesInStack(Stack.of(this)).filter(({ database }) => database.identity === identity));
  }

  /** A name that is to be an id as well. */
  private checkName(kind: NameKind, name: string, instead: string): void {
    if (Token.isUnresolved(name)) {
      throw errorAt(this, `${kind} is a token, and the id of a construct must be known at synthesis; use ${instead}`);
    }
    this._database.checkUnclaimed(this, kind, name);
    this.checkId(kind, name, instead);
  }

  private checkId(kind: string, id: string, instead: string): void {
    if (id === PROVISIONER_ID || this.node.tryFindChild(id)) {
      throw errorAt(this, `${kind} ${JSON.stringify(id)} is the id of another construct here; use ${instead}`);
    }
  }
}
