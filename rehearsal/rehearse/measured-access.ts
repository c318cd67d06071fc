import { AccessDiff, accessDiff, ComparableFact, Holder } from '../diff/access-diff';
import { DatabaseAccess } from './app-access';
import { Access } from './measure-access';
import { Held, TABLES_IN_ALL } from './privileges';

/** Who gains and who loses what, by what was tried and asked before an update and after it. */
export function measuredDiff(before: DatabaseAccess[], after: DatabaseAccess[]): AccessDiff {
  // What PUBLIC has in a database that is new or gone is no change of access to one that stays.
  const [was, is] = [before, after].map(all => new Set(all.map(({ name }) => name)));
  const stays = ({ name }: DatabaseAccess) => was.has(name) && is.has(name);
  const [old, now] = [before, after].map(all =>
    all.flatMap(each => [...factsOf(each), ...(stays(each) ? ofPublic(each) : [])]),
  );
  return accessDiff(old, now);
}

function factsOf({ name: at, kind, attempts, access }: DatabaseAccess): ComparableFact[] {
  const signIns = attempts
    .filter(({ outcome }) => outcome !== 'no')
    .map(({ principal, username, outcome, reason }): ComparableFact => ({
      at,
      who: { kind: 'IAM role', name: principal },
      access: { kind: 'signIn', as: username, user: 'declared' },
      key: JSON.stringify([at, 'signIn', principal, username]),
      ...(outcome === 'yes' ? {} : { undecided: reason ?? 'it was refused' }),
    }));
  // A replica has the roles of its source.
  return [...signIns, ...(access && kind === 'database' ? rolesIn(at, access) : [])];
}

function rolesIn(at: string, { accounts, publicHoldings }: Access): ComparableFact[] {
  const ofPublic = new Map(
    publicHoldings.map(({ database, held }) => [database, typeof held === 'string' ? [] : held]),
  );
  return accounts.flatMap(({ name, kind, holdings }) => {
    const who: Holder = { kind: kind === 'user' ? 'user' : 'group role', name };
    return [
      { at, who, access: { kind: 'role' as const }, key: JSON.stringify([at, who]) },
      ...holdings.flatMap(({ database, held }) =>
        typeof held === 'string'
          ? []
          : beyondOwnership(held).flatMap(each => heldBy(at, who, database, each, ofPublic.get(database) ?? [])),
      ),
    ];
  });
}

function ofPublic({ name: at, access }: DatabaseAccess): ComparableFact[] {
  return (access?.publicHoldings ?? []).flatMap(({ database, held }) =>
    typeof held === 'string'
      ? []
      : held.flatMap(each => heldBy(at, { kind: 'PUBLIC', name: 'every role' }, database, each, [])),
  );
}

/** Without what the owner of a schema may do anyhow, nor the name of a group that owns it. */
function beyondOwnership(held: Held[]): Held[] {
  const all = held.map(each =>
    each.privileges.includes('OWN') ? { ...each, name: each.name.replace(OWNING_GROUP, '') } : each,
  );
  const isOwned = (name: string) =>
    all.some(each => each.kind === 'schema' && each.name === name && each.privileges.includes('OWN'));
  return all.filter(({ kind, name, privileges }) => kind !== 'schema' || privileges.includes('OWN') || !isOwned(name));
}

const OWNING_GROUP = / of (?:[a-z_][a-z0-9_$]*|"(?:[^"]|"")*")$/;

/** Beyond what PUBLIC holds. */
function heldBy(
  at: string,
  who: Holder,
  database: string,
  { kind, name, privileges }: Held,
  publicHoldings: Held[],
): ComparableFact[] {
  if (kind === TABLES_IN_ALL) {
    return [];
  }
  const known = publicHoldings.find(each => each.kind === kind && each.name === name)?.privileges ?? [];
  return privileges
    .filter(privilege => !known.includes(privilege))
    .map((word) => {
      const privilege = word === 'OWN' ? 'OWNER' : word;
      return kind === 'role'
        ? {
            at,
            who,
            access: { kind: 'membership', group: unquoted(name), through: [] },
            key: JSON.stringify([at, who, 'membership', name]),
          }
        : {
            at,
            who,
            access: { kind: 'privilege', database, privilege, on: thing(kind, name), through: [] },
            key: JSON.stringify([at, who, database, kind, name, privilege]),
          };
    });
}

/** As a declaration has it: `tables that migrator creates in public`. */
function thing(kind: string, name: string): string {
  const [, future] = /^future (.*)$/.exec(kind) ?? [];
  const [, table, columns] = /^(.*) \((.*)\)$/s.exec(name) ?? [];
  return future !== undefined
    ? `${future}s ${name}`
    : kind === 'column' && table !== undefined
      ? `columns ${columns} of table ${table}`
      : `${kind} ${name}`;
}

function unquoted(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}
