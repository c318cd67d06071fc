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
    this.add({ name, expected, measured, ok: measured.startsWith(expected) }, reason);
  }

  /** @param expected what `measured` matches */
  match(name: string, expected: RegExp, measured: string): void {
    this.add({ name, expected: expected.source, measured, ok: expected.test(measured) });
  }

  private add(check: Check, reason?: string): void {
    const { name, measured, ok } = check;
    this.checks.push(check);
    this.print(
      `${INDENT}${this.mark(ok)} ${name}: ${measured}${reason === undefined ? '' : styleText('dim', ` (${reason})`)}`,
    );
  }

  get failed(): number {
    return this.checks.filter(({ ok }) => !ok).length;
  }

  table(): void {
    const rows = this.checks.map(({ name, expected, measured, ok }) => [
      name,
      expected,
      shortened(measured, 50),
      ok ? 'ok' : 'DIFFERS',
    ]);
    const head = ['check', 'expected', 'measured', ''];
    const lines = textTable(head, rows, (line, i) => this.checks[i].ok ? line : styleText('red', line));
    this.print(['', ...lines].join('\n'));
  }

  private mark(ok: boolean): string {
    return ok ? styleText('green', '✓') : styleText('red', '✗');
  }
}
