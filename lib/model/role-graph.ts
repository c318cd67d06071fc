import { strongRole } from '../contract/predefined-roles';

/** A role that a user or group is a member of, itself or through others. */
export interface Membership {
  readonly role: string;

  /** What members of a strong role can do, such as those of `rds_superuser`. Absent for all other roles. */
  readonly strong?: string;

  /** From the role that it is a member of itself to the last one before `role`; empty if that is `role`. */
  readonly through: string[];

  /**
   * When the membership ends, if it does: of a role that it is a member of itself. In UTC, such as
   * `2027-01-31T12:00:00.000Z`.
   */
  readonly expiresAt?: string;

  /** Whether that was over when the app was synthesized. */
  readonly expired?: true;
}

export interface Member {
  readonly name: string;
  readonly kind: 'user' | 'group';

  /** From the member of the group up to the last one before `name`; empty if `name` is a member itself. */
  readonly through: string[];
}

/** A role, or several that are alike, and what they are members of themselves. */
export interface GraphRole {
  readonly names: readonly string[];
  readonly kind: 'user' | 'group';
  readonly memberOf: readonly string[];
}

/** Who is inside of what, also through others. In PostgreSQL there are no circles; here, they would end. */
export class RoleGraph {
  private readonly memberships = new Map<string, readonly string[]>();
  private readonly members = new Map<string, GraphRole[]>();

  constructor(roles: readonly GraphRole[]) {
    for (const role of roles) {
      role.names.forEach(name => this.memberships.set(name, role.memberOf));
      for (const group of role.memberOf) {
        const members = this.members.get(group) ?? [];
        this.members.set(group, members);
        members.push(role);
      }
    }
  }

  /** The groups of a role, the nearest first. */
  public membershipsOf(memberOf: readonly string[]): Membership[] {
    return reach(
      memberOf.map(role => ({ role })),
      ({ role }) => role,
      ({ role }) => (this.memberships.get(role) ?? []).map(next => ({ role: next })),
    ).map(membership => ({ ...membership, ...strength(membership.role) }));
  }

  /** The members of a group, the nearest first. */
  public membersOf(group: string): Member[] {
    const direct = (name: string) =>
      (this.members.get(name) ?? []).flatMap(({ names, kind }) => names.map(member => ({ name: member, kind })));
    return reach(direct(group), ({ name }) => name, ({ name }) => direct(name));
  }
}

/** What the members of a role can do, if that is to be noticed. */
export function strength(role: string): { readonly strong?: string } {
  const { members } = strongRole(role) ?? {};
  return members === undefined ? {} : { strong: members };
}

/** Everything that is reached from some, the nearest first, each with those that are between. */
function reach<Item>(
  from: Item[],
  nameOf: (item: Item) => string,
  next: (item: Item) => Item[],
): (Item & { through: string[] })[] {
  const found = new Map<string, Item & { through: string[] }>();
  let layer = from.map(item => ({ ...item, through: [] as string[] }));
  while (layer.length > 0) {
    const fresh = layer.filter(item => !found.has(nameOf(item)));
    fresh.forEach(item => found.has(nameOf(item)) || found.set(nameOf(item), item));
    layer = fresh.flatMap(item => next(item).map(each => ({ ...each, through: [...item.through, nameOf(item)] })));
  }
  return [...found.values()];
}
