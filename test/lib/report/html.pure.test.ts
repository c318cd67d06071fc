import { createHash } from 'node:crypto';
import { AccessReport, GroupAccess, UserAccess } from '../../../lib/report/access-report';
import { htmlOf } from '../../../lib/report/html';
import { HOSTILE_NAMES, REPORT } from './report';

const [SERVER] = REPORT.servers;
const [USER] = SERVER.users;
const [, GROUP] = SERVER.groups;

const withUsers = (users: UserAccess[], groups: GroupAccess[] = SERVER.groups): AccessReport => ({
  ...REPORT,
  servers: [{ ...SERVER, users, groups }],
});

/** The rows of a table as the text of their cells; a tbody is a list of rows. */
function bodies(html: string, table: 'users' | 'groups' | 'who'): string[][][] {
  const [, found = ''] = new RegExp(`<table class="${table}">(.*?)</table>`, 's').exec(html) ?? [];
  return [...found.matchAll(/<tbody.*?<\/tbody>/gs)].map(([body]) =>
    [...body.matchAll(/<tr>.*?<\/tr>/gs)].map(([row]) =>
      [...row.matchAll(/<t[hd].*?>(.*?)<\/t[hd]>/gs)].map(([, cell]) => textOf(cell)),
    ),
  );
}

const textOf = (html: string) =>
  html
    .replace(/<\/(?:div|dt|dd)>/g, ' ')
    .replace(/<[^>]*>/g, '')
    .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
    .replace(/\s+/g, ' ')
    .trim();

describe('the page', () => {
  test('has a row for each place, and one for each group', () => {
    expect(bodies(htmlOf(REPORT), 'users')).toEqual([
      [
        ['ada exclusive IamAuth/Team', 'Auditors role Apps/Client role through Proxy', 'shop', '', 'CONNECT'],
        ['shop', 'public', 'USAGE; SELECT on all tables through readers'],
        ['', '', 'not known here through pg_monitor, of readers'],
      ],
      [
        ['orders stays when removed IamAuth/orders', 'no identity in this app', '', '',
          'acts as "Owner" from its sign-in on 20 connections at most search_path = "$user", app work_mem = <64MB>'],
        ['shop', '', 'CONNECT'],
        ['shop', 'public', 'SELECT, INSERT on table "Orders"'],
      ],
    ]);
  });

  test('has who is inside of a group', () => {
    expect(bodies(htmlOf(REPORT), 'groups')).toEqual([
      [['pg_monitor managed elsewhere', 'readers through readers: ada', '', '', 'not known here']],
      [
        ['readers IamAuth/readers', 'ada', 'shop', 'public', 'USAGE; SELECT on all tables also future ones of migrator'],
        ['', '', 'what pg_monitor may'],
      ],
    ]);
  });

  test('has the same from the side of the identities', () => {
    const html = htmlOf(
      withUsers([
        {
          ...USER,
          signIns: [
            ...USER.signIns,
            { principal: { kind: 'role', path: 'Shop/People', arn: 'arn:aws:iam::111111111111:role/people' } },
            { principal: { kind: 'statement' } },
            { principal: { kind: 'statement', label: '<b>set</b>' } },
          ],
        },
      ]),
    );
    expect(bodies(html, 'who')).toEqual([
      [['<b>set</b> (statement of connectStatement())', '', 'ada']],
      [['Apps/Client role', '', 'ada through Proxy']],
      [['Auditors role', 'assumed by Service ec2.amazonaws.com, arn:aws:iam::111111111111:root', 'ada']],
      [['Old role', '', 'legacy not created here']],
      [['People role', 'arn:aws:iam::111111111111:role/people', 'ada']],
      [['People role', '', 'the user in its tag DatabaseUser']],
      [['any identity with the statement of connectStatement()', '', 'ada']],
    ]);
  });

  test('takes a privilege for text as well, whatever it is: only TypeScript knows the list', () => {
    const privileges = ['<script>alert(1)</script>'];
    expect(
      htmlOf(withUsers([{ ...USER, privileges: [{ database: 'shop', on: 'database', privileges }] }])),
    ).not.toContain(privileges[0]);
  });

  test('counts', () => {
    const [, figures] = /<dl class="figures">(.*?)<\/dl>/.exec(htmlOf(REPORT)) ?? [];
    expect(textOf(figures)).toBe('users 2 group roles 2 identities that sign in 4 database 1 grant by tag 1');
  });

  test('says of each user what the filters ask for, groups included', () => {
    const changing: GroupAccess = {
      ...GROUP,
      privileges: [{ database: 'crm', on: 'database', privileges: ['CREATE'] }],
    };
    const html = htmlOf(
      withUsers([USER, { ...USER, name: 'b', signIns: [], memberOf: [] }], [SERVER.groups[0], changing]),
    );
    expect(
      [...html.matchAll(/data-d="(.*?)" data-f="(.*?)"/g)].map(([, databases, letters]) => [databases, letters]),
    ).toEqual([['1 0', 'wgp'], ['1', 'n']]);
  });

  test('names few of many schemas with each member', () => {
    const many = Array.from({ length: 9 }, (_, index) => ({
      database: 'shop',
      schema: `schema${index}`,
      on: 'schema' as const,
      privileges: ['USAGE'],
    }));
    const [[, [, few]], [, [, more]]] = [8, 9].map(
      count => bodies(htmlOf(withUsers([USER], [{ ...GROUP, privileges: many.slice(0, count) }])), 'users')[0],
    );
    expect([few.split(', ').length, more]).toEqual([8, '9 schemas']);
  });

  test('puts more than six members behind a click', () => {
    const members = Array.from({ length: 7 }, (_, index) => ({
      name: `user${index}`,
      kind: 'user' as const,
      through: [],
    }));
    const [few, many] = [6, 7].map(count =>
      htmlOf(withUsers([USER], [{ ...GROUP, members: members.slice(0, count) }])),
    );
    expect([few.includes('<details>'), many.includes('<details><summary>7 members</summary>')]).toEqual([false, true]);
  });

  test('is one that is smaller than 1 MB for 500 users with four groups each', () => {
    const groups = Array.from({ length: 4 }, (_, index) => ({ ...GROUP, name: `group${index}`, members: [] }));
    const users = Array.from({ length: 500 }, (_, index) => ({
      ...USER,
      name: `somebody.with.a.name${index}@example.com`,
      memberOf: groups.map(({ name }) => ({ role: name, through: [] })),
    }));
    expect(htmlOf(withUsers(users, groups)).length).toBeLessThan(1_000_000);
  });
});

describe('a name', () => {
  const everywhere = (name: string): AccessReport =>
    JSON.parse(JSON.stringify(REPORT), (_, value: unknown) =>
      typeof value === 'string'
      && !/^(cluster|role|proxy|user|group|database|schema|tables|password|[A-Z_]+)$/.test(value)
      && !/^\d{4}-/.test(value)
        ? name
        : value,
    ) as AccessReport;
  const withoutText = (html: string) => html.replace(/>[^<]*</g, '><');

  test.each(HOSTILE_NAMES)('is text and nothing else: %j', (name) => {
    expect(withoutText(htmlOf(everywhere(name)))).toBe(withoutText(htmlOf(everywhere('x'))));
  });

  test('is there as it is', () => {
    expect(htmlOf(everywhere('<b>&amp; "x" \'y\'</b>'))).toContain(
      '<code>&#60;b&#62;&#38;amp; &#34;x&#34; &#39;y&#39;&#60;/b&#62;</code>',
    );
  });

  test('has no character that is invisible, or that turns others around', () => {
    const html = htmlOf(everywhere('a\u202eb\u0000c\u2028d'));
    expect(html).toContain('<code>a\\u{202e}b\\u{0}c\\u{2028}d</code>');
    expect(html.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
  });
});

describe('the policy of the page', () => {
  const html = htmlOf(REPORT);
  const [, policy] = /http-equiv="Content-Security-Policy" content="(.*?)"/.exec(html) ?? [];
  const hashOf = (element: string) =>
    createHash('sha256')
      .update(new RegExp(`<${element}>(.*?)</${element}>`, 's').exec(html)?.[1] ?? '')
      .digest('base64');

  test('forbids everything but the script and the style that are there', () => {
    expect(policy).toBe(
      `default-src 'none'; script-src 'sha256-${hashOf('script')}'; style-src 'sha256-${hashOf('style')}'; base-uri 'none'; form-action 'none'`,
    );
  });

  test('comes before all of it, and nothing asks for more', () => {
    expect(html.indexOf(policy)).toBeLessThan(html.indexOf('<style>'));
    expect(html).not.toMatch(/ style=| on\w+=|src=|href="(?!#)|@import|url\(/);
  });
});
