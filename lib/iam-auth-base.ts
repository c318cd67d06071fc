import { CfnOutput, Lazy, Stack, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { DatabaseRole } from './database-role';
import { DatabaseUser } from './database-user';
import { DatabaseUsers } from './database-users';
import type { Database } from './database/database';
import type { IIamAuth } from './iam-auth';
import type { CommonIamAuthProps } from './common-iam-auth-props';
import { rolesInStack } from './model/app-access';
import { errorAt } from './model/errors';
import { requireText } from './model/types';
import { ManagedDatabase, managedDatabaseOf, PROVISIONER_ID } from './provisioner/managed-database';
import { accessFile } from './report/report-files';
import { showAccess } from './report/show-access';
import { accessLines, withinBytes } from './report/summary';
import type { AddDatabaseRoleOptions, AddDatabaseUserOptions, DatabaseUsersOptions } from './role-options';

/** Of a text that is to be read in a console. */
const MAX_OUTPUT_BYTES = 4_096;

/** What `AuroraIamAuth` and `InstanceIamAuth` share. */
export abstract class IamAuthBase extends Construct implements IIamAuth {
  public abstract readonly databaseName: string;

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

  /**
   * Creates a user of the database that signs in with IAM, in the stack of this construct.
   *
   * The id tells the deployment which user this is; keep it. Another `username` under the same id renames the user in the database: `addUser('orders', { username: 'purchases' })`.
   * Another id without that creates another user, and removes the first one as its `onRemoval` says.
   *
   * For a user in another stack: `new DatabaseUser(scope, id, { iamAuth, username })`.
   *
   * @param id id of the construct, and name of the PostgreSQL role unless `username` is given
   * @param options name and privileges of the user
   * @returns the user
   */
  public addUser(id: string, options: AddDatabaseUserOptions = {}): DatabaseUser {
    const { username = id } = options;
    this.checkNamed(id, username, 'username');
    this.database.checkUsername(this, username);
    return new DatabaseUser(this, id, { ...options, iamAuth: this, username });
  }

  /**
   * Creates users that may do the same, in one resource and one transaction, in the stack of this construct.
   *
   * For users in another stack: `new DatabaseUsers(scope, id, { iamAuth, usernames })`.
   *
   * @param id id of the construct
   * @param options the users, and what each of them may do
   * @returns the users
   */
  public addUsers(id: string, options: DatabaseUsersOptions): DatabaseUsers {
    this.checkId(id, 'choose another id');
    return new DatabaseUsers(this, id, { ...options, iamAuth: this });
  }

  /**
   * Creates a group role in the stack of this construct, for users to be members of.
   *
   * The id tells the deployment which role this is; keep it. Another `roleName` under the same id renames the role in the database.
   *
   * For a role in another stack: `new DatabaseRole(scope, id, { iamAuth, roleName })`.
   *
   * @param id id of the construct, and name of the PostgreSQL role unless `roleName` is given
   * @param options name of the role, and what its members may do
   * @returns the role
   */
  public addRole(id: string, options: AddDatabaseRoleOptions = {}): DatabaseRole {
    const { roleName = id } = options;
    this.checkNamed(id, roleName, 'roleName');
    this.database.checkRoleName(this, roleName);
    return new DatabaseRole(this, id, { ...options, iamAuth: this, roleName });
  }

  /**
   * Adds an output to the stack with the lines of `accessSummary`, for those who look at a stack and not at its template.
   *
   * AWS documents no length of an output. This one has 4,096 bytes at the most: with hundreds of users it has the first of them, says how many more there are, and where they are listed.
   *
   * @param id id of the output
   * @returns the output
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

  /** @internal */
  protected _manage(database: Database, options: CommonIamAuthProps): void {
    const { admin, transport } = options;
    new ManagedDatabase(this, database, {
      ...options, admin: admin?._admin, transport: transport?._reach, onRole: showAccess,
    });
  }

  private accessLines(): string[] {
    const { model } = this.database;
    return accessLines(this.node.root, rolesInStack(Stack.of(this)).filter(({ database }) => database.model === model));
  }

  private get database(): ManagedDatabase {
    return managedDatabaseOf(this, this);
  }

  /** Of what has a name that its id stands for unless it is given. */
  private checkNamed(id: string, name: string, property: 'username' | 'roleName'): void {
    requireText(this, 'id', id);
    requireText(this, property, name);
    this.database.checkUnclaimed(this, property === 'username' ? 'username' : 'role name', name);
    const remedy = name === id ? `choose another id, and pass ${property}: ${JSON.stringify(name)}` : 'choose another id';
    this.checkId(id, remedy, `give the id itself, and pass the token as ${property}`);
  }

  private checkId(id: string, remedy: string, remedyForToken = 'give the id itself'): void {
    requireText(this, 'id', id);
    if (Token.isUnresolved(id)) {
      throw errorAt(this, `id is a token, and the id of a construct must be known at synthesis; ${remedyForToken}`);
    }
    if (id === PROVISIONER_ID || this.node.tryFindChild(id)) {
      throw errorAt(this, `id ${JSON.stringify(id)} is the id of another construct here; ${remedy}`);
    }
  }
}
