import type { Change } from '../../lambda/provisioner/core/change';
import { Journal } from '../../lambda/provisioner/core/journal';
import type { LocatedRecord } from '../../lambda/provisioner/core/public-records';
import type { Claim } from '../../lambda/provisioner/core/state';

const create = (role: string): Change => ({ kind: 'createRole', role, roleKind: 'user' });

describe('Journal', () => {
  test('has what was committed, the last one first', () => {
    const journal = new Journal();
    expect(journal.isEmpty).toBe(true);
    journal.note('postgres', [create('a')]);
    journal.note('shop', [create('b')]);
    expect(journal.isEmpty).toBe(false);
    expect(journal.backwards).toEqual([
      { database: 'shop', changes: [create('b')] },
      { database: 'postgres', changes: [create('a')] },
    ]);
    expect(journal.backwards).toEqual(journal.backwards); // to read it turns nothing round
  });

  test('loses the note of what was not committed, and no other', () => {
    const journal = new Journal();
    journal.note('postgres', [create('a')]);
    const takeBack = journal.note('shop', [create('b')]);
    journal.note('shop', [create('c')]);
    takeBack();
    expect(journal.backwards).toEqual([
      { database: 'shop', changes: [create('c')] },
      { database: 'postgres', changes: [create('a')] },
    ]);
  });

  test('is empty when all is taken back', () => {
    const journal = new Journal();
    journal.note('shop', [create('a')]);
    journal.clear();
    expect(journal.isEmpty).toBe(true);
    expect(journal.backwards).toEqual([]);
  });

  test('remembers the registry before the first attempt, not before a later one', () => {
    const journal = new Journal();
    expect(journal.claims).toEqual([]);
    expect(journal.publicRecords).toEqual([]);
    const [claim, record] = [{ username: 'a' } as Claim, { database: 'shop' } as LocatedRecord];
    journal.remember([claim], [record]);
    journal.remember([], []);
    expect(journal.claims).toEqual([claim]);
    expect(journal.publicRecords).toEqual([record]);
  });

  test('remembers that no privileges of PUBLIC were registered', () => {
    const journal = new Journal();
    journal.remember([]);
    expect(journal.publicRecords).toEqual([]);
  });
});
