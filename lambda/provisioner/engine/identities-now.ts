import { rolesOf } from '../core/change';
import {
  type DatabaseIdentities, type Found, type Identities, identitiesIn, type Names, type Place, sharedIdentities,
  withPresentNames,
} from '../core/identities';
import type { Decision, Facts } from '../core/lifecycle';
import type { Wanted } from '../core/plan-shared';
import type { Declaration } from '../core/state';
import type { Impossible } from './impossible';
import type { Work } from './work';

/** What the names in declarations stand for in the databases that were worked on. */
export class IdentitiesNow {
  private readonly byDeclaration = new Map<Declaration, DatabaseIdentities[]>();

  private readonly names: Names;

  constructor(private readonly work: Work, facts: Facts, { changes }: Decision) {
    const changed = new Set(
      changes.flatMap(change => (change.kind === 'renameRole' ? [change.role, change.to] : rolesOf(change))),
    );
    this.names = {
      databases: facts.databaseOids,
      roles: new Map([...facts.roles].filter(([name]) => !changed.has(name))),
    };
  }

  public add(database: string, wanted: Wanted[], found: Found): void {
    for (const declaration of new Set(wanted.map(one => one.declaration))) {
      const identities = identitiesIn(database, declaration, found);
      this.byDeclaration.set(declaration, [
        ...(this.byDeclaration.get(declaration) ?? []),
        ...(identities === undefined ? [] : [identities]),
      ]);
    }
  }

  public readonly of = (declaration: Declaration): Identities | undefined => {
    const found = this.byDeclaration.get(declaration) ?? [];
    const shared = sharedIdentities(declaration, this.names);
    const databases = [
      ...found,
      ...shared.databases.filter(({ database }) => !found.some(one => one.database === database)),
    ];
    return databases.length + shared.roles.length === 0
      ? undefined
      : { ...placeOf(this.work), databases, roles: shared.roles };
  };
}

/** The decision with what was declared before under the names that databases and roles have now. */
export function inNamesOfToday(work: Work, facts: Facts, decision: Decision, impossible: Impossible): Decision {
  const [names, place] = [{ databases: facts.databaseOids, roles: facts.roles }, placeOf(work)];
  decision.converge.forEach(wanted => impossible.reportUncertainNames(wanted, names, place));
  return {
    ...decision,
    converge: decision.converge.map(one => ({
      ...one,
      previous: one.previous.map(earlier => withPresentNames(earlier, names, place)),
    })),
  };
}

export function placeOf({ resourceId, lock: { server: { version } } }: Work): Place {
  return { resourceId, major: Math.floor(version / 10_000) };
}
