import type { Change } from './change';
import { withNewName } from './new-name';
import { RDS_IAM } from './state';

/** A role, and those that it is a member of, as the catalog has them. */
export interface RoleInGraph {
  readonly role: string;
  readonly isAdmin: boolean;
  readonly isSuperuser: boolean;
  readonly createsRoles: boolean;
  /** One for each role that has granted it. `effective`: it passes on more than the right to grant it. */
  readonly memberOf: { readonly group: string; readonly effective: boolean }[];
}

/** Where memberships lead: of some roles, and of all that these reach. */
export class MembershipGraph {
  private readonly roles: ReadonlyMap<string, RoleInGraph>;

  constructor(roles: readonly RoleInGraph[]) {
    this.roles = new Map(roles.map(role => [role.role, role]));
  }

  public has(name: string): boolean {
    return this.roles.has(name);
  }

  /** Who reaches a role gets what it has, or can take it: the role itself and those that it is a member of, through whatever memberships. */
  public reachedFrom(name: string): RoleInGraph[] {
    return [...this.walk(name, () => true).keys()].sort().flatMap(each => this.roles.get(each) ?? []);
  }

  /** The shortest path on which a role is a member of rds_iam. */
  public pathToRdsIam(name: string): string[] | undefined {
    const cameFrom = this.walk(name, ({ effective }) => effective);
    const path: string[] = [];
    for (let at = cameFrom.has(RDS_IAM) ? RDS_IAM : undefined; at !== undefined; at = cameFrom.get(at)) {
      path.unshift(at);
    }
    return path.length > 0 ? path : undefined;
  }

  /** Each role that is reached, with the one before it; the nearest ones first. */
  private walk(start: string, isTaken: (membership: RoleInGraph['memberOf'][number]) => boolean): ReadonlyMap<string, string | undefined> {
    const cameFrom = new Map<string, string | undefined>([[start, undefined]]);
    for (const role of cameFrom.keys()) { // also those that are added meanwhile
      for (const { group } of (this.roles.get(role)?.memberOf ?? []).filter(isTaken)) {
        if (!cameFrom.has(group)) {
          cameFrom.set(group, role);
        }
      }
    }
    return cameFrom;
  }
}

/** The same after a change that is planned. */
export function graphAfter(roles: RoleInGraph[], change: Change): RoleInGraph[] {
  switch (change.kind) {
    case 'createRole': return [...roles, { role: change.role, isAdmin: false, isSuperuser: false, createsRoles: false, memberOf: [] }];
    case 'dropRole': return roles.filter(({ role }) => role !== change.role).map(role => ({ ...role, memberOf: role.memberOf.filter(({ group }) => group !== change.role) }));
    case 'renameRole': return withNewName(roles, change.role, change.to);
    case 'grantRole': return roles.map(role => change.roles.includes(role.role) ? { ...role, memberOf: [...role.memberOf, { group: change.group, effective: true }] } : role);
    case 'revokeRole': return change.admin ? roles : roles.map(role => change.roles.includes(role.role) ? { ...role, memberOf: withoutOne(role.memberOf, change.group) } : role);
    default: return roles;
  }
}

/** Others may have granted it as well. */
function withoutOne(memberOf: RoleInGraph['memberOf'], group: string): RoleInGraph['memberOf'] {
  const at = memberOf.findIndex(one => one.group === group);
  return memberOf.filter((_, index) => index !== at);
}
