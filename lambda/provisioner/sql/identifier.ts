/**
 * The one place where a name becomes SQL. Every identifier is quoted, so that case is kept and no name is a key word.
 *
 * @see https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
 */
export function identifier(name: string): string {
  if (name === '' || name.includes('\0')) {
    throw new Error(`${JSON.stringify(name)} is not an identifier: it is empty or contains the character U+0000`);
  }
  return `"${name.replaceAll('"', '""')}"`;
}
