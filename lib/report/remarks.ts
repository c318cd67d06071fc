import type { AccessReport, Membership, PrivilegeAccess, ServerAccess } from './access-report';
import { restrictedLines } from './public-lines';
import { principalText, signInText } from './sign-in-text';

/** Something that a reviewer looks at first. */
export interface Notice {
  readonly title: string;
  readonly items: string[];
}

/** What is unusual about who gets in. */
export function notices(
  { users, groups, signInsByTag, otherSignIns, alsoResourceIds = [], restrictedPublic = [] }: ServerAccess,
  stack: string,
): Notice[] {
  const all = [
    {
      title: 'Members of strong roles',
      items: [...users, ...groups].flatMap(({ name, memberOf }) => memberOf.flatMap(one => strongText(name, one))),
    },
    {
      title: 'As any user, by a tag',
      items: signInsByTag.map(access => `${signInText(access, stack)}: tag ${access.tagKey}`),
    },
    { title: 'Grants that are also about other resource ids', items: alsoResourceIds },
    { title: 'Revoked from PUBLIC', items: restrictedPublic.flatMap(restrictedLines) },
    { title: 'Access has ended', items: users.filter(({ expired }) => expired).map(({ name }) => name) },
    {
      title: 'Membership has ended',
      items: [...users, ...groups].flatMap(({ name, memberOf }) =>
        memberOf.filter(({ expired }) => expired).map(({ role }) => `${name} in ${role}`),
      ),
    },
    {
      title: 'No identity signs in as',
      items: users.filter(({ signIns }) => signIns.length === 0).map(({ name }) => name),
    },
    {
      title: 'Groups managed elsewhere', items: groups.filter(({ path }) => path === undefined).map(({ name }) => name),
    },
    {
      title: 'Users created elsewhere',
      items: otherSignIns.map(({ username, principal }) => `${username}: ${principalText(principal, stack)}`),
    },
  ];
  return all.filter(({ items }) => items.length > 0);
}

function strongText(name: string, { role, through, strong }: Membership): string[] {
  return strong === undefined
    ? []
    : [`${name}: ${role}${through.length > 0 ? ` through ${through.join(', ')}` : ''}, whose members ${strong}`];
}

const OTHER_STACKS = 'Other stacks.';
const OTHER_APPS = {
  what: 'Other apps.',
  why: 'Users that another app creates in the same database are in the report of that app, and not here.',
};

/**
 * What no app can say.
 *
 * @see https://www.postgresql.org/docs/current/ddl-priv.html
 */
const NOT_CONTROLLED_HERE = [
  {
    what: 'PUBLIC.',
    why: 'PostgreSQL gives every role CONNECT and TEMPORARY on each new database, USAGE on schema public (up to '
      + 'PostgreSQL 14 CREATE as well), EXECUTE on each new function and USAGE on each new type. '
      + 'Unless it was revoked, each of these users has it.',
  },
  {
    what: 'Grants by hand.',
    why: 'Privileges that were granted in the database stay. The next deployment that changes a user that is '
      + 'exclusive revokes them.',
  },
  {
    what: 'Owners.',
    why: 'The owner of an object may do everything with it, and may grant that to others.',
  },
  {
    what: OTHER_STACKS,
    why:
      'Users that another stack creates in the same database are in the report of that stack and in that of the whole '
      + 'app, and not here.',
  },
  {
    what: 'Statements.',
    why: 'A statement of connectStatement() is listed as soon as the app asks for it. Which identities have it is '
      + 'not known here, beyond the label that the app gives it.',
  },
  {
    what: 'Other policies.',
    why: 'An identity with rds-db:connect on everything signs in as any of these users. Grants of other apps, and '
      + 'those that this app makes without this library, are not listed.',
  },
  {
    what: 'The admin.',
    why: 'The admin that creates the users can grant itself and others whatever they may do.',
  },
];

/** The same as far as it holds for a report, which is of a stack or of the whole app. */
export function notControlledHere({ stack }: AccessReport): { readonly what: string; readonly why: string }[] {
  const ofApp = (each: typeof OTHER_APPS) => each.what === OTHER_STACKS ? OTHER_APPS : each;
  return stack === '' ? NOT_CONTROLLED_HERE.map(ofApp) : NOT_CONTROLLED_HERE;
}

/** What a report is of, as its title has it. */
export function titleOf({ stack }: AccessReport): string {
  return stack === '' ? 'the whole app' : stack;
}

/** What happens to a role when it leaves the app, unless it is dropped, or disabled where it owns something. */
export function removalText(onRemoval: string): string | undefined {
  return REMOVALS.get(onRemoval);
}

const REMOVALS = new Map([
  ['RETAIN', 'stays when removed'],
  ['DISABLE', 'disabled when removed'],
  ['DROP', 'dropped when removed, and what it owns goes to another role'],
]);

export const DEFAULT_REMOVAL
  = 'A user that is removed from the app is dropped, or disabled if it owns something, unless it is marked.';

/** Whether it changes data or what there is, rather than read it. */
export function writes({ privileges }: PrivilegeAccess): boolean {
  return privileges.some(
    privilege => ['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'CREATE', 'OWNER'].includes(privilege),
  );
}
