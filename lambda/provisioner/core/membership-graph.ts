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

  /**
   * Who reaches a role gets what it has, or can take it: the role itself and those that it is a member of, through
   * whatever memberships.
   */
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
  private walk(
    start: string,
    isTaken: (membership: RoleInGraph['memberOf'][number]) => boolean,
  ): ReadonlyMap<string, string | undefined> {
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

/** The same after changes that are planned, of which there may be thousands. */
export function graphAfter(roles: readonly RoleInGraph[], changes: readonly Change[]): RoleInGraph[] {
  let graph = new Map(roles.map(role => [role.role, role]));
  const update = (names: Iterable<string>, after: (memberOf: RoleInGraph['memberOf']) => RoleInGraph['memberOf']) => {
    for (const name of names) {
      const role = graph.get(name);
      if (role) {
        graph.set(name, { ...role, memberOf: after(role.memberOf) });
      }
    }
  };
  for (const change of changes) {
    switch (change.kind) {
      case 'createRole':
        graph.set(change.role, {
          role: change.role,
          isAdmin: false,
          isSuperuser: false,
          createsRoles: false,
          memberOf: [],
        });
        break;
      case 'dropRole':
        graph.delete(change.role);
        update(graph.keys(), memberOf => memberOf.filter(({ group }) => group !== change.role));
        break;
      case 'renameRole':
        graph = withNewName(graph, change.role, change.to);
        break;
      case 'grantRole':
        update(change.roles, memberOf => [...memberOf, { group: change.group, effective: true }]);
        break;
      case 'revokeRole':
        update(change.admin ? [] : change.roles, memberOf => withoutOne(memberOf, change.group));
        break;
    }
  }
  return [...graph.values()];
}

/** Others may have granted it as well. */
function withoutOne(memberOf: RoleInGraph['memberOf'], group: string): RoleInGraph['memberOf'] {
  const at = memberOf.findIndex(one => one.group === group);
  return memberOf.filter((_, index) => index !== at);
}
