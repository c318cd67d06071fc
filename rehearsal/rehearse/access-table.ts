import { styleText } from 'node:util';
import { Access, Account, Attempt } from './measure-access';
import { Held, missingRights, Right, rightsOf } from './privileges';
import { shortened, textTable } from '../text-table';

const WIDTH = 120;

/** For what a user may do something to, however long the names are. */
const LEAST_ROOM = 20;

/** How long the name of a user gets. */
const NAME_WIDTH = 40;

/** How many users that may do the same are named. */
const MOST_NAMES = 5;

const ASKED
  = 'Asked in a session of the user, signed in with a token; for groups and users without a sign-in, by the superuser.';

const MARKS = { yes: 'yes', no: '-', unknown: '?', fails: 'FAILS' };

/** Who signs in as whom. */
export function signInTable(attempts: Attempt[]): string[] {
  const usernames = [...new Set(attempts.map(({ username }) => username))];
  const principals = [...new Set(attempts.map(({ principal }) => principal))];
  const first = Math.max('IAM role'.length, 'and 99 others'.length, ...principals.map(name => name.length));
  const notes = new Set(
    attempts.flatMap(({ outcome, principal, username, reason }) =>
      outcome === 'unknown'
        ? [`? ${principal}: ${reason}`]
        : outcome === 'fails'
          ? [`FAILS ${principal} as ${username}: ${reason}`]
          : [],
    ),
  );
  return [...inColumns(usernames, WIDTH - first).flatMap(columns => ['', ...signInRows(columns, attempts)]), ...notes];
}

/** Names in lists that each fit beside each other into the width. */
function inColumns(names: string[], width: number): string[][] {
  const lists: string[][] = [];
  let used = Infinity;
  for (const name of names) {
    used += name.length + 2;
    if (used > width) {
      lists.push([]);
      used = name.length + 2;
    }
    lists.at(-1)?.push(name);
  }
  return lists;
}

function signInRows(usernames: string[], attempts: Attempt[]): string[] {
  const rows = new Map<string, string[]>();
  for (const { principal, outcome } of attempts.filter(each => usernames.includes(each.username))) {
    rows.set(principal, [...rows.get(principal) ?? [], MARKS[outcome]]);
  }
  const isRefused = (marks: string[]) => marks.every(mark => mark === MARKS.no);
  const named = [...rows].filter(([, marks]) => !isRefused(marks));
  const others = rows.size - named.length;
  return textTable(['IAM role', ...usernames], [
    ...named.map(([principal, marks]) => [principal, ...marks]),
    ...(others === 0
      ? []
      : [
          [
            `${named.length === 0 ? '' : 'and '}${others} ${named.length === 0 ? 'role' : 'other'}${others === 1 ? '' : 's'}`,
            ...usernames.map(() => MARKS.no),
          ],
        ]),
  ], line => line.includes(MARKS.fails) ? styleText('red', line) : line);
}

/** What each user may do, and what PUBLIC may; users that may do the same are together. */
export function rightsTable({ accounts, publicHoldings }: Access): string[] {
  const blocks = new Map<string, { names: string[]; notes: string[]; rights: string[][] }>();
  for (const account of accounts) {
    const rights = account.holdings.flatMap(({ database, held }) => inDatabase(database,
      typeof held === 'string' ? [{ may: 'not sign in', what: held }] : [...rightsOf(held), ...missingRights(held)]));
    const notes = account.kind === 'user' && account.askedAs === 'superuser' ? ['(no sign-in)'] : [];
    const key = JSON.stringify([account.kind, notes, rights]);
    blocks.set(key, { rights, notes, names: [...blocks.get(key)?.names ?? [], titleOf(account)] });
  }
  const ofPublic = publicHoldings.flatMap(({ database, held }) => inDatabase(database, rightsOf(held as Held[])));
  const rows = [...blocks.values(), { names: ['PUBLIC'], notes: [], rights: ofPublic }].flatMap(
    ({ names, notes, rights }) => {
      const shown = [
        ...(names.length > MOST_NAMES
          ? [...names.slice(0, MOST_NAMES - 1), `and ${names.length - MOST_NAMES + 1} more`]
          : names),
        ...notes,
      ];
      return Array.from({ length: Math.max(shown.length, rights.length) }, (_, i) => [
        shortened(shown[i] ?? '', NAME_WIDTH),
        ...(rights[i] ?? ['', '', '']),
      ]);
    },
  );
  const head = ['user', 'database', 'may', 'what'];
  const used = [0, 1, 2]
    .map(column => Math.max(...[head, ...rows].map(row => row[column].length)) + 2)
    .reduce((sum, width) => sum + width);
  const room = Math.max(WIDTH - used, LEAST_ROOM);
  return [
    ...textTable(head, rows.map(([user, database, may, what]) => [user, database, may, shortened(what, room)])),
    ASKED,
  ];
}

function inDatabase(database: string, rights: Right[]): string[][] {
  return rights.map(({ may, what }, i) => [i === 0 ? database : '', may, what]);
}

function titleOf({ name, kind }: Account): string {
  return kind === 'group' ? `${name} (group)` : name;
}
