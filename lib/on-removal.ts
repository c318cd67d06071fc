import type { RemovalAction } from './contract/wire';
import { checkRole } from './model/known-role';
import type { Removal } from './provisioner/role-resource';
import type { IDatabaseRole } from './role-interface';

/** Options of `OnRemoval.drop`. */
export interface OnRemovalDropOptions {
  /**
   * The role that owns it from then on, in the same database. It is deployed before, and outlives the one that is
   * dropped.
   *
   * It needs CREATE on the schemas in which the role has created functions. docs/operations.md lists what else it may
   * need.
   */
  readonly reassignOwnedTo: IDatabaseRole;
}

/**
 * What happens to a role in PostgreSQL when its construct goes, or the stack.
 *
 * No data is dropped, whatever is chosen. What counts is what was deployed last: to remove a role in another way,
 * deploy that first. Removal policies of CDK, such as `RemovalPolicies.of(app).retain()`, do not change it.
 */
export class OnRemoval {
  /**
   * Ends the access, then drops the role unless it owns something.
   *
   * First it loses its login and its membership in `rds_iam`, and its sessions end. Then everything it holds is
   * revoked, in all databases of the server. A role that owns something stays, without access, and gets it back when a
   * role of that name is declared again.
   *
   * @returns the removal, for `onRemoval`
   */
  public static dropOrDisable(): OnRemoval {
    return new OnRemoval('DROP_OR_DISABLE');
  }

  /**
   * Ends the access, hands over what the role owns, and drops it.
   *
   * As `dropOrDisable()`, but what the role owns, in all databases of the server, goes to another role before.
   *
   * @param options who gets what the role owns
   * @returns the removal, for `onRemoval`
   */
  public static drop(options: OnRemovalDropOptions): OnRemoval {
    const reassignOwnedTo = options?.reassignOwnedTo;
    checkRole('reassignOwnedTo', reassignOwnedTo);
    return new OnRemoval('DROP', reassignOwnedTo);
  }

  /**
   * Ends the access and leaves the rest as it is.
   *
   * The role loses its login and its membership in `rds_iam`, and its sessions end. It stays with all it owns and
   * holds, and gets its access back when a role of that name is declared again.
   *
   * @returns the removal, for `onRemoval`
   */
  public static disable(): OnRemoval {
    return new OnRemoval('DISABLE');
  }

  /**
   * Leaves the role as it is, login included: an identity that may `rds-db:connect` as it still gets in.
   *
   * Also a role that was made a moment ago, by a deployment that fails elsewhere and is rolled back.
   *
   * @returns the removal, for `onRemoval`
   */
  public static retain(): OnRemoval {
    return new OnRemoval('RETAIN');
  }

  /** @internal */
  public readonly _removal: Removal;

  private constructor(action: RemovalAction, newOwner?: IDatabaseRole) {
    this._removal = { action, newOwner };
  }
}
