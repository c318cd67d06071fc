import { AssemblyStack } from '../cloudformation/cloud-assembly';
import { writtenOut } from './written-out';

/** A stack, or a nested one. */
export interface TemplateStack {
  readonly definition: AssemblyStack;

  /** Undefined where the stack leaves it open. */
  readonly account?: string;
  readonly region?: string;
  readonly stage?: string;
  readonly parent?: { readonly stack: TemplateStack; readonly logicalId: string };

  /** Whether the template was a value of the parent: it has symbols in its texts already. */
  readonly isRead?: boolean;
}

/** Of a stack set they are a list. */
export function argumentsOf({ stack, logicalId }: NonNullable<TemplateStack['parent']>): Record<string, unknown> {
  const { Parameters = {} } = (stack.definition.template.Resources[logicalId].Properties ?? {}) as {
    Parameters?: Record<string, unknown> | { readonly ParameterKey?: string; readonly ParameterValue?: unknown }[];
  };
  return Array.isArray(Parameters)
    ? Object.fromEntries(Parameters.map(({ ParameterKey: key = '', ParameterValue: value }) => [key, value]))
    : Parameters;
}

/** Undefined where it is no JSON of a template. */
export function templateIn(text: string): AssemblyStack['template'] | undefined {
  try {
    const { Resources, ...others } = Object(JSON.parse(text)) as Partial<AssemblyStack['template']>;
    return typeof Resources === 'object' ? { ...others, Resources } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A stack, and all that are nested in it.
 *
 * @param isAnywhere whether it is deployed in other accounts and Regions than its parent
 */
export function withNested(
  definition: AssemblyStack,
  parent?: TemplateStack['parent'],
  isAnywhere = false,
): TemplateStack[] {
  const { stage, ...place } = parent?.stack ?? definition;
  const { account, region } = isAnywhere ? {} : place;
  const template = writtenOut(definition.template, region);
  const stack: TemplateStack = { definition: { ...definition, template }, account, region, stage, parent };
  return [
    stack,
    ...Object.entries(definition.nested).flatMap(([logicalId, child]) => withNested(child, { stack, logicalId })),
  ];
}
