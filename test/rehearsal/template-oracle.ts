import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { ResolvedValue, TemplateFile, TemplateModel } from '@aws/cloudformation-validate';
import { holds, resolve, Scope } from '../../rehearsal/cloudformation/intrinsics';
import { templateScope } from '../../rehearsal/cloudformation/scope';
import { ResourceState, Template } from '../../rehearsal/cloudformation/template';

/** The stack that AWS's model assumes. */
const STACK = {
  name: 'teststack',
  id: 'arn:aws:cloudformation:us-east-1:123456789012:stack/teststack/51af3dc0-da77-11e4-872e-1234567db123',
  partition: 'aws',
  region: 'us-east-1',
  account: '123456789012',
};

/** What a comparison with AWS's model found, by `logicalId.property`. */
export interface Comparison {
  readonly same: string[];
  readonly different: string[];
  /** What the model leaves open, with its reason and our value. */
  readonly open: Record<string, { readonly reason: string; readonly value: unknown }>;
}

/**
 * Compares each property and output. The model does not know what exists later, so it gets the template with text in
 * place of Ref and Fn::GetAtt of resources and of imports, and our resolver the template as it is, with the same text
 * as their value.
 *
 * @param ours what our resolver gets, if not the same template
 */
export function compare(template: Template, ours: Template = template): Comparison {
  const scope = scopeOf(ours);
  const comparison: Comparison = { same: [], different: [], open: {} };
  const add = (name: string, model: ResolvedValue, written: unknown) => {
    const [reason] = openIn(model, scope);
    const value = resolve([written], scope, name);
    if (reason !== undefined) {
      comparison.open[name] = { reason, value: (value as unknown[])[0] };
    } else {
      comparison[isDeepStrictEqual(valueOf(model, scope), value) ? 'same' : 'different'].push(name);
    }
  };
  withModel(withTexts(template, template), (model) => {
    for (const [logicalId, { properties }] of Object.entries(model.resources())) {
      const written = ours.Resources[logicalId].Properties ?? {};
      assert.deepEqual(Object.keys(properties).sort(), Object.keys(written).sort());
      Object.entries(properties).forEach(([name, value]) => add(`${logicalId}.${name}`, value, written[name]));
    }
    for (const [name, { value, exportName }] of Object.entries(model.outputs())) {
      add(`Outputs.${name}`, value, ours.Outputs?.[name].Value);
      if (exportName) {
        add(`Outputs.${name}.Export`, exportName, ours.Outputs?.[name].Export?.Name);
      }
    }
  });
  return comparison;
}

function scopeOf(template: Template): Scope {
  const resources = Object.entries(template.Resources).map(([logicalId, definition]): [string, ResourceState] => [
    logicalId,
    {
      logicalId,
      definition,
      type: definition.Type,
      physicalId: textFor(logicalId),
      properties: {},
      attributes: new Proxy({}, { get: (_, attribute) => textFor(`${logicalId}.${String(attribute)}`) }),
    },
  ]);
  return templateScope(template, STACK, new Map(resources), { importValue: name => textFor(`import ${name}`) });
}

/** Has separators, so that it can be split. */
export function textFor(name: string): string {
  return `a:b:c:d:e:${name}/f:g`;
}

function withTexts<Value>(value: Value, { Resources: resources }: Template): Value {
  const walk = (item: unknown): unknown => {
    if (Array.isArray(item)) {
      return item.map(walk);
    }
    if (typeof item !== 'object' || item === null) {
      return item;
    }
    const {
      'Ref': name,
      'Fn::GetAtt': attribute,
      'Fn::Sub': sub,
      'Fn::ImportValue': exported,
    } = item as Record<string, unknown>;
    if (typeof name === 'string' && Object.hasOwn(resources, name)) {
      return textFor(name);
    }
    if (attribute !== undefined) {
      return textFor(([attribute].flat() as string[]).join('.'));
    }
    if (typeof exported === 'string') {
      return textFor(`import ${exported}`);
    }
    if (sub !== undefined) {
      const [text, ...variables] = [sub].flat() as [string, ...unknown[]];
      const names = text.replace(/\$\{([\w.]+)\}/g, (variable, each: string) =>
        Object.hasOwn(resources, each.split('.')[0]) ? textFor(each) : variable,
      );
      return { 'Fn::Sub': variables.length > 0 ? [names, ...variables.map(walk)] : names };
    }
    return Object.fromEntries(Object.entries(item).map(([key, each]) => [key, walk(each)]));
  };
  return walk(value) as Value;
}

/** Reads it from memory. */
function fileOf(template: object): TemplateFile {
  return Object.create(TemplateFile.prototype, {
    path: { value: 'template.json' },
    readBytes: { value: () => Buffer.from(JSON.stringify(template)) },
  }) as TemplateFile;
}

export function withModel<Result>(template: Template, work: (model: TemplateModel) => Result): Result {
  const model = new TemplateModel(fileOf(template));
  try {
    return work(model);
  } finally {
    model.free();
  }
}

/** In a list, which is empty where the model says that there is no value. */
function valueOf(model: ResolvedValue, scope: Scope): unknown[] {
  if ('Conditional' in model) {
    return valueOf(branchOf(model.Conditional, scope), scope);
  }
  if ('List' in model) {
    return [model.List.items.flatMap(item => valueOf(item, scope))];
  }
  if ('Map' in model) {
    return [
      Object.fromEntries(
        model.Map.entries.flatMap(({ key, value }) => valueOf(value, scope).map(each => [key, each] as const)),
      ),
    ];
  }
  return withoutNull('Concrete' in model ? model.Concrete.value : null);
}

/** The model has null for AWS::NoValue. */
function withoutNull(value: unknown): unknown[] {
  if (Array.isArray(value)) {
    return [value.flatMap(withoutNull)];
  }
  if (typeof value === 'object' && value !== null) {
    return [
      Object.fromEntries(
        Object.entries(value).flatMap(([key, item]) => withoutNull(item).map(each => [key, each] as const)),
      ),
    ];
  }
  return value === null ? [] : [value];
}

function openIn(model: ResolvedValue, scope: Scope): string[] {
  if ('Conditional' in model) {
    return openIn(branchOf(model.Conditional, scope), scope);
  }
  if ('List' in model) {
    return model.List.items.flatMap(item => openIn(item, scope));
  }
  if ('Map' in model) {
    return model.Map.entries.flatMap(({ value }) => openIn(value, scope));
  }
  if ('Concrete' in model) {
    return [];
  }
  if ('Enum' in model) {
    return [`one of ${model.Enum.variants.flatMap(variant => valueOf(variant, scope)).join(', ')}`];
  }
  return [
    'Dynamic' in model
      ? model.Dynamic.reason
      : 'TypedDynamic' in model
        ? model.TypedDynamic.reason
        : JSON.stringify(model),
  ];
}

function branchOf(
  {
    condition,
    if_true: whenTrue,
    if_false: whenFalse,
  }: { condition: string; if_true: ResolvedValue; if_false: ResolvedValue },
  scope: Scope,
) {
  return holds({ Condition: condition }, scope, 'Conditions') ? whenTrue : whenFalse;
}
