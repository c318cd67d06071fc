import { type Change, merged, revokerOf } from './change';
import type { PreviousDeclaration } from './identities';
import { type GrantOption, granting, inOrder } from './privilege-changes';
import { NO_LIMIT, planSettings } from './settings';
import { type Declaration, RDS_IAM } from './state';

/**
 * What the catalogs say of one role that all databases of the server share. `as`: whom the admin must be to take it
 * back; null: itself.
 */
export interface ObservedRole {
  readonly role: string;
  readonly oid: string;
  readonly canLogin: boolean;
  /** Its attribute INHERIT: what a membership gives by default. */
  readonly inherits: boolean;
  /**
   * One for each role that has granted it. `ours`: the admin, or a role that it inherits from; up to PostgreSQL 15 any.
   */
  readonly memberships: {
    readonly group: string;
    readonly inherits: boolean;
    readonly effective: boolean;
    readonly admin: boolean;
    readonly as: string | null;
    readonly ours: boolean;
  }[];
  /** `effective`: it has the privileges of the role, or can act as it. */
  readonly members: { readonly member: string; readonly effective: boolean; readonly as: string | null }[];
  /** `ours`: granted by the owner, the admin, or a role that the admin inherits from. */
  readonly databases: {
    readonly database: string;
    readonly privilege: string;
    readonly grantable: boolean;
    readonly ours: boolean;
    readonly as: string | null;
    readonly grantor: string | null;
    readonly through?: string | null;
  }[];
  /** Privileges on configuration parameters and tablespaces; asked for only where the role is exclusive. */
  readonly others: {
    readonly on: 'PARAMETER' | 'TABLESPACE';
    readonly name: string;
    readonly privilege: string;
    readonly grantable: boolean;
    readonly as: string | null;
  }[];
  /** -1: no limit. */
  readonly connectionLimit: number;
  /**
   * Values as they are stored; null: longer than any that is declared. `database`: for sessions in that one alone,
   * where they count more than those for all; null: for all.
   */
  readonly settings: { readonly database: string | null; readonly parameter: string; readonly value: string | null }[];
  /** Databases in which something depends on the role. Empty, like the next one, where that is not asked. */
  readonly dependsIn: string[];
  /** Databases in which it owns something. */
  readonly ownsIn: string[];
}

/** Who can pass the privileges of a database on. */
export interface DatabaseOwner {
  readonly database: string;
  readonly owner: string;
  readonly as: string | null;
  /** What the admin can grant without being the owner; null where it is the owner, or can become a member of it. */
  readonly options?: GrantOption[] | null;
}

/** What a role is to be, and what was declared of it before. */
export interface Wanted {
  readonly role: string;
  readonly declaration: Declaration;
  /** They bound what may be revoked: nothing that no declaration has granted, unless the role is exclusive. */
  readonly previous: PreviousDeclaration[];
  /** What completed events have declared: what has happened to it since is no error. */
  readonly deployed: Declaration[];
  /** The time of the user is over: it keeps what it holds, and cannot sign in. */
  readonly expired?: boolean;
  /** Groups in which its membership is over, although it is declared. */
  readonly ended?: readonly string[];
}

/**
 * What is missing to make roles as declared, and what is too much, as far as all databases share it. Access comes last:
 * a user can log in once everything else is in place. Roles that were not observed are new.
 */
export function planShared(
  wanted: Wanted[],
  observed: ReadonlyMap<string, ObservedRole>,
  owners: DatabaseOwner[],
): Change[] {
  const plans = wanted.map(one => planRole(one, observed.get(one.role) ?? { ...NEW_ROLE, role: one.role }, owners));
  return [
    ...wanted
      .filter(({ role }) => !observed.has(role))
      .map(({ role, declaration: { kind } }) => ({ kind: 'createRole', role, roleKind: kind }) as const),
    ...merged(plans.flatMap(({ revokes }) => revokes)),
    ...merged(plans.flatMap(({ grants }) => grants)),
    ...plans.flatMap(({ logins }) => logins),
  ];
}

/** What there is of a role that has just been created. */
export const NEW_ROLE: Omit<ObservedRole, 'role'> = {
  oid: '',
  canLogin: false,
  inherits: true,
  memberships: [],
  members: [],
  databases: [],
  others: [],
  connectionLimit: NO_LIMIT,
  settings: [],
  dependsIn: [],
  ownsIn: [],
};

function planRole(
  wanted: Wanted,
  observed: ObservedRole,
  owners: DatabaseOwner[],
): { revokes: Change[]; grants: Change[]; logins: Change[] } {
  const { role, declaration: { databases, exclusive } } = wanted;
  const signsIn = maySignIn(wanted);
  const groups = signsIn ? [...groupsOf(wanted), RDS_IAM] : groupsOf(wanted);
  const privileges = databases.flatMap(({ database, privileges }) =>
    privileges.map(privilege => ({ database, privilege })),
  );
  const held = (group: string) => observed.memberships.filter(membership => membership.group === group);
  const settings = planSettings(wanted, observed);
  return {
    revokes: [
      ...settings.resets,
      ...revokeDatabases(wanted, observed, privileges, exclusive),
      ...revokeGroups(wanted, observed, groups),
      ...exclusive ? [...revokeAdminOptions(observed, groups), ...revokeOthers(observed)] : [],
      ...signsIn ? [] : forbidLogin(observed),
    ],
    grants: [
      ...privileges
        .filter(
          ({ database, privilege }) =>
            !observed.databases.some(row => row.database === database && row.privilege === privilege),
        )
        .flatMap(({ database, privilege }): Change[] => {
          const owner = owners.find(row => row.database === database);
          return owner?.owner === role
            ? []
            : [
                {
                  kind: 'grant',
                  privileges: [privilege],
                  on: { type: 'DATABASE', database },
                  roles: [role],
                  ...(owner ? granting(owner, privilege) : {}),
                },
              ];
        }),
      ...groups.flatMap((group): Change[] =>
        held(group).length === 0
          ? [
              {
                kind: 'grantRole',
                group,
                roles: [role],
                ...(observed.inherits || group === RDS_IAM ? {} : { inherit: true }),
              },
            ]
          : held(group).some(({ inherits, effective }) => (group === RDS_IAM ? effective : inherits))
            ? []
            : [{ kind: 'grantRole', group, roles: [role], options: true }],
      ),
      ...settings.sets,
    ],
    logins: signsIn && !observed.canLogin ? [{ kind: 'allowLogin', role }] : [],
  };
}

function maySignIn({ declaration: { kind }, expired = false }: Wanted): boolean {
  return kind === 'user' && !expired;
}

/** What a role is to be a member of at this moment. */
export function groupsOf({ declaration: { memberOf }, ended = [] }: Wanted): string[] {
  return memberOf.filter(group => !ended.includes(group));
}

/** Takes memberships back that are over. Those that other roles have granted are left to these. */
export function planEndOfMemberships({ role, memberships }: ObservedRole, groups: readonly string[]): Change[] {
  return inOrder(memberships)
    .filter(({ group, effective, ours }) => ours && effective && groups.includes(group))
    .map(membership => revokeRole(role, membership));
}

/**
 * Takes away what lets a role sign in with a token: its membership in rds_iam, and in groups through which it is a
 * member of that.
 */
export function planEndOfTokens({ role, memberships }: ObservedRole, groupsOfRdsIam: ReadonlySet<string>): Change[] {
  return inOrder(memberships)
    .filter(({ group }) => group === RDS_IAM || groupsOfRdsIam.has(group))
    .map(membership => revokeRole(role, membership));
}

/**
 * Takes a role away from its members, who have what it has and owns. Who may only grant it, but neither has nor can act
 * as it, is an admin (16 and newer: who has made the role); of a group it goes as well.
 */
export function planEndOfMembers(kind: Declaration['kind'], { role, members }: ObservedRole): Change[] {
  return lastPassedOnFirst(members.filter(({ effective }) => effective || kind === 'role')).map(({ member, as }) =>
    revokeRole(member, { group: role, as }),
  );
}

/** From 16 on only its grantor takes a membership back, which must still hold its own then. */
function lastPassedOnFirst(members: ObservedRole['members']): ObservedRole['members'] {
  const distance = (grantor: string | null): number =>
    grantor === null
      ? 0
      : 1 + Math.max(0, ...members.filter(({ member }) => member === grantor).map(({ as }) => distance(as)));
  return inOrder(members).sort((a, b) => distance(b.as) - distance(a.as));
}

/** Roles that are to hold what is declared, and nothing else. */
export function exclusiveOf(wanted: Wanted[]): string[] {
  return wanted.flatMap(({ role, declaration: { exclusive } }) => exclusive ? [role] : []);
}

/** The same, as if nothing but what earlier declarations have granted had to go. */
export function withoutExclusive(wanted: Wanted[]): Wanted[] {
  return wanted.map(one => ({ ...one, declaration: { ...one.declaration, exclusive: false } }));
}

/** Takes back everything that all databases share, whichever role has granted it. */
export function planSharedRemoval({ role, memberships, databases }: ObservedRole): Change[] {
  return [
    ...inOrder(databases).map(row => revokeOnDatabase(role, row)),
    ...inOrder(memberships).map(membership => revokeRole(role, membership)),
  ];
}

function revokeDatabases(
  { role, previous }: Wanted,
  observed: ObservedRole,
  wanted: { database: string; privilege: string }[],
  exclusive: boolean,
): Change[] {
  const isIn = (list: { database: string; privilege: string }[], row: { database: string; privilege: string }) =>
    list.some(({ database, privilege }) => database === row.database && privilege === row.privilege);
  const before = previous.flatMap(({ databases }) =>
    databases.flatMap(({ database, privileges }) => privileges.map(privilege => ({ database, privilege }))),
  );
  return inOrder(observed.databases).flatMap((row): Change[] => {
    if (isIn(wanted, row)) {
      return exclusive && row.grantable ? [revokeOnDatabase(role, row, { grantable: true })] : [];
    }
    return exclusive || (row.ours && isIn(before, row)) ? [revokeOnDatabase(role, row)] : [];
  });
}

function revokeGroups(one: Wanted, observed: ObservedRole, wanted: string[]): Change[] {
  const { role, declaration: { kind, exclusive }, expired = false } = one;
  return inOrder(observed.memberships)
    .filter(
      ({ group, effective, ours }) =>
        !wanted.includes(group)
        && (exclusive
          || (kind === 'role' && group === RDS_IAM)
          || (expired && ours && group === RDS_IAM)
          || (ours && effective && wasMember(one, group))),
    )
    .map(membership => revokeRole(role, membership));
}

function wasMember({ previous, ended = [] }: Wanted, group: string): boolean {
  return ended.includes(group) || previous.some(({ memberOf }) => memberOf.includes(group));
}

/** A membership that is left to the role that has granted it as well. */
export interface MembershipOfOther {
  readonly role: string;
  readonly group: string;
  readonly grantor: string;
}

/**
 * Memberships that were declared and are not any more, and that other roles have granted as well: they are left to
 * these.
 */
export function membershipsOfOthers(
  wanted: Wanted[],
  observed: ReadonlyMap<string, ObservedRole>,
): MembershipOfOther[] {
  return wanted.filter(({ declaration }) => !declaration.exclusive).flatMap((one) => {
    const groups = groupsOf(one);
    const role = observed.get(one.role);
    return role === undefined ? [] : grantedByOthers(role, group => !groups.includes(group) && wasMember(one, group));
  });
}

/** Memberships that other roles have granted, in some groups. */
export function grantedByOthers(
  { role, memberships }: ObservedRole,
  isIn: (group: string) => boolean,
): MembershipOfOther[] {
  return memberships
    .filter(({ group, effective, ours }) => !ours && effective && isIn(group))
    .map(({ group, as }) => ({ role, group, grantor: as! }));
}

/** To grant a role on is no part of a membership that is declared. */
function revokeAdminOptions({ role, memberships }: ObservedRole, wanted: string[]): Change[] {
  return inOrder(memberships)
    .filter(({ group, admin }) => admin && wanted.includes(group))
    .map(membership => ({ ...revokeRole(role, membership), admin: true }) as Change);
}

/** No declaration has them. */
function revokeOthers({ role, others }: ObservedRole): Change[] {
  return inOrder(others).map(({ on, name, privilege, grantable, as }) => ({
    kind: 'revoke',
    privileges: [privilege],
    on: { type: on, name },
    roles: [role],
    ...(grantable ? { wasGrantable: true } : {}),
    ...revokerOf({ grantor: as }),
  }));
}

export function forbidLogin({ role, canLogin }: ObservedRole): Change[] {
  return canLogin ? [{ kind: 'forbidLogin', role }] : [];
}

function revokeRole(role: string, membership: { group: string; as: string | null }): Change {
  return { kind: 'revokeRole', group: membership.group, roles: [role], ...revokerOf({ grantor: membership.as }) };
}

function revokeOnDatabase(
  role: string,
  row: ObservedRole['databases'][number],
  option: { grantable?: true } = {},
): Change {
  const wasGrantable = row.grantable && !option.grantable ? { wasGrantable: true } as const : {};
  return {
    kind: 'revoke',
    privileges: [row.privilege],
    on: { type: 'DATABASE', database: row.database },
    roles: [role],
    ...option,
    ...wasGrantable,
    ...revokerOf(row),
  };
}
