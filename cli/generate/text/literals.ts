/** The one place where a name or a text becomes TypeScript. */

/** Invisible, or changing the order of what follows, or not in every font. */
const CODED = /['\\]|[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;

/** A text in single quotes. */
export function literal(text: string): string {
  return `'${text.replace(CODED, character => (character === "'" || character === '\\' ? `\\${character}` : codeOf(character)))}'`;
}

function codeOf(character: string): string {
  return [...Array(character.length).keys()]
    .map(n => `\\u${character.charCodeAt(n).toString(16).padStart(4, '0')}`)
    .join('');
}

/** The key of an object, in quotes where it needs them. A computed one is a key of its own whatever it says. */
export function objectKey(text: string): string {
  return text === '__proto__' ? `[${literal(text)}]` : /^[A-Za-z_$][\w$]*$/.test(text) ? text : literal(text);
}

const KEY_WORDS = new Set(
  (
    'arguments await boolean break case catch class const continue debugger default delete do else enum eval export extends false finally '
    + 'for function if implements import in instanceof interface let new null package private protected public return static super switch '
    + 'this throw true try typeof undefined var void while with yield'
  ).split(' '),
);

/** Names that a construct, its constructor or every object has. */
const OF_OBJECTS = Object.getOwnPropertyNames(Object.prototype);
const TAKEN = [...OF_OBJECTS, 'iamAuth', 'id', 'node', 'props', 'prototype', 'roleId', 'roleName', 'scope'];

/**
 * Ids that the construct of a database has already, and that the CDK reads as something else. It looks children up in
 * an object.
 */
const TAKEN_IDS = [...OF_OBJECTS, 'Provisioner', 'Default', 'Resource', 'IamAuthentication', 'AccessSummary', 'Alarms'];

/** Gives variables and construct ids that are valid, say what they are of, and are given once. */
export class Names {
  private readonly variables = new Set(TAKEN);
  private readonly ids = new Set(TAKEN_IDS.map(id => id.toLowerCase()));

  /** @param otherwise where nothing is left of the name */
  variable(name: string, otherwise: string): string {
    const words = name.split(/[^A-Za-z0-9]+/).filter(word => word !== '');
    const camel = words
      .map((word, index) => `${index === 0 ? word[0].toLowerCase() : word[0].toUpperCase()}${word.slice(1)}`)
      .join('');
    const base = /^[a-z]/.test(camel) ? camel : `${otherwise}${camel}`;
    return unique(KEY_WORDS.has(base) ? `${base}Role` : base, '', this.variables, text => text);
  }

  /** The name itself where it can be one. */
  id(name: string, otherwise: string): string {
    const base = name.replace(/[^\w.@+ -]+/g, '-').trim();
    return unique(/[A-Za-z0-9]/.test(base) ? base : otherwise, '-', this.ids, text => text.toLowerCase());
  }
}

function unique(base: string, separator: string, taken: Set<string>, key: (text: string) => string): string {
  for (let n = 1; ; n++) {
    const text = n === 1 ? base : `${base}${separator}${n}`;
    if (!taken.has(key(text))) {
      taken.add(key(text));
      return text;
    }
  }
}
