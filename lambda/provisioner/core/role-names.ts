import type { Change } from './change';
import type { Claim, RoleKind } from './state';

/** A role that had to make room for another of its stack waits under this name. */
export function temporaryName(roleOid: string): string {
  return `cdk_aurora_iam_auth_renaming_${roleOid}`;
}

/** The names of the roles while changes to them are being decided. */
export class Names {
  public readonly changes: Change[] = [];
  private readonly oids: Map<string, string | undefined>;

  constructor(roles: ReadonlyMap<string, string>) {
    this.oids = new Map(roles);
  }

  public free(name: string): boolean {
    return !this.oids.has(name);
  }

  public nameOf(oid: string): string | undefined {
    return [...this.oids].find(([, held]) => held === oid)?.[0];
  }

  public create(name: string, roleKind: RoleKind): void {
    this.oids.set(name, undefined);
    this.changes.push({ kind: 'createRole', role: name, roleKind });
  }

  public rename(from: string, to: string): void {
    this.oids.set(to, this.oids.get(from));
    this.oids.delete(from);
    this.changes.push({ kind: 'renameRole', role: from, to });
  }

  /** Gives the roles that wait for their names those that are free now. */
  public assignFreedNames(claims: Claim[]): void {
    for (const { roleOid, roleName, username } of claims) {
      if (roleName === temporaryName(roleOid) && this.nameOf(roleOid) === roleName && this.free(username)) {
        this.rename(roleName, username);
      }
    }
  }
}
