import { styleText } from 'node:util';

interface Check {
  readonly name: string;
  readonly expected: string;
  readonly measured: string;
  readonly ok: boolean;
}

/** What a run is expected to show and what it showed, printed line by line and as a table in the end. */
export class CheckList {
  private readonly checks: Check[] = [];
  private readonly started = Date.now();

  constructor(private readonly print: (line: string) => void) {}

  step(title: string): void {
    this.print(`${styleText('dim', `${((Date.now() - this.started) / 1000).toFixed(1).padStart(4)} s`)}  ${title}`);
  }

  /** @param expected how `measured` begins */
  check(name: string, expected: string, measured: string, reason?: string): void {
    const ok = measured.startsWith(expected);
    this.checks.push({ name, expected, measured, ok });
    this.print(`        ${this.mark(ok)} ${name}: ${measured}${reason === undefined ? '' : styleText('dim', ` (${reason})`)}`);
  }

  get failed(): number {
    return this.checks.filter(({ ok }) => !ok).length;
  }

  table(): void {
    const rows = this.checks.map(({ name, expected, measured, ok }) => [name, expected, shortened(measured), ok ? 'ok' : 'DIFFERS']);
    const head = ['check', 'expected', 'measured', ''];
    const widths = head.map((title, column) => Math.max(title.length, ...rows.map(row => row[column].length)));
    const line = (cells: string[]) => cells.map((cell, column) => cell.padEnd(widths[column])).join('  ').trimEnd();
    this.print(`\n${styleText('bold', line(head))}\n${widths.map(width => '-'.repeat(width)).join('  ')}`);
    rows.forEach((row, i) => this.print(this.checks[i].ok ? line(row) : styleText('red', line(row))));
  }

  private mark(ok: boolean): string {
    return ok ? styleText('green', '✓') : styleText('red', '✗');
  }
}

function shortened(text: string): string {
  return text.length > 50 ? `${text.slice(0, 49)}…` : text;
}
