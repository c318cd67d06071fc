import { Token } from 'aws-cdk-lib';
import { Construct, IConstruct } from 'constructs';
import { roleNameProblem } from './contract/names';
import { DATABASE_ROLE_RESOURCE_TYPE } from './contract/wire';
import { IIamAuth } from './iam-auth';
import { OnRemoval } from './on-removal';
import { errorAt } from './private/errors';
import { RoleResource } from './private/role-resource';
import { Privileges } from './privileges';

/** A role in PostgreSQL: a group, or a user. */
export interface IDatabaseRole extends IConstruct {
  /** Name of the role, in the case it has in the database. */
  readonly roleName: string;

  /**
   * What creates the role, unless it is managed elsewhere.
   *
   * @internal
   */
  readonly _resource?: RoleResource;
}

/** What a role may do, and how it is managed. */
export interface DatabaseRoleOptions {
  /**
   * What the role may do. More can be added with `addPrivileges()`.
   *
   * @default - nothing; a user may connect to its database
   */
  readonly privileges?: Privileges[];

  /**
   * What becomes of the role in PostgreSQL when the construct goes.
   *
   * @default - OnRemoval.dropOrDisable()
   */
  readonly onRemoval?: OnRemoval;

  /**
   * Whether the role has the memberships and privileges that are declared and no others.
   *
   * Whatever else it holds is then revoked, in all databases of the server: memberships and their ADMIN options, privileges with their grant options
   * on everything, objects of the system included, and default privileges. What the admin cannot revoke fails the deployment; if the role is declared
   * exactly as before, it is in the log of the provisioner instead, so that a rollback goes through. So what somebody grants by hand
   * goes with the next deployment that changes this construct, such as one with another `reapply`. What the role owns stays, and so does what
   * PostgreSQL gives to everybody (`PUBLIC`). Attributes, such as CREATEDB, are not looked at.
   *
   * @default - what was granted by hand is left alone
   */
  readonly exclusive?: boolean;

  /**
   * Whether a role of this name is taken over that is there already and that no other construct manages; or that another stack manages in the database
   * that this one was restored from.
   *
   * It keeps what it owns and holds. A user becomes a member of `rds_iam`, so that its password stops working; one that has members that
   * sign in with passwords is refused, because theirs would as well. From then on the role is
   * like any other of this library; `onRemoval` says what becomes of it when the construct goes.
   *
   * @default - the deployment fails, and leaves the role as it is
   */
  readonly adoptExisting?: boolean;
}

/** A group role, and what its members may do. */
export interface DatabaseRoleProps extends DatabaseRoleOptions {
  /** The database. */
  readonly iamAuth: IIamAuth;

  /**
   * Name of the role, in the case it is to have.
   *
   * 1 to 63 bytes of UTF-8, not `pg_...`, `rds...`, `cdk_aurora_iam_auth...`, `public`, `none`, nor the name of the admin, nor the one of a user.
   *
   * Another name is a rename: the members of the role, what it owns and what it may do stay with it.
   */
  readonly roleName: string;
}

/**
 * A group role: privileges under a name, for the users that are `Privileges.memberOf` it.
 *
 * It cannot sign in, and is never a member of `rds_iam`. It has the privileges it is given, and no others; CONNECT is not among them by itself.
 *
 * @resource Custom::RdsRole
 */
export class DatabaseRole extends Construct implements IDatabaseRole {
  /**
   * A role that is managed elsewhere: made by a migration, or predefined, such as `pg_read_all_data`.
   *
   * Creates nothing. The role must exist before what refers to it is deployed.
   *
   * @param scope where the construct goes
   * @param id id of the construct
   * @param roleName name of the role, in the case it has in the database
   */
  public static fromRoleName(scope: Construct, id: string, roleName: string): IDatabaseRole {
    const problem = !Token.isUnresolved(roleName) && roleNameProblem(roleName);
    if (problem) {
      throw errorAt(scope, problem);
    }
    return new ImportedRole(scope, id, roleName);
  }

  public readonly roleName: string;

  /** @internal */
  public readonly _resource: RoleResource;

  /**
   * @param scope where the role goes; also another stack than the one of the database
   * @param id id of the construct; with another id it is still the same role
   * @param props the role
   */
  constructor(scope: Construct, id: string, props: DatabaseRoleProps) {
    super(scope, id);
    const { iamAuth: { _database: database }, roleName, privileges = [], ...options } = props;
    this.roleName = roleName;
    database.checkRoleName(this, roleName);
    database.claimName(this, 'role name', roleName);
    this._resource = new RoleResource(this, {
      ...options,
      database,
      kind: 'role',
      resourceType: DATABASE_ROLE_RESOURCE_TYPE,
      identity: { RoleName: roleName },
      names: [roleName],
    });
    this.addPrivileges(...privileges);
  }

  /**
   * Gives the role, and with it all its members, more privileges.
   *
   * @param privileges what it may do besides
   */
  public addPrivileges(...privileges: Privileges[]): void {
    this._resource.addPrivileges(privileges);
  }
}

class ImportedRole extends Construct implements IDatabaseRole {
  constructor(scope: Construct, id: string, public readonly roleName: string) {
    super(scope, id);
  }
}
