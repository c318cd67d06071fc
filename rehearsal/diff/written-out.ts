import { AssemblyStack } from '../cloudformation/cloud-assembly';

type Template = AssemblyStack['template'];

/**
 * A template in which the sections that are not compared themselves are written out where they are used, so that a
 * change of them shows: values of mappings, and what conditions depend on.
 *
 * @param region of the stack, if it is known
 */
export function writtenOut(template: Template, region: string | undefined): Template {
  const { Conditions: conditions, Mappings: mappings } = template;
  return conditions === undefined && mappings === undefined ? template : new Writing(template, region).all();
}

class Writing {
  constructor(private readonly template: Template, private readonly region: string | undefined) {}

  all(): Template {
    const { Resources, Outputs } = this.template;
    const resources = Object.entries(Resources).map(([logicalId, resource]) => {
      const { Condition: condition } = resource;
      const written = this.of(resource) as typeof resource;
      return [
        logicalId,
        condition === undefined ? written : { ...written, Condition: this.condition(condition) },
      ] as const;
    });
    return {
      ...this.template,
      Resources: Object.fromEntries(resources),
      ...(Outputs && { Outputs: this.of(Outputs) as typeof Outputs }),
    };
  }

  private of(value: unknown): unknown {
    if (Array.isArray(value)) {
      return value.map(item => this.of(item));
    }
    if (typeof value !== 'object' || value === null) {
      return value;
    }
    const { 'Fn::If': branches, 'Fn::FindInMap': keys } = value as { 'Fn::If'?: unknown; 'Fn::FindInMap'?: unknown };
    if (Array.isArray(branches) && typeof branches[0] === 'string') {
      return { 'Fn::If': [this.condition(branches[0]), ...branches.slice(1).map(branch => this.of(branch))] };
    }
    if (Array.isArray(keys)) {
      return this.found(keys);
    }
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.of(item)]));
  }

  /** Its name, and what it depends on. */
  private condition(name: string): string {
    const definition = this.definition(name, []);
    return definition === undefined ? name : `${name} (${JSON.stringify(definition)})`;
  }

  /** @param within names of the conditions that it is a part of */
  private definition(name: string, within: readonly string[]): unknown {
    const { Conditions: conditions = {} } = this.template;
    if (!Object.hasOwn(conditions, name) || within.includes(name)) {
      return undefined;
    }
    const expanded = (value: unknown): unknown => {
      if (Array.isArray(value)) {
        return value.map(expanded);
      }
      const { Condition: other, ...others } = Object(value) as { Condition?: unknown };
      if (typeof other === 'string' && Object.keys(others).length === 0) {
        return this.definition(other, [...within, name]) ?? value;
      }
      return typeof value === 'object' && value !== null
        ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, expanded(item)]))
        : value;
    };
    return expanded(this.of(conditions[name]));
  }

  /** A value of a mapping; where only the deployment knows which one, with all that it may be. */
  private found(keys: readonly unknown[]): unknown {
    const [map, ...others] = keys.map(key => this.key(this.of(key)));
    const mapping = typeof map === 'string' ? own(this.template.Mappings, map) : undefined;
    if (mapping === undefined) {
      return { 'Fn::FindInMap': [map, ...others] };
    }
    const [first, second] = others;
    const value
      = typeof first === 'string' && typeof second === 'string' ? own(own(mapping, first), second) : undefined;
    return value ?? { 'Fn::FindInMap': [map, ...others, mapping] };
  }

  private key(key: unknown): unknown {
    const isRegion = (Object(key) as { Ref?: unknown }).Ref === 'AWS::Region';
    return isRegion ? this.region ?? key : key;
  }
}

function own(value: unknown, key: string): unknown {
  return Object.hasOwn(Object(value) as object, key) ? (value as Record<string, unknown>)[key] : undefined;
}
