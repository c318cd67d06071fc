/** Who has what: an identity of AWS, or a role of PostgreSQL. */
export interface Holder {
  readonly kind:
    | 'IAM role'
    | 'IAM user'
    | 'IAM group'
    | 'permission set'
    | 'identities with the policy'
    | 'principal'
    | 'user'
    | 'group role'
    | 'PUBLIC';
  readonly name: string;
}

export type Access
  = | {
    readonly kind: 'signIn';

    /** Name of the user; with `*` and `?` of a pattern, or the name of a tag. */
    readonly as: string;

    /** `other` is one that the app does not create. */
    readonly user: 'declared' | 'other' | 'pattern' | 'tag';
  }
  | { readonly kind: 'assume'; readonly role: string; readonly conditions?: string }
  /** It sets tags of sessions of a role that signs in as the user in such a tag. */
  | { readonly kind: 'tagSession'; readonly role: string; readonly conditions?: string }
  | { readonly kind: 'role' }
  | {
    readonly kind: 'membership';
    readonly group: string;

    /** From the role that it is a member of itself to the last one before the group. */
    readonly through: readonly string[];
    readonly managedElsewhere?: true;

    /** What members of a strong role can do. */
    readonly strong?: string;
  }
  | {
    readonly kind: 'privilege';
    readonly database: string;
    readonly privilege: string;

    /** As in `all tables of schema public`. */
    readonly on: string;

    /** The groups that it comes from, the nearest first; none if it is the role's own. */
    readonly through: readonly string[];
  }
  /** Its sessions act as a group role from their beginning on, which owns what they create. */
  | { readonly kind: 'roleAtLogin'; readonly role: string }
  /** What happens to it when it leaves the app, where that leaves or gives access. */
  | { readonly kind: 'removal'; readonly keeps: true }
  | { readonly kind: 'removal'; readonly owned: string }
  /** Whether privileges stay that were granted by hand. */
  | { readonly kind: 'byHand' }
  /** How long a user can sign in: without end, where there is no time. */
  | {
    readonly kind: 'time';

    /** The group, where it is about how long a membership lasts. */
    readonly memberOf?: string;

    /** As it is declared, such as `2027-01-31T12:00:00.000Z`. */
    readonly until?: string;

    /** Whether that has passed when the templates are compared. */
    readonly expired?: true;
  }
  /** What the templates do not tell. */
  | { readonly kind: 'unknown'; readonly text: string };

/** One thing that one holder has. */
export interface AccessFact {
  /** Name of the cluster, instance or proxy; none where it is about all of them. */
  readonly at?: string;
  readonly who: Holder;
  readonly access: Access;

  /** Why the templates do not decide it. */
  readonly undecided?: string;
}

/** A fact with what is compared. */
export interface ComparableFact extends AccessFact {
  readonly key: string;

  /** Keys of facts that include it. */
  readonly coveredBy?: readonly string[];

  /** Key of a fact without which it is not compared. */
  readonly onlyWith?: string;

  /** Whether it is about what the holder does not have: it gains that where the fact goes. */
  readonly isWithheld?: true;

  /** Key of the role whose access this is a part of. */
  readonly partOf?: string;
}

export interface AccessChange extends AccessFact {
  /** Set where the role leaves the app and stays in the database as it is. */
  readonly kept?: true;
}

/** Who gains and who loses what. */
export interface AccessDiff {
  readonly format: 1;
  readonly gains: AccessChange[];
  readonly losses: AccessChange[];
}

export function accessDiff(before: readonly ComparableFact[], after: readonly ComparableFact[]): AccessDiff {
  const [was, is] = [before, after].map(byKey);
  const kept = new Set(
    [...was.values()]
      .filter(({ access }) => access.kind === 'removal' && 'keeps' in access)
      .map(({ partOf }) => partOf),
  );
  const [fresh, gone] = [beyond(is, was), beyond(was, is)];
  const isHeld = ({ isWithheld }: ComparableFact) => isWithheld === undefined;
  return {
    format: 1,
    gains: [...fresh.filter(isHeld), ...gone.filter(fact => !isHeld(fact))].map(publicPart),
    losses: [...gone.filter(isHeld), ...fresh.filter(fact => !isHeld(fact))].map(fact => ({
      ...publicPart(fact),
      ...(fact.partOf !== undefined && kept.has(fact.partOf) && !is.has(fact.partOf) ? { kept: true as const } : {}),
    })),
  };
}

/** What is certain counts once, however often it is said. */
function byKey(facts: readonly ComparableFact[]): Map<string, ComparableFact> {
  const found = new Map<string, ComparableFact>();
  for (const fact of facts) {
    const known = found.get(fact.key);
    if (known === undefined || (known.undecided !== undefined && (fact.undecided ?? '') < known.undecided)) {
      found.set(fact.key, fact);
    }
  }
  return found;
}

/** The facts that the others do not include. */
function beyond(facts: Map<string, ComparableFact>, others: Map<string, ComparableFact>): ComparableFact[] {
  return [...facts.values()].flatMap((fact) => {
    const { key, coveredBy = [], onlyWith, undecided } = fact;
    const same = [key, ...coveredBy].flatMap(each => others.get(each) ?? []);
    const holds = (other: ComparableFact) => other.undecided === undefined || other.undecided === undecided;
    const role = onlyWith === undefined ? fact : others.get(onlyWith);
    const isCompared = role !== undefined && role.undecided === undecided;
    if (same.some(holds) || !isCompared) {
      return [];
    }
    // Where both are undecided for different reasons, or the other alone is, it is not known whether this is a change.
    return [{ ...fact, undecided: undecided ?? same[0]?.undecided }];
  });
}

function publicPart({ at, who, access, undecided }: ComparableFact): AccessFact {
  return { ...(at === undefined ? {} : { at }), who, access, ...(undecided === undefined ? {} : { undecided }) };
}
