import { IConstruct } from 'constructs';

const CLAIMS = new WeakMap<IConstruct, Map<string, IConstruct>>();

/**
 * The first to claim something of a construct keeps it.
 *
 * @returns the construct that has it: the claimant, or who came before
 */
export function claim(owner: IConstruct, what: string, claimant: IConstruct): IConstruct {
  const claims = CLAIMS.get(owner) ?? new Map<string, IConstruct>();
  CLAIMS.set(owner, claims);
  if (!claims.has(what)) {
    claims.set(what, claimant);
  }
  return claims.get(what)!;
}

/** Who has claimed something of a construct. */
export function claimant(owner: IConstruct, what: string): IConstruct | undefined {
  return CLAIMS.get(owner)?.get(what);
}
