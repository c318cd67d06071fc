import { holds, resolve, Scope } from './intrinsics';
import { Template } from './template';

type Output = NonNullable<Template['Outputs']>[string];

/** The outputs of a template by their names. */
export function outputValues(template: Template, scope: Scope): Record<string, string> {
  return Object.fromEntries(outputsOf(template, scope).map(([name, { Value }]) => [name, valueOf(Value, name, scope)]));
}

/** The outputs that other stacks may import, by the names of their exports. */
export function exportedValues(template: Template, scope: Scope): Record<string, string> {
  return Object.fromEntries(outputsOf(template, scope).flatMap(([name, { Value, Export }]) =>
    Export ? [[valueOf(Export.Name, name, scope), valueOf(Value, name, scope)]] : []));
}

function outputsOf({ Outputs = {} }: Template, scope: Scope): [string, Output][] {
  return Object.entries(Outputs).filter(([name, { Condition }]) =>
    Condition === undefined || holds({ Condition }, scope, `Outputs.${name}`));
}

function valueOf(value: unknown, name: string, scope: Scope): string {
  const resolved = resolve(value, scope, `Outputs.${name}`);
  if (typeof resolved === 'object' || typeof resolved === 'symbol') {
    const found = typeof resolved === 'symbol' ? 'AWS::NoValue' : JSON.stringify(resolved);
    throw new Error(`Outputs.${name}: expected a string, not ${found}`);
  }
  return `${resolved as string | number | boolean}`;
}
