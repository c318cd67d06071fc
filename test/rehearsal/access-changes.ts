import { DatabaseAccess } from '../../rehearsal/rehearse/app-access';
import { rightsOf } from '../../rehearsal/rehearse/privileges';

/** What an update changes at a database or a proxy. */
export interface AccessChanges {
  readonly database: string;
  readonly lines: { readonly kind: 'new' | 'gone' | 'changed'; readonly text: string }[];
}

/** Users, logins and privileges that are there before and not after, and the other way around. */
export function changesBetween(before: DatabaseAccess[], after: DatabaseAccess[]): AccessChanges[] {
  const names = [...new Set([...before, ...after].map(({ name }) => name))];
  return names.map((name) => {
    const [was, is] = [before, after].map(all => factsOf(all.find(each => each.name === name)));
    const only = (kind: 'gone' | 'new', these: string[], those: string[]) =>
      these.filter(text => !those.includes(text)).map(text => ({ kind, text }));
    return { database: name, lines: [...only('gone', was, is), ...only('new', is, was)] };
  });
}

function factsOf(found?: DatabaseAccess): string[] {
  const accounts = found?.access?.accounts ?? [];
  const marks = {
    yes: 'signs in as',
    unknown: 'may be able to sign in as',
    fails: 'cannot sign in, although its policies allow it, as',
    no: '',
  };
  return [
    ...accounts.map(({ name, kind }) => `${kind} ${name}`),
    ...(found?.attempts ?? []).flatMap(({ principal, username, outcome }) =>
      outcome === 'no' ? [] : [`${principal} ${marks[outcome]} ${username}`],
    ),
    ...accounts.flatMap(({ name, holdings }) => holdings.flatMap(({ database, held }) => typeof held === 'string'
      ? [`${name} cannot sign in to ${database}: ${held}`]
      : rightsOf(held).map(({ may, what }) => `${name} in ${database}: ${may} ${what}`))),
  ];
}
