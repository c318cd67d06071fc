/** A value that a template has, perhaps under a condition. */
export interface Branch {
  readonly value: unknown;

  /** Why it may not apply. */
  readonly undecided?: string;
}

/** The items of a list, those of both branches of each `Fn::If` included. A single item is a list, too. */
export function branchesOf(value: unknown, undecided?: string): Branch[] {
  if (Array.isArray(value)) {
    return value.flatMap(item => branchesOf(item, undecided));
  }
  const { 'Fn::If': branches, Ref: reference } = Object(value) as { 'Fn::If'?: unknown[]; 'Ref'?: unknown };
  if (Array.isArray(branches)) {
    const [condition, ...others] = branches;
    return others.flatMap(other => branchesOf(other, undecided ?? `only under condition ${String(condition)}`));
  }
  return value === undefined || reference === 'AWS::NoValue'
    ? []
    : [{ value, ...(undecided === undefined ? {} : { undecided }) }];
}

/** Whether it is a function, which only the deployment evaluates. */
export function isFunction(value: unknown): boolean {
  return Object.keys(Object(value) as object).some(name => name === 'Ref' || name.startsWith('Fn::'));
}
