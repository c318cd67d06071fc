import { RemovalAction } from './contract/wire';
import { IDatabaseRole } from './database-role';

/** Who gets what a role owns. */
export interface DropOptions {
  /** The role that owns it from then on, in the same database. It is deployed before, and outlives the one that is dropped. */
  readonly reassignOwnedTo: IDatabaseRole;
}

/**
 * What becomes of a role in PostgreSQL when its construct goes, or the stack.
 *
 * Whatever is chosen, no data is dropped. What counts is what was deployed last: to remove a role in another way, deploy that first.
 */
export class OnRemoval {
  /**
   * The access ends: no login, no membership in `rds_iam`, its sessions are terminated. Then the role is dropped, unless anything depends on it,
   * such as a table it owns or a privilege that was granted by hand: then it stays, without access,
   * and gets it back when a role of that name is declared again.
   */
  public static dropOrDisable(): OnRemoval {
    return new OnRemoval('DROP_OR_DISABLE');
  }

  /**
   * The access ends and sessions are terminated. What the role owns, in all databases, goes to another role; its privileges are revoked everywhere,
   * those that were granted by hand as well; then it is dropped.
   *
   * @param options who gets what the role owns
   */
  public static drop(options: DropOptions): OnRemoval {
    return new OnRemoval('DROP', options.reassignOwnedTo);
  }

  /**
   * The access ends and sessions are terminated. The role stays, with all it owns and holds, and gets its access back when a role of that name is declared again.
   */
  public static disable(): OnRemoval {
    return new OnRemoval('DISABLE');
  }

  /**
   * The role stays as it is, login included: an identity that may `rds-db:connect` as it still gets in.
   */
  public static retain(): OnRemoval {
    return new OnRemoval('RETAIN');
  }

  /** @internal */
  public readonly _action: RemovalAction;

  /** @internal */
  public readonly _heir?: IDatabaseRole;

  private constructor(action: RemovalAction, heir?: IDatabaseRole) {
    this._action = action;
    this._heir = heir;
  }
}
