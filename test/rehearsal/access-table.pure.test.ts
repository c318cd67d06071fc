import { rightsTable, signInTable } from '../../rehearsal/rehearse/access-table';
import { Access, Account } from '../../rehearsal/rehearse/measure-access';

const access = (accounts: Account[]): Access => ({ attempts: [], accounts, publicHoldings: [] });

describe('table of who signs in', () => {
  test('says which login was refused although it is allowed, and of which it is not known', () => {
    expect(signInTable([
      { principal: 'Reader', username: 'ada', outcome: 'unknown', reason: 'managed policy x is not known' },
      { principal: 'Chief', username: 'ada', outcome: 'fails',
        reason: 'refused: 28000 PAM authentication failed for user "ada"' },
      { principal: 'Visitor', username: 'ada', outcome: 'no' },
    ]).join('\n')).toBe(`
IAM role     ada
-----------  -----
Reader       ?
Chief        FAILS
and 1 other  -
? Reader: managed policy x is not known
FAILS Chief as ada: refused: 28000 PAM authentication failed for user "ada"`);
  });

  test('is no wider than 120 columns, however many users there are', () => {
    const users = Array.from({ length: 40 }, (_, i) => `user${i}@example.com`);
    const attempts = users.flatMap(username =>
      users.map(principal => ({
        principal,
        username,
        outcome: principal === username ? ('yes' as const) : ('no' as const),
      })),
    );
    const lines = signInTable(attempts);
    expect(Math.max(...lines.map(line => line.length))).toBeLessThanOrEqual(120);
    expect(lines.filter(line => line.includes('yes'))).toHaveLength(40);
  });
});

describe('table of rights', () => {
  const account = (name: string, tables: string[] = []): Account => ({
    name, kind: 'user', askedAs: 'itself',
    holdings: [
      {
        database: 'shop',
        held: [
          ...tables.map(table => ({ kind: 'table', name: table, privileges: ['SELECT'] })),
          { kind: 'tables in all', name: '40', privileges: [] },
        ],
      },
    ],
  });

  test('has users that may do the same together', () => {
    const lines = rightsTable(access(['ada', 'bea', 'cyd', 'dan', 'eve', 'fay'].map(name => account(name))));
    expect(lines.slice(2, 7).map(line => line.trimEnd())).toEqual([
      'ada         shop      read, write, own  nothing',
      'bea',
      'cyd',
      'dan',
      'and 2 more',
    ]);
  });

  test('is no wider than 120 columns, however many tables and however long names there are', () => {
    const lines = rightsTable(
      access([
        account(
          'u'.repeat(63),
          Array.from({ length: 40 }, (_, i) => `public.table_with_a_name_${i}`),
        ),
      ]),
    );
    expect(Math.max(...lines.map(line => line.length))).toBeLessThanOrEqual(120);
    expect(lines[2]).toMatch(/^u{39}… {2}shop {6}read {8}40 tables: public\.table_with_a_name_0, .*…$/);
  });
});
