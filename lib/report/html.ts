import { createHash } from 'node:crypto';
import type { AccessReport, ServerAccess } from './access-report';
import { databasesOf, KINDS, Page } from './html/page';
import { groupRows, userRows } from './html/rows';
import { SCRIPT } from './html/script';
import { identityRows } from './html/sign-ins';
import { STYLE } from './html/style';
import { escaped, named, nameList } from './html/text';
import { DEFAULT_REMOVAL, notControlledHere, notices, titleOf } from './remarks';

const REMARK_ON_USERS = `Privileges that change data or create objects are in colour. ${DEFAULT_REMOVAL}`;
const USER_COLUMNS = ['User', 'Who signs in', 'Database', 'Schema', 'Privileges'];

/** Things in a notice, before it says how many more there are. */
const NOTICE_ITEMS = 12;

/**
 * `<stack>.access.html`: one page that needs nothing from anywhere, and that may not ask for it either. Its script and
 * style are allowed by their hash, so that nothing that comes in with a name would run, if it ever got through the
 * escaping.
 */
export function htmlOf(report: AccessReport): string {
  const policy = `default-src 'none'; script-src ${hashOf(SCRIPT)}; style-src ${hashOf(STYLE)}; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Access: ${escaped(titleOf(report))}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<p class="kicker">Access report</p>
<h1>${escaped(titleOf(report))}</h1>
<p class="lede">Who may sign in to PostgreSQL as whom, and what each user may do, as the app declares it. Written when the app was synthesized; what it cannot know is <a href="#not-controlled-here">at the end</a>.</p>
${figures(report)}
</header>
${tools(report)}
<main>
${report.servers.map((server, index) => serverPart(server, new Page(report, index))).join('\n')}
<section>
<h2 id="not-controlled-here">Not controlled here</h2>
<ul class="rest">
${notControlledHere(report).map(remarkItem).join('\n')}
</ul>
</section>
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

function remarkItem({ what, why }: { readonly what: string; readonly why: string }): string {
  return `<li><strong>${escaped(what)}</strong><span>${escaped(why)}</span></li>`;
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

function figures(report: AccessReport): string {
  const { servers } = report;
  const signIns = servers.flatMap(({ users, signInsByTag, otherSignIns }) => [
    ...users.flatMap(user => user.signIns),
    ...signInsByTag,
    ...otherSignIns,
  ]);
  const identities = new Set(signIns.map(({ principal }) => JSON.stringify(principal))).size;
  const rows: [number, string, string][] = [
    [servers.reduce((sum, { users }) => sum + users.length, 0), 'user', 'users'],
    [servers.reduce((sum, { groups }) => sum + groups.length, 0), 'group role', 'group roles'],
    [identities, 'identity that signs in', 'identities that sign in'],
    [databasesOf(report).length, 'database', 'databases'],
    [servers.reduce((sum, { signInsByTag }) => sum + signInsByTag.length, 0), 'grant by tag', 'grants by tag'],
  ];
  return `<dl class="figures">${rows.map(([count, one, more]) => `<div><dt>${count === 1 ? one : more}</dt><dd>${count}</dd></div>`).join('')}</dl>`;
}

function tools(report: AccessReport): string {
  const option = (value: string, text: string) => `<option value="${value}">${escaped(text)}</option>`;
  return `<div class="tools" id="tools" role="search" hidden>
<input id="search" type="search" placeholder="Search users, identities, schemas, privileges" aria-label="Search" autocomplete="off" spellcheck="false">
<select id="database" aria-label="Database">${option('', 'All databases')}${databasesOf(report)
  .map((name, index) => option(String(index), name))
  .join('')}</select>
<select id="kind" aria-label="Kind of access">${option('', 'All users')}${KINDS.map(({ letter, title }) => option(letter, title)).join('')}</select>
<output id="count" aria-label="Users shown"></output>
</div>`;
}

function serverPart(server: ServerAccess, page: Page): string {
  const { kind, path, admin, users, groups, signInsByTag, otherSignIns, resourceId, account, region } = server;
  const { stack } = page.report;
  const signIns = [...users.flatMap(user => user.signIns.map(access => ({ access, as: named(user.name) }))),
    ...otherSignIns.map(access => ({ access, as: `${named(access.username)} <small>not created here</small>` })),
    ...signInsByTag.map(access => ({ access, as: `the user in its tag ${named(access.tagKey)}` }))];
  const creator = admin.username === undefined ? 'an admin' : named(admin.username);
  return `<section>
<h2>${kind === 'cluster' ? 'Cluster' : 'Instance'} ${named(path)} <small>users are created by ${creator}, who signs in with a ${admin.credentials}</small></h2>
<p class="where">Resource id ${named(resourceId)}, account ${named(account)}, Region ${named(region)}.</p>
${noticeList(server, stack)}
${part(
  'Users',
  REMARK_ON_USERS,
  'users',
  USER_COLUMNS,
  users.map(user => userRows(user, page)),
)}
${part(
  'Group roles',
  'A member has what its groups have.',
  'groups',
  ['Group role', 'Members', 'Database', 'Schema', 'Privileges'],
  groups.map(group => groupRows(group, page)),
)}
${part('Identities', 'The same from the other side.', 'who', ['Identity', 'Name or ARN', 'Signs in as'], identityRows(signIns, stack))}
</section>`;
}

function part(title: string, remark: string, name: string, header: string[], bodies: string[]): string {
  return bodies.length === 0
    ? ''
    : `<div data-part><h3>${title} <small>${remark}</small></h3>
<table class="${name}"><colgroup>${header.map(() => '<col>').join('')}</colgroup><thead><tr>${header.map(text => `<th scope="col">${text}</th>`).join('')}</tr></thead>
${bodies.join('\n')}
</table><p class="nothing" hidden>Nothing fits.</p></div>`;
}

function noticeList(server: ServerAccess, stack: string): string {
  const items = notices(server, stack).map(({ title, items: all }) => {
    const more = all.length - NOTICE_ITEMS;
    return `<li><strong>${escaped(title)}</strong><span>${nameList(all.slice(0, NOTICE_ITEMS))}${more > 0 ? ` and ${more} more` : ''}</span></li>`;
  });
  return items.length === 0 ? '' : `<ul class="notices">${items.join('\n')}</ul>`;
}
