/**
 * Stands in for pg-connection-string in the bundle (see scripts/bundle.ts): the handler names host, port and user one
 * by one.
 */
export function parse(): never {
  throw new Error('the bundle reads no connection string');
}
