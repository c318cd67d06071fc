import { groupedBy } from './grouped-by';
import type { PreviousDeclaration } from './identities';
import { type Claim, type Declaration, type ManagingResource, sameResource } from './state';

/**
 * Who manages which role, as one resource sees it. Live are the claims whose resources exist: a stack of the same name
 * but another id is a predecessor that was deleted, because stack names are unique in an account and Region.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
 */
export class Ownership {
  public readonly own: Claim[];
  public readonly others: Claim[];
  private readonly live: ReadonlySet<Claim>;
  private readonly ownDeployed: Declaration[];
  private readonly byRole: ReadonlyMap<string, Claim[]>;
  private readonly ownByName: ReadonlyMap<string, Claim[]>;

  constructor(private readonly self: ManagingResource, claims: Claim[]) {
    const live = claims.filter(
      claim => !claim.released && !(claim.stack === self.stack && claim.stackId !== self.stackId),
    );
    this.live = new Set(live);
    this.own = live.filter(claim => sameResource(claim, self));
    this.ownDeployed = distinct(this.own.flatMap(({ deployed }) => deployed));
    this.others = live.filter(claim => !sameResource(claim, self));
    this.byRole = groupedBy(claims, ({ roleOid }) => roleOid);
    this.ownByName = groupedBy(this.own, ({ username }) => username);
  }

  public isLive(claim: Claim): boolean {
    return this.live.has(claim);
  }

  /** Whether a resource of this stack manages the role in this database. */
  public isOfSameStack(claim: Claim, resourceId: string): boolean {
    return this.isLive(claim) && claim.stack === this.self.stack && claim.resourceId === resourceId;
  }

  /**
   * Whether it was kept from an update of a list that was given up: it has the physical id of a list of this stack that
   * is there. Its name may be another's again.
   */
  public isAbandoned(claim: Claim): boolean {
    return claim.released && claim.stackId === this.self.stackId
      && [...this.live].some(other => sameResource(other, claim) && other.physicalId === claim.physicalId);
  }

  /** Those of this resource that declare the name. */
  public ownNamed(username: string): Claim[] {
    return this.ownByName.get(username) ?? [];
  }

  /** Claims to one role. */
  public on(roleOid: string | undefined): Claim[] {
    return roleOid === undefined ? [] : this.byRole.get(roleOid) ?? [];
  }

  /** What completed events have declared of the role, and of any role of this resource. */
  public deployedTo(roleOid: string | undefined): Declaration[] {
    const onRole = this.on(roleOid).filter(({ roleName }) => roleName !== undefined);
    return distinct([...onRole.flatMap(({ deployed }) => deployed), ...this.ownDeployed]);
  }

  /** What was ever granted to the role: by the resources that manage it, or did so while it was shared. */
  public declarationsOf(roleOid: string | undefined): PreviousDeclaration[] {
    return this.on(roleOid).filter(({ roleName }) => roleName !== undefined).flatMap(withIdentities);
  }
}

function withIdentities({ declarations, identities }: Claim): PreviousDeclaration[] {
  return identities === undefined ? declarations : declarations.map(declaration => ({ ...declaration, identities }));
}

/** Many users of one resource declare the same. */
function distinct(declarations: Declaration[]): Declaration[] {
  return [...new Map(declarations.map(declaration => [JSON.stringify(declaration), declaration])).values()];
}
