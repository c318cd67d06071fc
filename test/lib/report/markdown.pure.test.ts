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

Resource id \`cluster-ABCDEFGHIJKL01234\`, account \`111111111111\`, Region \`eu-west-1\`. A user that is removed from the app is dropped, or disabled if it owns something, unless it is marked.

- **As any user, by a tag**: \`People role: tag DatabaseUser\`
- **No identity signs in as**: \`orders\`
- **Groups managed elsewhere**: \`pg_monitor\`
- **Users created elsewhere**: \`legacy: Old role\`

### Users

| User | Who signs in | May |
| --- | --- | --- |
| \`ada\`<br>exclusive | \`Auditors role\`<br>\`Apps/Client role\` through Proxy | \`shop\`: CONNECT<br>as a member of \`readers\`:<br>\`shop.public\`: USAGE; SELECT on all tables (also future ones of migrator)<br>as a member of \`pg_monitor\` through \`readers\`:<br>*what it may do is not known here* |
| \`orders\`<br>stays when removed | *no identity in this app* | acts as &#34;Owner&#34; from its sign-in on<br>20 connections at most<br>search&#95;path &#61; &#34;&#36;user&#34;, app<br>work&#95;mem &#61; &#60;64MB&#62;<br>\`shop\`: CONNECT<br>\`shop.public\`: SELECT, INSERT on table &#34;Orders&#34; |

### Group roles

| Group role | Members | May |
| --- | --- | --- |
| \`pg_monitor\`<br>managed elsewhere | \`ada\` through \`readers\`<br>\`readers\` | *not known here* |
| \`readers\` | \`ada\` | \`shop.public\`: USAGE; SELECT on all tables (also future ones of migrator)<br>what \`pg_monitor\` may |

### Who may assume the roles

| Role | Assumed by |
| --- | --- |
| \`Auditors role\` | \`Service ec2.amazonaws.com\`<br>\`arn:aws:iam::111111111111:root\` |

### As the user that a tag names

| Who signs in | Tag |
| --- | --- |
| \`People role\` | \`DatabaseUser\` |

### As users that this app does not create

| User | Who signs in |
| --- | --- |
| \`legacy\` | \`Old role\` |

## Not controlled here

- **PUBLIC.** PostgreSQL gives every role CONNECT and TEMPORARY on each new database, USAGE on schema public (up to PostgreSQL 14 CREATE as well), EXECUTE on each new function and USAGE on each new type. Unless it was revoked, each of these users has it.
- **Grants by hand.** Privileges that were granted in the database stay. The next deployment that changes a user that is exclusive revokes them.
- **Owners.** The owner of an object may do everything with it, and may grant that to others.
- **Other stacks.** Users that another stack creates in the same database are in the report of that stack and in that of the whole app, and not here.
- **Statements.** A statement of connectStatement() is listed as soon as the app asks for it. Which identities have it is not known here, beyond the label that the app gives it.
- **Other policies.** An identity with rds-db:connect on everything signs in as any of these users. Grants of other apps, and those that this app makes without this library, are not listed.
- **The admin.** The admin that creates the users can grant itself and others whatever they may do.
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
