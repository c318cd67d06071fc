import { Token } from 'aws-cdk-lib';
import { Construct, IConstruct } from 'constructs';
import { roleNameProblem } from './contract/names';
import { errorAt } from './private/errors';

/** A role in PostgreSQL: a group, or a user. */
export interface IDatabaseRole extends IConstruct {
  /** Name of the role, in the case it has in the database. */
  readonly roleName: string;
}

/** Roles of PostgreSQL that others can be members of. */
export class DatabaseRole {
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

  private constructor() {}
}

class ImportedRole extends Construct implements IDatabaseRole {
  constructor(scope: Construct, id: string, public readonly roleName: string) {
    super(scope, id);
  }
}
