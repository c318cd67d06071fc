import { Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { roleNameProblem } from './contract/names';
import { DATABASE_ROLE_RESOURCE_TYPE } from './contract/wire';
import type { IIamAuth } from './iam-auth';
import { errorAt } from './model/errors';
import { markManagedElsewhere } from './model/known-role';
import { requireList, requireOptions, requireText } from './model/types';
import type { Privileges } from './privileges';
import type { IProvisioner } from './provisioner-interface';
import { managedDatabaseOf } from './provisioner/managed-database';
import { RoleResource } from './provisioner/role-resource';
import type { IDatabaseRole } from './role-interface';
import type { DatabaseRoleOptions } from './role-options';

/** A group role, and what its members may do. */
export interface DatabaseRoleProps extends DatabaseRoleOptions {
  /** The database. */
  readonly iamAuth: IIamAuth;

  /**
   * Name of the role. The name is created exactly as written; names are case-sensitive.
   *
   * 1 to 63 bytes of UTF-8, not `pg_...`, `rds...`, `cdk_aurora_iam_auth...`, `public`, `none`, nor the name of the
   * admin, nor the one of a user.
   *
   * Another name under the same construct id is a rename: the members of the role, what it owns and what it may do stay
   * with it.
   */
  readonly roleName: string;
}

/**
 * A group role: privileges under a name, for the users that are `Privileges.memberOf` it.
 *
 * It cannot sign in, and is never a member of `rds_iam`. It has the privileges it is given, and no others; CONNECT is
 * not among them by itself.
 *
 * @resource Custom::RdsGroupRole
 */
export class DatabaseRole extends Construct implements IDatabaseRole {
  /**
   * A role that is managed elsewhere: made by a migration, or predefined, such as `pg_read_all_data`.
   *
   * Creates nothing. The role must exist before what refers to it is deployed.
   *
   * @param scope where the construct goes
   * @param id id of the construct
   * @param roleName name of the role, exactly as spelled in the database (names are case-sensitive)
   * @returns the role
   */
  public static fromRoleName(scope: Construct, id: string, roleName: string): IDatabaseRole {
    requireText(scope, 'roleName', roleName);
    const problem = !Token.isUnresolved(roleName) && roleNameProblem(roleName);
    if (problem) {
      throw errorAt(scope, problem);
    }
    return new ImportedRole(scope, id, roleName);
  }

  public readonly roleName: string;

  private readonly resource: RoleResource;

  /**
   * @param scope where the role goes; also another stack than the one of the database
   * @param id id of the construct; with another id it is still the same role
   * @param props the role
   */
  constructor(scope: Construct, id: string, props: DatabaseRoleProps) {
    super(scope, id);
    requireOptions(this, 'props', props);
    const { iamAuth, roleName, privileges = [], ...options } = props;
    requireList(this, 'privileges', privileges);
    const database = managedDatabaseOf(this, iamAuth);
    this.roleName = roleName;
    database.checkRoleName(this, roleName);
    database.claimName(this, 'role name', roleName);
    this.resource = new RoleResource(this, {
      ...options,
      database,
      kind: 'role',
      resourceType: DATABASE_ROLE_RESOURCE_TYPE,
      identity: { RoleName: roleName },
      names: [roleName],
    });
    this.addPrivileges(...privileges);
  }

  /** The provisioner that creates the role: the one of the stack that the role is in. */
  public get provisioner(): IProvisioner {
    return this.resource.provisioner;
  }

  /**
   * Gives the role, and with it all its members, more privileges.
   *
   * @param privileges what it may do besides
   */
  public addPrivileges(...privileges: Privileges[]): void {
    this.resource.addPrivileges(privileges);
  }
}

class ImportedRole extends Construct implements IDatabaseRole {
  constructor(scope: Construct, id: string, public readonly roleName: string) {
    super(scope, id);
    markManagedElsewhere(this);
  }
}
