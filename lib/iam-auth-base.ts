import { CfnOutput, Lazy, Stack, Token } from 'aws-cdk-lib';
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { addAlarms } from './alarms/alarms';
import { type SignInMetric, signInMetric } from './alarms/sign-in-metrics';
import type { AddAlarmsOptions } from './alarms-options';
import { DatabaseRole } from './database-role';
import { DatabaseUser } from './database-user';
import { DatabaseUsers } from './database-users';
import type { Database } from './database/database';
import type { CheckDriftOptions } from './provisioner-options';
import type { IIamAuth } from './iam-auth';
import type { CommonIamAuthProps } from './common-iam-auth-props';
import { rolesInStack } from './model/app-access';
import { errorAt } from './model/errors';
import { requireFlag, requireOptions, requireOwn, requireText } from './model/types';
import type { IProvisioner } from './provisioner-interface';
import { ManagedDatabase, managedDatabaseOf, PROVISIONER_ID } from './provisioner/managed-database';
import { PublicPrivileges } from './provisioner/public-privileges';
import type { RestrictPublicOptions } from './public-privileges-options';
import { accessFile } from './report/report-files';
import { showAccess, showPublic } from './report/show-access';
import { accessLines, withinBytes } from './report/summary';
import type { AddDatabaseRoleOptions, AddDatabaseUserOptions, DatabaseUsersOptions } from './role-options';

/** Of a text that is to be read in a console. */
const MAX_OUTPUT_BYTES = 4_096;

/** What `AuroraIamAuth` and `InstanceIamAuth` share. */
export abstract class IamAuthBase extends Construct implements IIamAuth {
  public abstract readonly database: string;

  /**
   * One line for each user and group role of this database in this stack: who may sign in, and what it may do. Sorted
   * by name, as in
   *
   * `orders: sign-in by OrdersFunction role; shop: CONNECT; shop.public: USAGE, SELECT on all tables (also future ones
   * of migrator)`
   *
   * It has what is granted with this library; users of other stacks are in theirs. It is a list that is made at the end
   * of the synthesis: for an output, or metadata. The access report in `cdk.out` says more.
   */
  public get accessSummary(): string[] {
    return Lazy.list({ produce: () => this.accessLines() }, { omitEmpty: false });
  }

  public get provisioner(): IProvisioner {
    return this.managed.ownProvisioner();
  }

  /**
   * Creates a user of the database that signs in with IAM, in the stack of this construct.
   *
   * The id tells the deployment which user this is; keep it. Another `username` under the same id renames the user in
   * the database: `addUser('orders', { username: 'purchases' })`. Another id without that creates another user, and
   * removes the first one as its `onRemoval` says.
   *
   * For a user in another stack: `new DatabaseUser(scope, id, { iamAuth, username })`.
   *
   * @param id id of the construct, and name of the PostgreSQL role unless `username` is given
   * @param options name and privileges of the user
   * @returns the user
   */
  public addUser(id: string, options: AddDatabaseUserOptions = {}): DatabaseUser {
    requireOptions(this, 'options', options);
    const { username = id } = options;
    this.checkNamed(id, username, 'username');
    this.managed.checkUsername(this, username);
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
   * The id tells the deployment which role this is; keep it. Another `roleName` under the same id renames the role in
   * the database.
   *
   * For a role in another stack: `new DatabaseRole(scope, id, { iamAuth, roleName })`.
   *
   * @param id id of the construct, and name of the PostgreSQL role unless `roleName` is given
   * @param options name of the role, and what its members may do
   * @returns the role
   */
  public addRole(id: string, options: AddDatabaseRoleOptions = {}): DatabaseRole {
    requireOptions(this, 'options', options);
    const { roleName = id } = options;
    this.checkNamed(id, roleName, 'roleName');
    this.managed.checkRoleName(this, roleName);
    return new DatabaseRole(this, id, { ...options, iamAuth: this, roleName });
  }

  /**
   * Revokes from PUBLIC, which is every role, what PostgreSQL gives it in one database: CONNECT on the database, CREATE
   * on its schema `public`, or both. It is recommended for database `postgres`.
   *
   * The deployment fails, and names them, where roles would lose what they have through PUBLIC only, unless `lockOut`
   * names them. Roles of this library count where they declare, own or hold something in the database without CONNECT,
   * and where they are members of a predefined role. A user with privileges there and no CONNECT is a warning at
   * synthesis. When the call is removed, PUBLIC gets back what it had before.
   *
   * @see https://www.postgresql.org/docs/current/ddl-priv.html
   * @param options the database, and what is revoked there
   * @returns the construct of the custom resource
   *
   * @example
   * iamAuth.restrictPublic({ database: 'postgres', connect: true, createInPublicSchema: true });
   */
  public restrictPublic(options: RestrictPublicOptions): Construct {
    requireOptions(this, 'options', options);
    return new PublicPrivileges(this, this.managed, options);
  }

  /**
   * Adds an output to the stack with the lines of `accessSummary`, for those who look at a stack and not at its
   * template.
   *
   * AWS documents no length of an output. This one has 4,096 bytes at the most: with hundreds of users it has the first
   * of them, says how many more there are, and where they are listed.
   *
   * @param id id of the output
   * @returns the output
   */
  public addAccessSummaryOutput(id = 'AccessSummary'): CfnOutput {
    this.checkId(id, 'choose another id');
    const { templateFile } = Stack.of(this);
    return new CfnOutput(this, id, {
      description: 'Who may sign in to PostgreSQL as whom, and what each user may do',
      value: Lazy.string({
        produce: () => withinBytes(
          this.accessLines(),
          MAX_OUTPUT_BYTES,
          count => `and ${count} more, in ${accessFile(templateFile, 'md')} of the cloud assembly`,
        ) || 'no users',
      }),
    });
  }

  /**
   * The number of requests to sign in with a token.
   *
   * The sum over 5 minutes and all instances of the database that the app knows.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Troubleshooting.html
   * @param options properties of the metric, such as its period
   * @returns the metric; of a cluster with several instances it is a math expression
   */
  public metricIamDbAuthConnectionRequests(options?: cloudwatch.MetricOptions): cloudwatch.IMetric {
    return this.signInMetric('IamDbAuthConnectionRequests', options);
  }

  /**
   * The number of sign-ins with a token that succeeded.
   *
   * The sum over 5 minutes and all instances of the database that the app knows.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Troubleshooting.html
   * @param options properties of the metric, such as its period
   * @returns the metric; of a cluster with several instances it is a math expression
   */
  public metricIamDbAuthConnectionSuccess(options?: cloudwatch.MetricOptions): cloudwatch.IMetric {
    return this.signInMetric('IamDbAuthConnectionSuccess', options);
  }

  /**
   * The number of sign-ins with a token that failed, for whatever cause.
   *
   * The sum over 5 minutes and all instances of the database that the app knows.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Troubleshooting.html
   * @param options properties of the metric, such as its period
   * @returns the metric; of a cluster with several instances it is a math expression
   */
  public metricIamDbAuthConnectionFailure(options?: cloudwatch.MetricOptions): cloudwatch.IMetric {
    return this.signInMetric('IamDbAuthConnectionFailure', options);
  }

  /**
   * The number of sign-ins that failed because the token was expired or was not one for this host, port, user and
   * Region.
   *
   * The sum over 5 minutes and all instances of the database that the app knows.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Troubleshooting.html
   * @param options properties of the metric, such as its period
   * @returns the metric; of a cluster with several instances it is a math expression
   */
  public metricIamDbAuthConnectionFailureInvalidToken(options?: cloudwatch.MetricOptions): cloudwatch.IMetric {
    return this.signInMetric('IamDbAuthConnectionFailureInvalidToken', options);
  }

  /**
   * The number of sign-ins that failed because IAM does not allow `rds-db:connect` for that user.
   *
   * The sum over 5 minutes and all instances of the database that the app knows.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Troubleshooting.html
   * @param options properties of the metric, such as its period
   * @returns the metric; of a cluster with several instances it is a math expression
   */
  public metricIamDbAuthConnectionFailureInsufficientPermissions(
    options?: cloudwatch.MetricOptions,
  ): cloudwatch.IMetric {
    return this.signInMetric('IamDbAuthConnectionFailureInsufficientPermissions', options);
  }

  /**
   * The number of sign-ins that failed because there were too many.
   *
   * The sum over 5 minutes and all instances of the database that the app knows.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Troubleshooting.html
   * @param options properties of the metric, such as its period
   * @returns the metric; of a cluster with several instances it is a math expression
   */
  public metricIamDbAuthConnectionFailureThrottling(options?: cloudwatch.MetricOptions): cloudwatch.IMetric {
    return this.signInMetric('IamDbAuthConnectionFailureThrottling', options);
  }

  /**
   * The number of sign-ins that failed because of an error inside of RDS.
   *
   * The sum over 5 minutes and all instances of the database that the app knows.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Troubleshooting.html
   * @param options properties of the metric, such as its period
   * @returns the metric; of a cluster with several instances it is a math expression
   */
  public metricIamDbAuthConnectionFailureServerError(options?: cloudwatch.MetricOptions): cloudwatch.IMetric {
    return this.signInMetric('IamDbAuthConnectionFailureServerError', options);
  }

  /**
   * Adds alarms on sign-ins that IAM does not allow, on tokens that are refused, on sign-ins that are too many or
   * nearly so, and on events that the provisioner of this stack could not carry out.
   *
   * The alarm on the provisioner asks for it, which fails the synthesis where this stack has no user or group role of
   * the database; see `withoutProvisioner`.
   *
   * The thresholds are in `docs/operations.md`, and the description of each alarm says what to do. CloudWatch charges
   * for each metric of an alarm.
   *
   * @param options what the alarms do
   * @returns the alarms
   *
   * @example
   * iamAuth.addAlarms({ action: new SnsAction(topic) });
   */
  public addAlarms(options: AddAlarmsOptions = {}): cloudwatch.Alarm[] {
    requireOptions(this, 'options', options);
    const { action, withoutProvisioner = false } = options;
    requireFlag(this, 'withoutProvisioner', withoutProvisioner);
    return addAlarms(this, {
      database: this.managed.database, action, provisioner: withoutProvisioner ? undefined : this.provisioner,
    });
  }

  /**
   * Lets a principal ask what a deployment of this stack would execute in the database: `cdk-aurora-iam-auth-cli plan`.
   * Of users in another stack, it is `user.provisioner.grantPlan()`.
   *
   * Who may plan may read the names of roles, schemas and objects of the server, and who may do what with them, and
   * how many connections there are, but no data. Nothing can be changed with it.
   *
   * @param grantee who may plan, such as the role of a pipeline
   * @returns the grant of `lambda:InvokeFunction` on one alias of the function
   */
  public grantPlan(grantee: iam.IGrantable): iam.Grant {
    return this.provisioner.grantPlan(grantee);
  }

  /**
   * Lets a principal compare the roles of the server with what this stack declares: `cdk-aurora-iam-auth-cli drift`. Of
   * users in another stack, it is `user.provisioner.grantDrift()`.
   *
   * @param grantee who may compare, such as the role of an auditor
   * @returns the grant of `lambda:InvokeFunction` on one alias of the function
   */
  public grantDrift(grantee: iam.IGrantable): iam.Grant {
    return this.provisioner.grantDrift(grantee);
  }

  /**
   * Compares the users and group roles of this stack with what is declared, at times of a schedule, and raises an alarm
   * while some are not as they are declared. Of users in another stack, it is `user.provisioner.checkDrift()`.
   *
   * @param options the schedule, and what the alarm does
   * @returns the alarm
   *
   * @example
   * iamAuth.checkDrift({ schedule: events.Schedule.cron({ hour: '6', minute: '0' }), action: new SnsAction(topic) });
   */
  public checkDrift(options: CheckDriftOptions): cloudwatch.Alarm {
    return this.provisioner.checkDrift(options);
  }

  /** @internal */
  protected _manage(database: Database, options: CommonIamAuthProps): void {
    const { admin, transport } = options;
    requireOwn(
      this,
      'admin',
      admin,
      '_admin',
      'AdminCredentials.fromSecret(secret) or AdminCredentials.fromIam(username)',
    );
    new ManagedDatabase(this, database, {
      ...options, admin: admin?._admin, transport: transport?._choice, onRole: showAccess, onPublic: showPublic,
    });
  }

  private accessLines(): string[] {
    const { model } = this.managed;
    return accessLines(this.node.root, rolesInStack(Stack.of(this)).filter(({ database }) => database.model === model));
  }

  private signInMetric(name: SignInMetric, options?: cloudwatch.MetricOptions): cloudwatch.IMetric {
    return signInMetric(this, this.managed.database, name, options);
  }

  private get managed(): ManagedDatabase {
    return managedDatabaseOf(this, this);
  }

  /** Of what has a name that its id stands for unless it is given. */
  private checkNamed(id: string, name: string, property: 'username' | 'roleName'): void {
    requireText(this, 'id', id);
    requireText(this, property, name);
    this.managed.checkUnclaimed(this, property === 'username' ? 'username' : 'role name', name);
    const remedy = name === id
      ? `choose another id, and pass ${property}: ${JSON.stringify(name)}`
      : 'choose another id';
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
