import { Change, takingBack } from './change';
import { Declaration, RDS_IAM } from './state';

/** What the catalogs say of one role that all databases of the server share. `as`: whom the admin must be to take it back; null: itself. */
export interface ObservedRole {
  readonly role: string;
  readonly oid: string;
  readonly canLogin: boolean;
  /** One for each who has granted it. */
  readonly memberships: { readonly group: string; readonly inherits: boolean; readonly effective: boolean; readonly as: string | null }[];
  readonly members: { readonly member: string; readonly as: string | null }[];
  /** `ours`: granted by the owner or the admin, as this library does. */
  readonly databases: { readonly database: string; readonly privilege: string; readonly grantable: boolean; readonly ours: boolean; readonly as: string | null }[];
  /** Databases in which something depends on the role. */
  readonly dependsIn: string[];
}

/** Who can pass the privileges of a database on. */
export interface DatabaseOwner {
  readonly database: string;
  readonly owner: string;
  readonly as: string | null;
}

/** What a role is to be, and what was declared of it before. */
export interface Wanted {
  readonly role: string;
  readonly declaration: Declaration;
  /** They bound what may be revoked: nothing that no declaration has granted, unless the role is exclusive. */
  readonly previous: Declaration[];
}

/**
 * What is missing to make a role as declared, and what is too much, as far as all databases share it. Access comes last: a user
 * can log in once everything else is in place.
 */
export function planShared(wanted: Wanted, observed: ObservedRole, owners: DatabaseOwner[]): Change[] {
  const { role, declaration: { kind, memberOf, databases, exclusive } } = wanted;
  const groups = kind === 'user' ? [...memberOf, RDS_IAM] : memberOf;
  const privileges = databases.flatMap(({ database, privileges }) => privileges.map(privilege => ({ database, privilege })));
  const held = (group: string) => observed.memberships.filter(membership => membership.group === group);
  return [
    ...revokeDatabases(wanted, observed, privileges, exclusive),
    ...revokeGroups(wanted, observed, groups),
    ...kind === 'role' ? forbidLogin(observed) : [],
    ...privileges
      .filter(({ database, privilege }) => !observed.databases.some(row => row.database === database && row.privilege === privilege))
      .flatMap(({ database, privilege }): Change[] => {
        const owner = owners.find(row => row.database === database);
        return owner?.owner === role ? [] : [{ kind: 'grant', privileges: [privilege], on: { type: 'DATABASE', database }, roles: [role], ...owner?.as ? { as: owner.as } : {} }];
      }),
    ...groups.flatMap((group): Change[] => held(group).length === 0
      ? [{ kind: 'grantRole', group, role }]
      : held(group).some(({ inherits, effective }) => group === RDS_IAM ? effective : inherits) ? [] : [{ kind: 'grantRole', group, role, options: true }]),
    ...kind === 'user' && !observed.canLogin ? [{ kind: 'allowLogin', role } as const] : [],
  ];
}

/**
 * Takes access away: a user's login and its way in; a group's members, who would otherwise still have what it owns.
 */
export function planEndOfAccess(kind: Declaration['kind'], observed: ObservedRole): Change[] {
  return [
    ...forbidLogin(observed),
    ...observed.memberships.filter(({ group }) => group === RDS_IAM).map(membership => revokeRole(observed.role, membership)),
    ...kind === 'role' ? observed.members.map(({ member, as }) => revokeRole(member, { group: observed.role, as })) : [],
  ];
}

/** Takes back everything that all databases share, whoever has granted it. */
export function planSharedRemoval({ role, memberships, databases }: ObservedRole): Change[] {
  return [
    ...databases.map(row => revokeOnDatabase(role, row)),
    ...memberships.map(membership => revokeRole(role, membership)),
  ];
}

function revokeDatabases({ role, previous }: Wanted, observed: ObservedRole, wanted: { database: string; privilege: string }[], exclusive: boolean): Change[] {
  const isIn = (list: { database: string; privilege: string }[], row: { database: string; privilege: string }) =>
    list.some(({ database, privilege }) => database === row.database && privilege === row.privilege);
  const before = previous.flatMap(({ databases }) => databases.flatMap(({ database, privileges }) => privileges.map(privilege => ({ database, privilege }))));
  return observed.databases.flatMap((row): Change[] => {
    if (isIn(wanted, row)) {
      return exclusive && row.grantable ? [revokeOnDatabase(role, row, { grantable: true })] : [];
    }
    return exclusive || (row.ours && isIn(before, row)) ? [revokeOnDatabase(role, row)] : [];
  });
}

function revokeGroups({ role, declaration: { kind, exclusive }, previous }: Wanted, observed: ObservedRole, wanted: string[]): Change[] {
  return observed.memberships
    .filter(({ group, effective, as }) => !wanted.includes(group)
      && (exclusive || (kind === 'role' && group === RDS_IAM) || (effective && as === null && previous.some(({ memberOf }) => memberOf.includes(group)))))
    .map(membership => revokeRole(role, membership));
}

function forbidLogin({ role, canLogin }: ObservedRole): Change[] {
  return canLogin ? [{ kind: 'forbidLogin', role }] : [];
}

function revokeRole(role: string, membership: { group: string; as: string | null }): Change {
  return { kind: 'revokeRole', group: membership.group, role, ...takingBack({ ...membership, ours: false }) };
}

function revokeOnDatabase(role: string, row: ObservedRole['databases'][number], option: { grantable?: true } = {}): Change {
  const wasGrantable = row.grantable && !option.grantable ? { wasGrantable: true } as const : {};
  return { kind: 'revoke', privileges: [row.privilege], on: { type: 'DATABASE', database: row.database }, roles: [role], ...option, ...wasGrantable, ...takingBack(row) };
}
