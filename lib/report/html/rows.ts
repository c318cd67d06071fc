import { type Inherited, KINDS, type Page } from './page';
import { signInHtml } from './sign-ins';
import { escaped, named, nameList } from './text';
import type { GroupAccess, Member, PrivilegeAccess, UserAccess } from '../access-report';
import { byPlace, commonFuture, privilegeParts } from '../privilege-lines';
import { removalText, writes } from '../remarks';
import { settingLines } from '../setting-lines';
import { within } from '../sign-in-text';
import { expiryText, membershipExpiryText } from '../../model/expiry';

/** Schemas of one group that are named with each of its members. */
const INHERITED_SCHEMAS = 8;

/** Objects of one group that are named with each of its members. */
const INHERITED_NAMES = 3;

/** Members of a group that are there without a click. */
const OPEN_MEMBERS = 6;

/** A user: who signs in, what it may do itself, and what through its groups. */
export function userRows(user: UserAccess, page: Page): string {
  const { name, path, exclusive, expiresAt, onRemoval, signIns, memberOf, privileges } = user;
  const inherited = memberOf.flatMap(membership => page.inherited(membership));
  const effective = [...privileges, ...inherited.flatMap(({ group }) => group.privileges)];
  const databases = [...new Set(effective.map(({ database }) => page.databaseNumber(database)))];
  const letters = KINDS.filter(({ holds }) => holds(user, effective)).map(({ letter }) => letter).join('');
  const removal = removalText(onRemoval);
  const isStrong = memberOf.some(({ strong }) => strong !== undefined);
  const badges = [
    ...expiresAt === undefined ? [] : [expiryText(expiresAt)],
    ...exclusive ? ['exclusive'] : [], ...removal === undefined ? [] : [removal], ...isStrong ? ['strong role'] : [],
  ];
  return rowsOf(
    `${named(name)}${badges.map(badge => ` <span class="badge">${badge}</span>`).join('')} <small>${escaped(within(path, page.report.stack))}</small>`,
    signIns.map(access => `<div>${signInHtml(access, page.report.stack)}</div>`).join('')
    || '<small>no identity in this app</small>',
    [
      ...(user.settings
        ? [
            placeCells(
              '',
              '',
              settingLines(user.settings)
                .map(line => `<div>${escaped(line)}</div>`)
                .join(''),
            ),
          ]
        : []),
      ...placeRows(privileges),
      ...inherited.map(inheritedRow),
    ],
    ` data-d="${databases.join(' ')}" data-f="${letters}"`,
  );
}

/** A group role: who is inside, and what they may do. */
export function groupRows(
  { name, path, strong, exclusive, members, memberOf, privileges }: GroupAccess,
  page: Page,
): string {
  const isStrong = strong !== undefined || memberOf.some(membership => membership.strong !== undefined);
  const badges = [
    ...(path === undefined ? ['managed elsewhere'] : []),
    ...(exclusive ? ['exclusive'] : []),
    ...(isStrong ? ['strong role'] : []),
  ];
  const of = memberOf.map(({ role, through, expiresAt }) =>
    placeCells(
      '',
      '',
      `<div>what <a href="#${page.groups.get(role)?.anchor ?? ''}">${named(role)}</a> may${membershipExpiryText(expiresAt)}${through.length > 0 ? `, through ${nameList(through)}` : ''}</div>`,
    ),
  );
  return rowsOf(
    `${named(name)}${badges.map(badge => ` <span class="badge">${badge}</span>`).join('')}${path === undefined ? '' : ` <small>${escaped(within(path, page.report.stack))}</small>`}`,
    memberList(members),
    [...path === undefined ? [placeCells('', '', `<div>${unknownText(strong)}</div>`)] : placeRows(privileges), ...of],
    ` id="${page.groups.get(name)?.anchor ?? ''}"`,
  );
}

function memberList(members: readonly Member[]): string {
  const direct = members.filter(({ through }) => through.length === 0);
  const others = members.filter(({ through }) => through.length > 0);
  const ways = [...new Set(others.map(({ through }) => JSON.stringify(through)))].map(
    way => JSON.parse(way) as string[],
  );
  const list = [
    ...direct.length > 0 ? [`<div>${nameList(direct.map(({ name }) => name))}</div>`] : [],
    ...ways.map(
      way =>
        `<div><small>through ${nameList(way)}:</small> ${nameList(others.filter(({ through }) => JSON.stringify(through) === JSON.stringify(way)).map(({ name }) => name))}</div>`,
    ),
  ].join('');
  return members.length === 0
    ? '<small>no member in this app</small>'
    : members.length > OPEN_MEMBERS ? `<details><summary>${members.length} members</summary>${list}</details>` : list;
}

/** A row for each place; the first two cells go over all of them. */
function rowsOf(heading: string, second: string, rows: string[], attributes: string): string {
  const [first = placeCells('', '', '<small>nothing of its own</small>'), ...others] = rows;
  const span = rows.length > 1 ? ` rowspan="${rows.length}"` : '';
  return `<tbody${attributes}><tr><th scope="rowgroup"${span}>${heading}</th><td class="signs"${span}>${second}</td>${first}</tr>${others.map(cells => `<tr>${cells}</tr>`).join('')}</tbody>`;
}

function placeCells(database: string, schema: string, text: string): string {
  return `<td class="place">${database}</td><td class="place">${schema}</td><td>${text}</td>`;
}

/** One cell each for database, schema and privileges; a database is named where it begins. */
function placeRows(privileges: readonly PrivilegeAccess[]): string[] {
  let before: string | undefined;
  return byPlace(privileges).map(({ privileges: inPlace }) => {
    const [{ database, schema }] = inPlace;
    const future = commonFuture(inPlace);
    const text = inPlace
      .map(privilege => privilegeHtml(future === undefined ? privilege : { ...privilege, createdBy: undefined }))
      .join('; ');
    const cells = placeCells(
      database === before ? `<span class="same">${named(database)}</span>` : named(database),
      schema === undefined ? '' : named(schema),
      `${text}${future === undefined ? '' : ` <small>${escaped(future)}</small>`}`,
    );
    before = database;
    return cells;
  });
}

/** What a group gives, in one row: the group has a row for each place. */
function inheritedRow({ group, anchor, role, through, expiresAt }: Inherited): string {
  const via = `through <a href="#${anchor}">${named(role)}</a>${membershipExpiryText(expiresAt)}${through.length > 0 ? `, of ${nameList(through)}` : ''}`;
  if (group.path === undefined) {
    return placeCells('', '', `${unknownText(group.strong)} <small>${via}</small>`);
  }
  const unique = (names: (string | undefined)[]) => [...new Set(names.flatMap(name => name ?? []))];
  const { privileges } = group;
  const schemas = unique(privileges.map(({ schema }) => schema));
  const granted = unique(privileges.map(privilege => inheritedHtml(privilege)));
  return placeCells(
    nameList(unique(privileges.map(({ database }) => database))),
    schemas.length > INHERITED_SCHEMAS ? `${schemas.length} schemas` : nameList(schemas),
    `${granted.join('; ') || 'nothing of its own'} <small>${via}</small>`,
  );
}

/** On what, but for what the row of the group has in full: names of more than a few objects, and of future ones. */
function inheritedHtml(privilege: PrivilegeAccess): string {
  const { names = [], on, futureOnly } = privilege;
  return names.length > INHERITED_NAMES
    ? `${privilegeWords(privilege).join(', ')} on ${names.length} ${on}`
    : privilegeHtml(futureOnly ? privilege : { ...privilege, createdBy: undefined });
}

/** Of a role that this app does not create. */
function unknownText(strong: string | undefined): string {
  return strong === undefined ? 'not known here' : `<b>its members ${escaped(strong)}</b>`;
}

function privilegeHtml(privilege: PrivilegeAccess): string {
  const { on, alsoFuture } = privilegeParts(privilege);
  return `${privilegeWords(privilege).join(', ')}${on === undefined ? '' : ` on ${escaped(on)}`}${alsoFuture === undefined ? '' : ` <small>${escaped(alsoFuture)}</small>`}`;
}

function privilegeWords(privilege: PrivilegeAccess): string[] {
  return privilegeParts(privilege).granted.map((text, index) =>
    writes({ ...privilege, privileges: [privilege.privileges[index]] }) ? `<b>${text}</b>` : escaped(text),
  );
}
