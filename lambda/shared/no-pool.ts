/**
 * Stands in for pg-pool in the bundle (see scripts/bundle.ts): pg names the class when it is loaded, and the handler
 * opens its connections one by one.
 */
class NoPool {}
export = NoPool;
