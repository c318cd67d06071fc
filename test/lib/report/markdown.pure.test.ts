import { AccessReport, UserAccess } from '../../../lib/report/access-report';
import { markdownOf } from '../../../lib/report/markdown';
import { HOSTILE_NAMES, REPORT } from './report';

const userNamed = (name: string): UserAccess => ({ ...REPORT.servers[0].users[0], name });
const reportOf = (users: UserAccess[]): AccessReport => ({ ...REPORT, servers: [{ ...REPORT.servers[0], users }] });

describe('markdownOf', () => {
  test('has everything', () => {
    expect(markdownOf(REPORT)).toBe(`# Access: \`Shop\`

Who may sign in to PostgreSQL as whom, and what each user may do, as the app declares it.

## Cluster \`Shop/Cluster\`

- **As any user, by a tag**: \`People role: tag DatabaseUser\`
- **Nobody signs in as**: \`orders\`
- **Groups managed elsewhere**: \`pg_monitor\`
- **Users created elsewhere**: \`legacy: Old role\`

### Users

| User | Who signs in | May |
| --- | --- | --- |
| \`ada\`<br>exclusive | \`Auditors role\`<br>\`Apps/Client role\` through Proxy | \`shop\`: CONNECT<br>as a member of \`readers\`:<br>\`shop.public\`: USAGE; SELECT on all tables (also future ones of migrator)<br>as a member of \`pg_monitor\` through \`readers\`:<br>*what it may do is not known here* |
| \`orders\` | *nobody in this app* | \`shop\`: CONNECT<br>\`shop.public\`: SELECT, INSERT on table &#34;Orders&#34; |

### Group roles

| Group role | Members | May |
| --- | --- | --- |
| \`pg_monitor\`<br>managed elsewhere | \`ada\` through \`readers\`<br>\`readers\` | *not known here* |
| \`readers\` | \`ada\` | \`shop.public\`: USAGE; SELECT on all tables (also future ones of migrator)<br>what \`pg_monitor\` may |

### As the user that a tag names

| Who signs in | Tag |
| --- | --- |
| \`People role\` | \`DatabaseUser\` |

### As users that this app does not create

| User | Who signs in |
| --- | --- |
| \`legacy\` | \`Old role\` |

## Not controlled here

- **PUBLIC.** PostgreSQL gives everybody CONNECT and TEMPORARY on each new database, USAGE on schema public (up to PostgreSQL 14 CREATE as well), EXECUTE on each new function and USAGE on each new type. Unless somebody has revoked it, each of these users has it.
- **Grants by hand.** What somebody has granted in the database stays; from a user that is exclusive it is taken by the next deployment that changes this user.
- **Owners.** Who creates an object may do everything with it, and may let others.
- **Other stacks.** Users that another stack creates in the same database are in the report of that stack, and not here.
- **Other policies.** Whoever may rds-db:connect on everything signs in as any of these users. Grants of other apps, and those that this app makes without this library, are not listed.
- **The admin.** Who creates the users can give itself and others whatever they may do.
`);
  });

  test.each<[string, string]>([
    ['orders', '`orders`'],
    ['<b>x</b>', '`<b>x</b>`'],
    ['a|b', 'a&#124;b'],
    ['`a`', '&#96;a&#96;'],
    ['a\\', 'a&#92;'],
    [' a ', ' a '],
    ['', '(empty)'],
    ['a\n| b', 'a&#92;u&#123;a&#125;&#124; b'],
    ['*a*_b_[c](d)', '`*a*_b_[c](d)`'],
    ['|*a*[c](d)<i>', '&#124;&#42;a&#42;&#91;c&#93;(d)&#60;i&#62;'],
  ])('takes a name for a name: %j', (name, cell) => {
    expect(markdownOf(reportOf([userNamed(name)]))).toContain(`\n| ${cell}<br>exclusive | `);
  });

  test('keeps to its rows and columns, whatever the names', () => {
    const text = markdownOf(reportOf(HOSTILE_NAMES.map(userNamed)));
    const [users] = text.slice(text.indexOf('### Users')).split('\n\n').slice(1);
    expect(users.split('\n')).toHaveLength(2 + HOSTILE_NAMES.length);
    expect(users.split('\n').map(row => row.split('|').length)).toEqual(Array(2 + HOSTILE_NAMES.length).fill(5));
  });
});
