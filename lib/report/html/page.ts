import type { AccessReport, GroupAccess, Membership, PrivilegeAccess, UserAccess } from '../access-report';
import { writes } from '../remarks';

/** What a user has through a group. */
export interface Inherited extends Membership {
  readonly group: GroupAccess;
  readonly anchor: string;
}

/** What the rows of one server refer to. */
export class Page {
  public readonly groups: Map<string, { readonly group: GroupAccess; readonly anchor: string }>;

  private readonly databaseNumbers: Map<string, number>;

  constructor(public readonly report: AccessReport, server: number) {
    this.databaseNumbers = new Map(databasesOf(report).map((name, index) => [name, index]));
    this.groups = new Map(
      report.servers[server].groups.map((group, index) => [group.name, { group, anchor: `group-${server}-${index}` }]),
    );
  }

  public inherited(membership: Membership): Inherited[] {
    const known = this.groups.get(membership.role);
    return known ? [{ ...membership, ...known }] : [];
  }

  public databaseNumber(name: string): number | undefined {
    return this.databaseNumbers.get(name);
  }
}

/** Names of the databases, in the order of the filter. */
export function databasesOf({ servers }: AccessReport): string[] {
  const privileges = servers.flatMap(({ users, groups }) => [...users, ...groups]).flatMap(role => role.privileges);
  return [...new Set(privileges.map(({ database }) => database))].sort();
}

/** What the second filter asks for, each with a letter. */
export const KINDS: {
  readonly letter: string;
  readonly title: string;
  readonly holds: (user: UserAccess, privileges: PrivilegeAccess[]) => boolean;
}[] = [
  { letter: 'w', title: 'May change data or create objects', holds: (_, privileges) => privileges.some(writes) },
  { letter: 'g', title: 'Members of a group', holds: ({ memberOf }) => memberOf.length > 0 },
  {
    letter: 'p',
    title: 'Through a proxy or at a replica',
    holds: ({ signIns }) => signIns.some(({ at }) => at !== undefined),
  },
  { letter: 'n', title: 'No sign-in', holds: ({ signIns }) => signIns.length === 0 },
];
