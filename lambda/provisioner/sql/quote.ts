/** The one place where a name or a text becomes SQL. */

/**
 * Colons in front of what may be a name. The Data API has parameters that look like that, and no source says whether it
 * looks for them in quoted names and texts, too: there each such colon is written as its code. `::` in front of a type
 * stays, outside of quotes.
 *
 * @see https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_ExecuteStatement.html
 */
const LIKE_PARAMETERS = /:+(?=[^\s:"'(){}[\],])/g;

function withCodes(text: string, code: string): string {
  return text.replaceAll(LIKE_PARAMETERS, colons => code.repeat(colons.length));
}

/**
 * Every identifier is quoted, so that case is kept and no name is a key word.
 *
 * @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
 */
export function identifier(name: string): string {
  if (name === '') {
    throw new Error('"" is not an identifier: it is empty');
  }
  const quoted = `"${withoutNull(name).replaceAll('"', '""')}"`;
  return name.search(LIKE_PARAMETERS) < 0 ? quoted : `U&${withCodes(quoted.replaceAll('\\', '\\\\'), '\\003A')}`;
}

/** SQL of the server with identifiers in it, such as the types of arguments. */
export function withIdentifiers(sql: string): string {
  return sql.replaceAll(/"((?:[^"]|"")+)"/g, (_, name: string) => identifier(name.replaceAll('""', '"')));
}

export function qualified(schema: string, name: string): string {
  return `${identifier(schema)}.${identifier(name)}`;
}

/**
 * A backslash is written twice in the form that says so, and means the same whatever standard_conforming_strings is.
 *
 * @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-STRINGS-ESCAPE
 */
export function literal(text: string): string {
  const quoted = `'${withoutNull(text).replaceAll("'", "''")}'`;
  const escaped = withCodes(quoted.replaceAll('\\', '\\\\'), '\\x3a');
  return escaped === quoted ? quoted : ` E${escaped}`;
}

/** The same text for people, who run it in a session with standard_conforming_strings and without the Data API. */
export function readableLiteral(text: string): string {
  return text.includes('\\') ? literal(text).trimStart() : `'${withoutNull(text).replaceAll("'", "''")}'`;
}

export function textArray(texts: Iterable<string>): string {
  return `ARRAY[${[...texts].map(literal).join(', ')}]::text[]`;
}

/**
 * As texts, for which there is a hash table: with names, each row would be compared with each of what may be thousands.
 */
export function isOneOf(column: string, names: string[]): string {
  return `${column}::text = ANY (${textArray(names)})`;
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
