import { stripVTControlCharacters } from 'node:util';

/**
 * Writes a line to the standard error. It has its colors from one who asks whether the standard output is a terminal.
 */
export function errorLine(line: string): void {
  console.error(process.stderr.isTTY ? line : stripVTControlCharacters(line));
}
