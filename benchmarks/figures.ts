/** One line of the output: what was measured, and what it may be at most. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit?: string;
  /** Behind the point. @default 0 */
  readonly digits?: number;
  readonly limit?: number;
  /** What it was in the first edition, in the same unit. */
  readonly before?: number;
}

export interface Section {
  readonly title: string;
  readonly figures: Figure[];
}

/** Prints what was measured. A figure above its limit makes the process fail in the end. */
export function report({ title, figures }: Section): void {
  console.log([title, ...figures.map(inWords)].join('\n'));
  if (!figures.every(isWithin)) {
    process.exitCode = 1;
  }
}

function isWithin({ value, limit }: Figure): boolean {
  return limit === undefined || value <= limit;
}

function inWords(figure: Figure): string {
  const { name, value, unit = '', digits = 0, limit, before } = figure;
  const judged = limit === undefined ? '' : `limit ${limit}${isWithin(figure) ? '' : '  EXCEEDED'}`;
  const earlier = before === undefined ? '' : `before ${before}`;
  return `    ${name.padEnd(66)}${value.toFixed(digits).padStart(8)} ${unit.padEnd(4)}${judged.padEnd(12)}${earlier}`.trimEnd();
}
