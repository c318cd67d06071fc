/** What a template says of a resource, as far as it decides what the resource waits for. */
export interface TemplateResource {
  readonly DependsOn?: unknown;
  readonly [attribute: string]: unknown;
}

/** Parts of a template that are filled in at the deployment. What they will refer to is not known. */
const UNKNOWN_PARTS = /^Fn::(Transform|ForEach)(::|$)/;

/** Names in a text of Fn::Sub. `${!a}` is the text `${a}`. */
const SUBSTITUTED = /\$\{([^!}][^}]*)\}/g;

/**
 * What the resources of a template wait for: DependsOn, Ref, Fn::GetAtt and Fn::Sub.
 *
 * @param resources of the template, by logical id
 * @param others names that are no resources: parameters
 * @returns undefined where that is not known, or where resources wait for each other
 */
export class TemplateGraph {
  static of(
    resources: { readonly [logicalId: string]: TemplateResource }, others: ReadonlySet<string>,
  ): TemplateGraph | undefined {
    return TemplateGraph.ofNames(
      new Map(Object.entries(resources).map(([id, resource]) => [id, namesIn(resource)])),
      others,
    );
  }

  /** The same of what `namesIn` says of each resource. */
  static ofNames(
    namesOf: ReadonlyMap<string, readonly string[] | undefined>, others: ReadonlySet<string>,
  ): TemplateGraph | undefined {
    const waitsFor = new Map<string, Set<string>>();
    for (const [logicalId, names] of namesOf) {
      const unknown = names?.some(name => !namesOf.has(name) && !others.has(name) && !isPseudoParameter(name)) ?? true;
      if (unknown || UNKNOWN_PARTS.test(logicalId)) {
        return undefined;
      }
      waitsFor.set(logicalId, new Set(names!.filter(name => namesOf.has(name) && name !== logicalId)));
    }
    const order = orderOf(waitsFor);
    return order && new TemplateGraph(waitsFor, order);
  }

  private constructor(
    private readonly waitsFor: ReadonlyMap<string, ReadonlySet<string>>,
    /** By logical id: a resource comes after all that it waits for. Otherwise as in the template. */
    private readonly order: ReadonlyMap<string, number>,
  ) {}

  /** Sorts logical ids so that none comes before one that it waits for. */
  sorted(logicalIds: string[]): string[] {
    return logicalIds.filter(id => this.order.has(id)).sort((a, b) => this.order.get(a)! - this.order.get(b)!);
  }

  /** Whether a resource waits for another one, itself or through others. */
  isAfter(logicalId: string, other: string): boolean {
    const seen = new Set([logicalId]);
    for (const id of seen) {
      this.waitsFor.get(id)?.forEach(before => seen.add(before));
      if (seen.has(other)) {
        return true;
      }
    }
    return false;
  }
}

/**
 * Dependencies that let no more than so many resources be worked on at the same time: each waits for the one that many
 * places before it, unless it waits for it anyway. All of them lead back in one order, so that there is no cycle.
 *
 * @returns by logical id, what it waits for besides
 */
export function lanesIn(graph: TemplateGraph, logicalIds: string[], width: number): Map<string, string> {
  const sorted = graph.sorted(logicalIds);
  return new Map(sorted.flatMap((id, n): [string, string][] => {
    const before = sorted[n - width];
    return before === undefined || graph.isAfter(id, before) ? [] : [[id, before]];
  }));
}

function orderOf(waitsFor: ReadonlyMap<string, ReadonlySet<string>>): Map<string, number> | undefined {
  const order = new Map<string, number>();
  const open = new Set<string>();
  const visit = (id: string): boolean => {
    if (order.has(id)) {
      return true;
    }
    if (open.has(id)) {
      return false;
    }
    open.add(id);
    const isFine = [...waitsFor.get(id)!].every(visit);
    open.delete(id);
    order.set(id, order.size);
    return isFine;
  };
  return [...waitsFor.keys()].every(visit) ? order : undefined;
}

/** Whether a name stands for the account, the Region and the like. */
export function isPseudoParameter(name: string): boolean {
  return name.startsWith('AWS::');
}

/**
 * Everything that a resource refers to, or undefined where that is not known.
 *
 * @param resolved what stands for a value in the template, where the resource is not rendered
 */
export function namesIn(
  { DependsOn, ...attributes }: TemplateResource, resolved: (value: unknown) => unknown = value => value,
): string[] | undefined {
  const names = [resolved(DependsOn) ?? []].flat().map(name => resolved(name));
  const isKnown = collect(attributes, names, resolved);
  return isKnown && names.every(name => typeof name === 'string') ? names : undefined;
}

function collect(given: unknown, names: unknown[], resolved: (value: unknown) => unknown): boolean {
  const value = resolved(given);
  if (typeof value !== 'object' || value === null) {
    return true;
  }
  return Object.entries(value).every(([key, inner]: [string, unknown]) => {
    if (UNKNOWN_PARTS.test(key)) {
      return false;
    }
    if (key === 'Ref') {
      names.push(inner);
    } else if (key === 'Fn::GetAtt') {
      names.push(typeof inner === 'string' ? inner.split('.')[0] : (inner as unknown[])[0]);
    } else if (key === 'Fn::Sub') {
      const [text, values = {}] = [inner].flat() as [unknown, object?];
      const own = Object.keys(values);
      const found = typeof text === 'string' ? [...text.matchAll(SUBSTITUTED)].map(([, name]) => name) : [undefined];
      names.push(...found.filter(name => !own.includes(name!)).map(name => name?.trim().split('.')[0]));
    }
    return collect(inner, names, resolved);
  });
}
