import { escaped, named } from './text';
import type { Principal, SignIn } from '../access-report';
import { principalText, within } from '../sign-in-text';
import { sortedBy, visible } from '../plain-text';

/** A sign-in, seen from the identity. */
export interface IdentitySignIn {
  readonly access: SignIn;
  /** As whom, as a part of the page. */
  readonly as: string;
}

/** One row for each identity: as whom it signs in. */
export function identityRows(signIns: IdentitySignIn[], stack: string): string[] {
  const byIdentity = new Map<string, IdentitySignIn[]>();
  for (const signIn of signIns) {
    const key = `${principalText(signIn.access.principal, stack)} ${JSON.stringify(signIn.access.principal)}`;
    const list = byIdentity.get(key) ?? [];
    byIdentity.set(key, list);
    list.push(signIn);
  }
  return sortedBy([...byIdentity], ([key]) => key).map(([, list]) => {
    const [{ access: { principal } }] = list;
    const known = [principal.arn ?? principal.name].flatMap(text => text === undefined ? [] : named(text)).join('');
    return `<tbody><tr><th scope="row">${principalHtml(list[0].access, stack)}</th>`
      + `<td class="signs">${known}${trustHtml(principal)}</td>`
      + `<td>${list.map(({ access, as }) => `<div>${as}${placeHtml(access, stack)}</div>`).join('')}</td></tr></tbody>`;
  });
}

export function signInHtml(access: SignIn, stack: string): string {
  return `${principalHtml(access, stack)}${placeHtml(access, stack)}`;
}

function principalHtml({ principal }: SignIn, stack: string): string {
  const text = principalText(principal, stack);
  const name = principal.path === undefined ? '' : visible(within(principal.path, stack));
  return name !== '' && text.startsWith(name) ? `${named(name)}${escaped(text.slice(name.length))}` : escaped(text);
}

function placeHtml({ at }: SignIn, stack: string): string {
  return at
    ? ` <small>${at.kind === 'proxy' ? 'through' : 'at replica'} ${escaped(within(at.path, stack))}</small>`
    : '';
}

function trustHtml({ assumedBy = [] }: Principal): string {
  return assumedBy.length === 0 ? '' : `<small>assumed by ${assumedBy.map(named).join(', ')}</small>`;
}
