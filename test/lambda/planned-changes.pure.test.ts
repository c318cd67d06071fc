import { type Change, rolesOf } from '../../lambda/provisioner/core/change';
import { isOfNames, type Planned, PlannedChanges } from '../../lambda/provisioner/core/planned-changes';
import { Random } from './random';

const ROLES = ['ada', 'bob', 'eve'];

function randomChange(random: Random): Change {
  const [role, other, group] = [random.one(ROLES), random.one(ROLES), random.one(['readers', 'ada'])];
  return random.one<Change>([
    { kind: 'createRole', role, roleKind: 'user' },
    { kind: 'renameRole', role, to: other },
    { kind: 'dropRole', role },
    { kind: 'grantRole', group, roles: [...new Set([role, other])] },
    { kind: 'grant', privileges: ['USAGE'], on: { type: 'SCHEMA', schema: 'app' }, roles: [...new Set([role, other])] },
    { kind: 'createSchema', schema: 'app', role, as: role },
    { kind: 'dropOwned', role, as: role },
  ]);
}

/** As `about` says it, looking at each change. */
function looked(all: Planned[], names: string[]): Planned[] {
  return all.filter(
    ({ change }) =>
      isOfNames(change)
      || ['createSchema', 'dropSchema', 'dropOwned'].includes(change.kind)
      || rolesOf(change).some(role => names.includes(role))
      || ('group' in change && names.includes(change.group)),
  );
}

test('finds what a look at each change finds, in the same order, also after some were taken back', () => {
  const random = new Random(1);
  for (let run = 0; run < 300; run++) {
    const changes = new PlannedChanges();
    const all: Planned[] = [];
    for (let n = 0; n < 30; n++) {
      if (random.chance(0.1)) {
        all.length = Math.floor(random.next() * (all.length + 1));
        changes.truncate(all.length);
      }
      const planned = { database: 'shop', change: randomChange(random) };
      changes.add(planned);
      all.push(planned);
    }
    for (const names of [[], ['ada'], ['bob', 'readers'], ROLES]) {
      expect(changes.about(names)).toEqual(looked(all, names));
    }
    expect(changes.ofNames()).toEqual(all.filter(({ change }) => isOfNames(change)));
    expect(changes.since(7)).toEqual(all.slice(7));
    expect(changes.length).toBe(all.length);
  }
});
