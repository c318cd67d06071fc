import { AccessChange, AccessDiff } from '../../../rehearsal/diff/access-diff';
import { linesOfDiff, markdownOfDiff, NO_CHANGE } from '../../../rehearsal/diff/diff-text';
import { HOSTILE_NAMES } from '../../lib/report/report';

const diffOf = (gains: AccessChange[], losses: AccessChange[] = []): AccessDiff => ({ format: 1, gains, losses });
const user = (name: string) => ({ kind: 'user' as const, name });
const signIn = (name: string, as: string): AccessChange => ({
  at: 'Shop/Cluster',
  who: { kind: 'IAM role', name },
  access: { kind: 'signIn', as, user: 'declared' },
});
const privilege = (name: string, privilege: string, on: string, through: string[] = []): AccessChange => ({
  at: 'Shop/Cluster',
  who: user(name),
  access: { kind: 'privilege', database: 'shop', privilege, on, through },
});

describe('Markdown', () => {
  test('says that no identity gains or loses access', () => {
    expect(markdownOfDiff(diffOf([]))).toBe(`# Access changes\n\n${NO_CHANGE}\n`);
  });

  test('has who gains and who loses what, and who stays', () => {
    const gains = [
      signIn('Shop/Service', 'orders'),
      { at: 'Shop/Cluster', who: user('orders'), access: { kind: 'role' as const } },
      privilege('orders', 'SELECT', 'table public.b'),
      privilege('orders', 'USAGE', 'schema public'),
      privilege('orders', 'INSERT', 'table public.b'),
      privilege('ada', 'SELECT', 'table public.b', ['readers']),
      privilege('grace', 'SELECT', 'table public.b', ['readers']),
      {
        who: user('eve'),
        access: { kind: 'unknown' as const, text: 'whatever policy x allows' },
        undecided: 'it is in none of the templates',
      },
    ];
    const losses: AccessChange[] = [
      signIn('Shop/Old', 'orders'),
      { at: 'Shop/Cluster', who: user('legacy'), access: { kind: 'role' }, kept: true },
      { ...privilege('legacy', 'SELECT', 'table public.b'), kept: true },
    ];
    expect(markdownOfDiff(diffOf(gains, losses))).toBe(`# Access changes

## Gains

| Where | Who | What |
| --- | --- | --- |
| everywhere | user \`eve\` | whatever policy x allows (perhaps: it is in none of the templates) |
| \`Shop/Cluster\` | IAM role \`Shop/Service\` | signs in as \`orders\` |
| \`Shop/Cluster\` | user \`ada\`<br>user \`grace\` | \`shop\`: SELECT on table public.b, through \`readers\` |
| \`Shop/Cluster\` | user \`orders\` | is created<br>\`shop\`: SELECT, INSERT on table public.b; USAGE on schema public |

## Loses

| Where | Who | What |
| --- | --- | --- |
| \`Shop/Cluster\` | IAM role \`Shop/Old\` | signs in as \`orders\` |

## Leaves the app and stays in the database

| Where | Who | What |
| --- | --- | --- |
| \`Shop/Cluster\` | user \`legacy\` | keeps its login and its privileges (RETAIN) |
`);
  });

  test.each<[string, (name: string) => AccessChange]>([
    ['a user', name => ({ ...signIn('Role', 'x'), who: user(name) })],
    ['a place', name => ({ ...signIn('Role', 'x'), at: name })],
    ['whom a role signs in as', name => signIn('Role', name)],
    [
      'a database',
      name => ({
        at: 'a',
        who: user('x'),
        access: { kind: 'privilege', database: name, privilege: 'SELECT', on: 'x', through: [] },
      }),
    ],
    ['a table', name => privilege('x', 'SELECT', name)],
    ['a privilege', name => privilege('x', name, 'table a')],
    ['a group between', name => privilege('x', 'SELECT', 'table a', [name])],
    [
      'a group',
      name => ({
        who: user('x'),
        access: { kind: 'membership', group: name, through: [name], managedElsewhere: true },
      }),
    ],
    [
      'a role that may be assumed',
      name => ({ who: user('x'), access: { kind: 'assume', role: name, conditions: name } }),
    ],
    ['a user that is removed', name => ({ who: user('x'), access: { kind: 'removal', owned: name } })],
    ['a reason', name => ({ ...signIn('Role', 'x'), undecided: name })],
    ['an unknown policy', name => ({ who: user('x'), access: { kind: 'unknown', text: name } })],
  ])('keeps to its row and columns, whatever is the name of %s', (_what, change) => {
    for (const name of HOSTILE_NAMES) {
      const rows = markdownOfDiff(diffOf([change(name)]))
        .trimEnd()
        .split('\n')
        .slice(4);
      expect(rows.map(row => row.split('|').length)).toEqual([5, 5, 5]);
      // A name is in a code span, or has no mark of Markdown or HTML that is not an entity.
      expect(
        rows[2]
          .replace(/`[^`]*`/g, '')
          .replaceAll('<br>', '')
          .replace(/^\| | \|$/g, ''),
      ).not.toMatch(/[<>*[\]`]/);
    }
  });
});

describe('lines for a terminal', () => {
  test('have a sign each, and no character that is invisible', () => {
    expect(
      linesOfDiff(diffOf([signIn('\u202eRole\u001b[31m', 'orders')], [privilege('ada', 'SELECT', 'table a')])),
    ).toEqual([
      { sign: '+', text: 'Shop/Cluster: IAM role \\u{202e}Role\\u{1b}[31m: signs in as orders' },
      { sign: '-', text: 'Shop/Cluster: user ada: shop: SELECT on table a' },
    ]);
  });

  test('are none where nothing changes', () => {
    expect(linesOfDiff(diffOf([]))).toEqual([]);
  });
});
