import { styleText } from 'node:util';
import { shortened, textTable } from './text-table';
import { INDENT } from './timeline';

interface Check {
  readonly name: string;
  readonly expected: string;
  readonly measured: string;
  readonly ok: boolean;
}

/** What a run is expected to show and what it showed, printed line by line and as a table in the end. */
export class CheckList {
  private readonly checks: Check[] = [];

  constructor(private readonly print: (line: string) => void) {}

  /** @param expected how `measured` begins */
  check(name: string, expected: string, measured: string, reason?: string): void {
    const ok = measured.startsWith(expected);
    this.checks.push({ name, expected, measured, ok });
    this.print(`${INDENT}${this.mark(ok)} ${name}: ${measured}${reason === undefined ? '' : styleText('dim', ` (${reason})`)}`);
  }

  get failed(): number {
    return this.checks.filter(({ ok }) => !ok).length;
  }

  table(): void {
    const rows = this.checks.map(({ name, expected, measured, ok }) => [name, expected, shortened(measured, 50), ok ? 'ok' : 'DIFFERS']);
    const head = ['check', 'expected', 'measured', ''];
    const lines = textTable(head, rows, (line, i) => this.checks[i].ok ? line : styleText('red', line));
    this.print(['', ...lines].join('\n'));
  }

  private mark(ok: boolean): string {
    return ok ? styleText('green', '✓') : styleText('red', '✗');
  }
}
