import type { Membership, PrivilegeAccess, ServerAccess } from './access-report';
import { principalText, signInText } from './sign-in-text';

/** Something that a reviewer looks at first. */
export interface Notice {
  readonly title: string;
  readonly items: string[];
}

/** What is unusual about who gets in. */
export function notices({ users, groups, signInsByTag, otherSignIns }: ServerAccess, stack: string): Notice[] {
  const all = [
    { title: 'Members of strong roles', items: [...users, ...groups].flatMap(({ name, memberOf }) => memberOf.flatMap(one => strongText(name, one))) },
    { title: 'As any user, by a tag', items: signInsByTag.map(access => `${signInText(access, stack)}: tag ${access.tagKey}`) },
    { title: 'Nobody signs in as', items: users.filter(({ signIns }) => signIns.length === 0).map(({ name }) => name) },
    { title: 'Groups managed elsewhere', items: groups.filter(({ path }) => path === undefined).map(({ name }) => name) },
    { title: 'Users created elsewhere', items: otherSignIns.map(({ username, principal }) => `${username}: ${principalText(principal, stack)}`) },
  ];
  return all.filter(({ items }) => items.length > 0);
}

function strongText(name: string, { role, through, strong }: Membership): string[] {
  return strong === undefined ? [] : [`${name}: ${role}${through.length > 0 ? ` through ${through.join(', ')}` : ''}, whose members ${strong}`];
}

/**
 * What no app can say.
 *
 * @see https://www.postgresql.org/docs/current/ddl-priv.html
 */
export const NOT_CONTROLLED_HERE = [
  {
    what: 'PUBLIC.',
    why: 'PostgreSQL gives everybody CONNECT and TEMPORARY on each new database, USAGE on schema public (up to PostgreSQL 14 CREATE as well), EXECUTE on each new function and USAGE on each new type. '
      + 'Unless somebody has revoked it, each of these users has it.',
  },
  {
    what: 'Grants by hand.',
    why: 'What somebody has granted in the database stays; from a user that is exclusive it is taken by the next deployment that changes this user.',
  },
  {
    what: 'Owners.',
    why: 'Who creates an object may do everything with it, and may let others.',
  },
  {
    what: 'Other stacks.',
    why: 'Users that another stack creates in the same database are in the report of that stack, and not here.',
  },
  {
    what: 'Other policies.',
    why: 'Whoever may rds-db:connect on everything signs in as any of these users. Grants of other apps, and those that this app makes without this library, are not listed.',
  },
  {
    what: 'The admin.',
    why: 'Who creates the users can give itself and others whatever they may do.',
  },
];

/** Whether it changes data or what there is, rather than read it. */
export function writes({ privileges }: PrivilegeAccess): boolean {
  return privileges.some(privilege => ['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'CREATE', 'OWNER'].includes(privilege));
}
