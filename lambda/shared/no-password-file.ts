/**
 * Stands in for pgpass in the bundle (see scripts/bundle.ts): a password comes from the secret or is a token, and never
 * from a file.
 */
function noPasswordFile(_: unknown, found: (password: undefined) => void): void {
  found(undefined);
}
export = noPasswordFile;
