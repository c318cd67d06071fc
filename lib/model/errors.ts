/** @param message value, rule and remedy, in lower case */
export function errorAt(scope: { readonly node: { readonly path: string } }, message: string): Error {
  return new Error(`[${scope.node.path}] ${message}`);
}
