import { styleText } from 'node:util';

/**
 * Lines of a table with its columns padded.
 *
 * @param paint colours the line of a row
 */
export function textTable(
  head: string[],
  rows: string[][],
  paint: (line: string, row: number) => string = line => line,
): string[] {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map(row => row[column].length)));
  const line = (cells: string[]) => cells.map((cell, column) => cell.padEnd(widths[column])).join('  ').trimEnd();
  return [
    styleText('bold', line(head)),
    widths.map(width => '-'.repeat(width)).join('  '),
    ...rows.map((row, i) => paint(line(row), i)),
  ];
}

export function shortened(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}

export function inOneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, ' ');
}
