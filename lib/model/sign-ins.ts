import { IGrantable } from 'aws-cdk-lib/aws-iam';
import { IConstruct } from 'constructs';

/** A permission to sign in, as it was granted. */
export interface SignInGrant {
  /** Undefined for a policy that is handed out as JSON. */
  readonly grantee?: IGrantable;

  /** May be a token. */
  readonly username?: string;

  /** In place of a username: the key of the tag that says it. */
  readonly tagKey?: string;
  readonly until?: string;

  /** The grantee is the role of this proxy, which signs in on behalf of its clients, or of this provisioner, which the report has as the admin. */
  readonly onBehalfOf?: IConstruct;
}

/** What stands before a database: its clients have users of the database, and sign in there. */
export interface Front {
  readonly kind: 'proxy' | 'replica';
  readonly construct: IConstruct;
  /** What tells it apart, as the target of grants. */
  readonly identity: IConstruct;
}

interface Target {
  readonly byUsername: Map<string, SignInGrant[]>;
  readonly byTag: SignInGrant[];
  readonly fronts: Map<IConstruct, Front>;
}

const TARGETS = new WeakMap<IConstruct, Target>();

/** Everything that was granted at a cluster, instance or proxy, and what stands before it. */
export function grantsAt(identity: IConstruct): Target {
  const target = TARGETS.get(identity) ?? { byUsername: new Map<string, SignInGrant[]>(), byTag: [], fronts: new Map<IConstruct, Front>() };
  TARGETS.set(identity, target);
  return target;
}

export function rememberGrant(identity: IConstruct, grant: SignInGrant): void {
  const { byUsername, byTag } = grantsAt(identity);
  if (grant.username === undefined) {
    byTag.push(grant);
  } else {
    const others = byUsername.get(grant.username) ?? [];
    byUsername.set(grant.username, others);
    others.push(grant);
  }
}

export function rememberFront(database: IConstruct, front: Front): void {
  grantsAt(database).fronts.set(front.identity, front);
}
