import { visible } from '../plain-text';

/** Text that is part of a page and nothing but text: in an element as well as in an attribute in quotes. */
export function escaped(text: string): string {
  return /^[\w ./@:-]*$/.test(text)
    ? text
    : visible(text).replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`);
}

/** A name: of its own in the line, so that it does not change the order of what is around it. */
export function named(name: string): string {
  return `<code>${escaped(name)}</code>`;
}

/** Names after each other, none of which is broken if there is room for it. */
export function nameList(names: readonly string[]): string {
  return `<span class="list">${names.map(named).join(', ')}</span>`;
}
