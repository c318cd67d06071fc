import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type { AdminCredentials } from './admin-credentials';
import type { ProvisionerOptions } from './provisioner-options';
import type { SqlTransport } from './sql-transport';

/** What the props of `AuroraIamAuth` and `InstanceIamAuth` share: connection settings, and how users are created. */
export interface CommonIamAuthProps {
  /**
   * How the users are created.
   *
   * @default - with the secret of the database, one that RDS manages included; an imported database has none
   */
  readonly admin?: AdminCredentials;

  /**
   * Name of the database that users connect to unless they say otherwise.
   *
   * @default - the default database of the cluster or instance, else `postgres`
   */
  readonly database?: string;

  /**
   * How the Lambda function that creates the users gets to the database. With `SqlTransport.dataApi()` it runs in no
   * VPC.
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
   * The subnets of that function. It must reach the database from there, and Secrets Manager unless the admin is one
   * `fromIam`: through a NAT gateway, or through an interface endpoint for Secrets Manager. In a public subnet it
   * reaches nothing but the database, which is enough for an admin `fromIam` alone.
   *
   * @default - the private subnets of the VPC; the isolated ones if it has no other
   */
  readonly vpcSubnets?: ec2.SubnetSelection;

  /**
   * The security groups of that function. They are allowed to the database on its port; their rules must also allow
   * Secrets Manager (443).
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
   * Whether IAM authentication is enabled at an imported database, during the deployment and without waiting for the
   * maintenance window. A database of this app needs nothing of the kind.
   *
   * A function outside of the VPC, whose role may describe and modify this one database, does it and waits until it is
   * on. Then the import needs neither its resource id nor its endpoint: the function asks RDS for them, and refuses a
   * database that is not as the import says.
   *
   * - Where other modifications of the database are pending, RDS would apply them at the same time; the deployment is
   *   refused instead.
   * - Nothing disables it again, neither a rollback nor `cdk destroy`: others may use it meanwhile.
   * - The stack that owns the database does not know of it. It shows as drift there; where that stack says
   *   `iamAuthentication: false`, an update of the database may disable it again.
   *
   * @default false
   */
  readonly enableIamAuthentication?: boolean;

  /**
   * Further resource ids (`cluster-ABCDEFGHIJKL01234`, `db-ABCDEFGHIJKL01234`) of what is, or will be, the same
   * database in the same account and Region: the green side of a blue/green deployment, or what is restored from a
   * backup.
   *
   * All grants of this construct and its users, and the one of an admin `fromIam`, are about the database and all of
   * these. Users are created in the database alone.
   *
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/blue-green-deployments-considerations.html
   * @default - none
   */
  readonly alsoResourceIds?: string[];

  /**
   * Name of a group role that owns what the library keeps in database `postgres`: the registry, a table that says which
   * CloudFormation resource manages which PostgreSQL role. Pass it where more than one admin works with the same
   * database, such as the master user first and a role of its own later. The role must exist, and the admin must be a
   * member of it that inherits its rights.
   *
   * A registry of any other owner is refused, because its owner could run code with the rights of the admin. Members of
   * this role are trusted with it: they can change which resource manages which role.
   *
   * @default - the admin
   */
  readonly registryOwner?: string;

  /**
   * Any text, such as a date or a ticket. With another one, the next deployment compares all users and roles with the
   * database again.
   *
   * CloudFormation looks at nothing that has not changed in the template. So this is for changes in the database
   * itself: after privileges were granted or revoked by hand, after a restore, or to reach tables that were created
   * meanwhile.
   *
   * @default - a user or role is compared when something about it changes
   */
  readonly reapply?: string;
}
