import { isToken } from './token';
import type { Warning } from './warning';
import type { PrivilegesByDatabase } from './privilege-set';
import { KINDS_IN_SCHEMA } from '../contract/object-kinds';

const UNCLEAR = 'cdk-aurora-iam-auth:unclearName';
const DOT = 'cdk-aurora-iam-auth:dotInName';

/** Blanks at an end, and what takes no room anywhere. */
const UNSEEN = /^\s|\s$|[\u00a0\u00ad\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064\ufeff]/u;
/** Names are quoted by the library. */
const QUOTED = /^(["'`]).*\1$/s;
const LATIN = /\p{Script=Latin}/u;
const LIKE_LATIN = /[\p{Script=Cyrillic}\p{Script=Greek}]/u;

/** A name that PostgreSQL takes as it is, and that people read as another one. */
export function unclearName(kind: string, name: string): Warning | undefined {
  const [unseen] = UNSEEN.exec(name) ?? [];
  const [like] = LATIN.test(name) ? LIKE_LATIN.exec(name) ?? [] : [];
  const isQuoted = QUOTED.test(name);
  const rule = unseen !== undefined
    ? `has a blank or an invisible character (${codePoint(unseen)}) that is part of the name`
    : isQuoted
      ? 'is in quotes that are part of the name'
      : `has a letter (${codePoint(like)}) that looks like one of another script`;
  return isToken(name) || ((unseen ?? like) === undefined && !isQuoted)
    ? undefined
    : {
        id: UNCLEAR,
        text: `${kind} ${JSON.stringify(name)} ${rule}, so that it is another name than the one that is read; correct it, or acknowledge`,
      };
}

/** Of the schemas in searchPath, where PostgreSQL itself writes quotes and commas. */
export function unclearPath(schemas: readonly string[] = []): (Warning | undefined)[] {
  return schemas
    .filter(schema => !isToken(schema))
    .map(
      schema =>
        unclearName('schema name', schema)
        ?? (schema.includes(',')
          ? {
              id: UNCLEAR,
              text: `schema name ${JSON.stringify(schema)} has a comma that is part of the name; make each schema an item of searchPath, or acknowledge`,
            }
          : undefined),
    );
}

/** Of roles whose names are read as the same one. @param roleNames the paths of what creates them, by name */
export function sameNames(
  roleNames: ReadonlyMap<string, string>,
): { readonly path: string; readonly warning: Warning }[] {
  const first = new Map<string, string>();
  return [...roleNames].flatMap(([name, path]) => {
    const key = name.toLowerCase();
    const other = first.get(key);
    first.set(key, other ?? name);
    return other === undefined
      ? []
      : [{
          path,
          warning: {
            id: UNCLEAR,
            text:
              `role name ${JSON.stringify(name)} and ${JSON.stringify(other)}, which ${roleNames.get(other)} creates, are the same but for upper case, and two roles; `
              + 'correct one of them, or acknowledge',
          },
        }];
  });
}

/** Of the names in privileges. */
export function unclearNames(privileges: PrivilegesByDatabase): Warning[] {
  const names: [string, string, string?][] = Object.entries(privileges).flatMap(([database, { Schemas = {} }]) => [
    ['database name', database] as [string, string],
    ...Object.entries(Schemas).flatMap(([schema, privileges]) => [
      ['schema name', schema] as [string, string],
      // Columns are below the name of their table.
      ...KINDS_IN_SCHEMA.flatMap(({ key, word }) => Object.keys(privileges[key] ?? {})
        .map((name): [string, string, string] => [`${word === 'column' ? 'table' : word} name`, name, schema])),
    ]),
  ]);
  return names.flatMap(([kind, name, schema]) => [
    unclearName(kind, name) ?? (name === '*' && schema === undefined ? noWildcard(kind) : []),
    schema !== undefined && nameOf(name).includes('.') ? dotInName(kind, name, schema) : [],
  ].flat());
}

/** Of a function, whose arguments are in parentheses and may have a schema. */
function nameOf(name: string): string {
  return name.replace(/\(.*$/s, '');
}

/** On objects it is one, in the template. */
function noWildcard(kind: string): Warning {
  return {
    id: UNCLEAR,
    text: `${kind} "*" stands for one of that name, and for no other; name each of those that are meant, or acknowledge`,
  };
}

function dotInName(kind: string, name: string, schema: string): Warning {
  const own = name.slice(name.lastIndexOf('.') + 1);
  return {
    id: DOT,
    text:
      `${kind} ${JSON.stringify(name)} has a dot, and names its schema, ${JSON.stringify(schema)}, beside it: it would be an object whose own name has the dot; `
      + `write ${JSON.stringify(own)}, or acknowledge`,
  };
}

function codePoint(character = ''): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
