/** The one place where a name or a text becomes SQL. */

/**
 * Every identifier is quoted, so that case is kept and no name is a key word.
 *
 * @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
 */
export function identifier(name: string): string {
  if (name === '') {
    throw new Error('"" is not an identifier: it is empty');
  }
  return `"${withoutNull(name).replaceAll('"', '""')}"`;
}

export function qualified(schema: string, name: string): string {
  return `${identifier(schema)}.${identifier(name)}`;
}

/**
 * A backslash is written twice in the form that says so, and means the same whatever standard_conforming_strings is. And a single colon before a
 * name as its code: the Data API has parameters that look like that, and nobody says whether it looks for them in texts, too.
 *
 * @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-STRINGS-ESCAPE
 */
export function literal(text: string): string {
  const quoted = `'${withoutNull(text).replaceAll("'", "''")}'`;
  const escaped = quoted.replaceAll('\\', '\\\\').replaceAll(/(?<!:):(?=\w)/g, '\\x3a');
  return escaped === quoted ? quoted : ` E${escaped}`;
}

/** The same text for people, who run it in a session with standard_conforming_strings and without the Data API. */
export function readableLiteral(text: string): string {
  return text.includes('\\') ? literal(text).trimStart() : `'${withoutNull(text).replaceAll("'", "''")}'`;
}

export function textArray(texts: Iterable<string>): string {
  return `ARRAY[${[...texts].map(literal).join(', ')}]::text[]`;
}

export function json(value: unknown): string {
  return `${literal(JSON.stringify(value))}::jsonb`;
}

function withoutNull(text: string): string {
  if (text.includes('\0')) {
    throw new Error(`${JSON.stringify(text)} cannot be quoted: it contains the character U+0000`);
  }
  return text;
}
