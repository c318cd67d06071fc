import type { Note, PlannedChange } from '../../lib/contract/look';
import { visible } from '../../lib/report/plain-text';

/**
 * Statements with what they do as comments, so that all of it is SQL. Names cannot pretend to be lines of their own.
 */
export function sqlLines(changes: readonly PlannedChange[], notes: readonly Note[]): string[] {
  return [
    ...changes.flatMap(
      ({ database, change, sql }) => [
        `-- in ${visible(database)}: ${visible(change)}`,
        ...sql.flatMap(statement => statementLines(statement)),
      ],
    ),
    ...notes.map(note => `-- note: ${noteText(note)}`),
  ];
}

/** Lines after the first are further in than any first line. */
function statementLines(statement: string): string[] {
  const [first, ...others] = statement.split('\n').map(visible);
  return [first, ...others.map(line => `        ${line}`)].map((line, index, all) =>
    index === all.length - 1 ? `${line};` : line,
  );
}

export function noteText({ notice, ...fields }: Note): string {
  const texts = Object.entries(fields).filter(([, value]) => value !== undefined).map(
    ([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return visible(texts.length === 0 ? notice : `${notice} (${texts.join(', ')})`);
}

export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
