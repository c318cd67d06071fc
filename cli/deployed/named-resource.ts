/** A user or group role, as a command line names it. */
export interface NamedResource {
  readonly logicalId: string;
  /** Path of the construct within its stack. */
  readonly name: string;
}

/** Whether it is meant by `--only`: by its logical id, or by the path of its construct or of one that it is in. */
export function isNamed({ logicalId, name }: NamedResource, stack: string, wanted: string): boolean {
  return (
    wanted === logicalId || [name, `${stack}/${name}`].some(path => path === wanted || path.startsWith(`${wanted}/`))
  );
}
