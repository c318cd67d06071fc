import { Node } from './app-graph';
import { ResourceDefinition } from '../cloudformation/template';

/** Path of the construct in the app, as far as the template tells it, or else the stack and the logical id. */
export function fullResourceName(stackId: string, logicalId: string, definition?: ResourceDefinition): string {
  const [first] = definition?.Metadata?.['aws:cdk:path']?.split('/') ?? [];
  return `${first ?? stackId}/${resourceName(logicalId, definition)}`;
}

/** The full name of a resource of a graph. */
export function nameOf({ stack, logicalId, definition }: Node): string {
  return fullResourceName(stack.definition.id, logicalId, definition);
}

/** Path of the construct within its stack, as far as the template tells it, or else the logical id. */
export function resourceName(logicalId: string, definition?: ResourceDefinition): string {
  const [, ...path] = definition?.Metadata?.['aws:cdk:path']?.split('/') ?? [];
  while (['Resource', 'Default'].includes(path.at(-1) ?? '')) {
    path.pop();
  }
  return path.length === 0 ? logicalId : path.join('/');
}
