import { IConstruct } from 'constructs';

/** @param message value, rule and remedy, in lower case */
export function errorAt(scope: IConstruct, message: string): Error {
  return new Error(`[${scope.node.path}] ${message}`);
}
