/** An expression that is written in one line if it fits. */
export type Expression = string | Call | List | Struct;

export interface Call {
  readonly call: string;
  readonly parameters: Expression[];
}

export interface List {
  readonly items: Expression[];
}

export interface Struct {
  /** Without those that are undefined. */
  readonly fields: [key: string, value: Expression | undefined][];
}

const WIDTH = 120;

/**
 * @param indent of the line that it begins in
 * @param before how much of that line is taken, and what comes behind it
 */
export function written(expression: Expression, indent: string, before: number): string {
  const flat = inLine(expression);
  if (typeof expression === 'string' || before + flat.length <= WIDTH) {
    return flat;
  }
  const deeper = `${indent}  `;
  if ('call' in expression) {
    const { call, parameters } = expression;
    const last = parameters.length - 1;
    const start = `${call}(${parameters.slice(0, last).map(one => `${inLine(one)}, `).join('')}`;
    return `${start}${written(parameters[last], indent, WIDTH)})`;
  }
  if ('items' in expression) {
    return `[\n${lines(expression.items, deeper)}${indent}]`;
  }
  const fields = defined(expression).map(([key, value]) => key === value
    ? `${deeper}${key},\n`
    : `${deeper}${key}: ${written(value, deeper, deeper.length + key.length + 3)},\n`);
  return `{\n${fields.join('')}${indent}}`;
}

/** Texts fill their lines, other items have one each. */
function lines(items: Expression[], indent: string): string {
  if (!items.every(item => typeof item === 'string')) {
    return items.map(item => `${indent}${written(item, indent, indent.length + 1)},\n`).join('');
  }
  const filled: string[] = [];
  for (const item of items) {
    const last = filled.at(-1);
    if (last !== undefined && indent.length + last.length + item.length + 3 <= WIDTH) {
      filled[filled.length - 1] = `${last}, ${item}`;
    } else {
      filled.push(item);
    }
  }
  return filled.map(line => `${indent}${line},\n`).join('');
}

function inLine(expression: Expression): string {
  if (typeof expression === 'string') {
    return expression;
  }
  if ('call' in expression) {
    return `${expression.call}(${expression.parameters.map(inLine).join(', ')})`;
  }
  if ('items' in expression) {
    return `[${expression.items.map(inLine).join(', ')}]`;
  }
  return `{ ${defined(expression)
    .map(([key, value]) => (key === value ? key : `${key}: ${inLine(value)}`))
    .join(', ')} }`;
}

function defined({ fields }: Struct): [string, Expression][] {
  return fields.filter((field): field is [string, Expression] => field[1] !== undefined);
}
