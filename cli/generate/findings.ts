import { visible } from '../../lib/report/plain-text';

/** Something in the catalogs that no declaration can say. A deployment leaves it as it is. */
export interface Finding {
  /** Undefined if it is of the whole server. */
  readonly role?: string;
  /** Undefined if it is of all databases. */
  readonly database?: string;
  /** What there is, such as `SELECT on table "orders" of schema "public"`. */
  readonly what: string[];
  /** Why it is not declared. */
  readonly why: string;
}

/** A thing, or a privilege on one. */
export type What = string | readonly [privilege: string, on: string];

interface Found extends Omit<Finding, 'what'> {
  readonly things: What[];
}

/** What is found, put together by role, database and reason. */
export class Findings {
  private readonly byReason = new Map<string, Found>();

  add({ role, database }: Pick<Finding, 'role' | 'database'>, why: string, ...things: What[]): void {
    const key = JSON.stringify([role ?? null, database ?? null, why]);
    const known = this.byReason.get(key);
    if (known) {
      things.forEach(thing => known.things.push(thing));
    } else if (things.length > 0) {
      const where = { ...role === undefined ? {} : { role }, ...database === undefined ? {} : { database } };
      this.byReason.set(key, { ...where, things: [...things], why });
    }
  }

  /** In an order that depends on names alone. */
  list(): Finding[] {
    const keyed = [...this.byReason].map(([key, { things, ...found }]) => ({
      key,
      finding: { ...found, what: inWords(things) },
    }));
    return keyed.sort((a, b) => a.key < b.key ? -1 : 1).map(({ finding }) => finding);
  }
}

/** Privileges on one thing share a text. */
function inWords(things: What[]): string[] {
  const privileges = new Map<string, Set<string>>();
  for (const thing of things) {
    if (typeof thing !== 'string') {
      privileges.set(thing[1], (privileges.get(thing[1]) ?? new Set<string>()).add(thing[0]));
    }
  }
  const onThings = [...privileges].map(([on, words]) => `${[...words].sort().join(', ')} on ${on}`);
  return [...new Set([...things.filter(thing => typeof thing === 'string'), ...onThings])].sort();
}

const SHOWN = 3;

/** In one line, which can stand in a comment. */
export function findingLine({ role, database, what, why }: Finding): string {
  const ofRole = role === undefined ? [] : [quoted(role)];
  const where = [...ofRole, ...database === undefined ? [] : [`in database ${quoted(database)}`]].join(' ');
  const things = what.length > SHOWN + 1 ? [...what.slice(0, SHOWN), `${what.length - SHOWN} more`] : what;
  return visible(`${where === '' ? '' : `${where}: `}${things.join('; ')} (${why})`);
}

/** A name in a sentence. */
export function quoted(name: string): string {
  return JSON.stringify(name);
}
