import { PolicyDocument } from '../iam/policy-document';
import { AccessFact, ComparableFact } from './access-diff';
import { ConnectResource } from './connect-statements';
import { Identities, Identity } from './identities';
import { assignmentFacts } from './assignment-facts';
import { trustFacts } from './trust-facts';
import { exactly, matches, PolicyPattern } from './policy-pattern';
import { onlySymbol, symbolText } from './symbols';
import { TemplateValues } from './template-values';

/** Where identities sign in, as a policy names it: a cluster, an instance, a replica or a proxy. */
export interface Place {
  /** Its resource id. */
  readonly id: string;

  /** That the app creates there. */
  readonly users: readonly { readonly name: string; readonly undecided?: string }[];
}

export interface SignInOptions {
  /** A managed policy that is not in the app, by its ARN. @default - none is known */
  readonly policies?: (arn: string) => PolicyDocument | undefined;
}

/** Who may sign in as whom, by the policies in the templates; and who may assume the roles that sign in. */
export function signInFacts(
  values: TemplateValues,
  places: readonly Place[],
  { policies = () => undefined }: SignInOptions,
): ComparableFact[] {
  const identities = new Identities(values, policies).all();
  const all = new Map(
    [...places, ...namedPlaces(identities).filter(({ id }) => !places.some(place => place.id === id))].map(
      place => [place.id, place],
    ),
  );
  return identities.flatMap((identity) => {
    const facts = [...new IdentityFacts(identity, [...all.values()], values).all()];
    const who = facts.length > 0 ? [...trustFacts(identity, values), ...assignmentFacts(identity, values)] : [];
    return [...facts, ...who, ...unknownFacts(identity, values)];
  });
}

/** Places that only policies know. */
function namedPlaces(identities: readonly Identity[]): Place[] {
  const ids = identities.flatMap(({ documents }) =>
    documents.flatMap(({ statements }) =>
      statements.flatMap(({ resources }) => resources.flatMap(({ id }) => exactly(id) ?? [])),
    ),
  );
  return [...new Set(ids)].map(id => ({ id, users: [] }));
}

/** What one identity signs in as. */
class IdentityFacts {
  private readonly allows: (ConnectResource & { undecided?: string })[];
  private readonly denies: ConnectResource[];

  constructor(
    private readonly identity: Identity,
    private readonly places: readonly Place[],
    private readonly values: TemplateValues,
  ) {
    this.allows = this.resources('Allow');
    this.denies = this.resources('Deny');
  }

  all(): ComparableFact[] {
    return this.allows.flatMap((allow) => {
      const id = exactly(allow.id);
      const reached = this.places
        .map(place => ({
          place,
          match: id === undefined ? this.reaches(allow, place) : id === place.id ? ('yes' as const) : ('no' as const),
        }))
        .filter(({ place, match }) => match !== 'no' && this.isThere(allow, place) !== 'no');
      return [
        ...(id === undefined ? [this.patternFact(allow)] : []),
        ...reached.flatMap(({ place, match }) =>
          this.at(
            place,
            allow,
            match === 'maybe' ? 'its policy may be about another database' : undefined,
            id !== undefined,
          ),
        ),
      ];
    });
  }

  private at(place: Place, allow: ConnectResource, because: string | undefined, isNamed: boolean): ComparableFact[] {
    const username = exactly(allow.username);
    if (username !== undefined) {
      const user = place.users.find(({ name }) => name === username);
      return user || isNamed ? this.signIn(place, username, user, allow.undecided ?? because) : [];
    }
    const isTag = allow.username.variables.length > 0;
    const expanded = isTag
      ? this.tagged(allow).flatMap(({ value, undecided }) => {
          const user = place.users.find(({ name }) => name === value);
          return user || isNamed ? this.signIn(place, value, user, allow.undecided ?? because ?? undecided) : [];
        })
      : place.users.flatMap((user) => {
          const match = matches(allow.username, user.name);
          return match === 'no'
            ? []
            : this.signIn(
                place,
                user.name,
                user,
                allow.undecided ?? because ?? (match === 'maybe' ? 'its policy may be about another user' : undefined),
              );
        });
    return [...(isNamed ? [this.patternFact(allow, place)] : []), ...expanded];
  }

  /** The usernames in a tag that the app gives to the identity itself. */
  private tagged({ username }: ConnectResource): { readonly value: string; readonly undecided?: string }[] {
    const tag = tagIn(username);
    return (tag === undefined ? undefined : this.identity.tags.get(tag.toLowerCase())) ?? [];
  }

  private signIn(
    place: Place,
    username: string,
    user: Place['users'][number] | undefined,
    because: string | undefined,
  ): ComparableFact[] {
    const denied = this.denial(place, username);
    if (denied === 'yes') {
      return [];
    }
    const bounded = this.bound(place, username);
    if (bounded === 'no') {
      return [];
    }
    const undecided
      = because
        ?? (denied === 'maybe' ? 'a Deny statement may refuse it' : undefined)
        ?? (bounded === 'maybe' ? 'its permissions boundary may refuse it' : undefined)
        ?? user?.undecided;
    const keyOf = (kind: string) => JSON.stringify([place.id, 'signIn', kind, this.identity.key, username]);
    const known = user !== undefined;
    return [
      this.fact(
        { kind: 'signIn', as: this.values.readable(username), user: known ? 'declared' : 'other' },
        keyOf(known ? 'declared' : 'other'),
        undecided,
        place,
        known ? [] : [keyOf('declared')],
      ),
    ];
  }

  private patternFact(allow: ConnectResource, place?: Place): ComparableFact {
    const tag = tagIn(allow.username);
    const as = tag ?? this.values.readable(allow.username.source);
    const restricted
      = this.denies.length > 0
        ? 'a Deny statement may refuse some'
        : this.identity.boundary === undefined
          ? undefined
          : 'its permissions boundary may refuse some';
    const key = (...parts: string[]) => JSON.stringify(['pattern', ...parts, this.identity.key]);
    // The id of a database says where it is.
    const parts = place
      ? [place.id, allow.username.source]
      : [allow.id, allow.username, allow.region, allow.account].map(({ source }) => source);
    const wider = parts.reduce<string[][]>(
      (all, part) => all.flatMap(before => [[...before, part], [...before, '*']]),
      [[]],
    );
    return this.fact(
      { kind: 'signIn', as, user: tag === undefined ? 'pattern' : 'tag' },
      key(...parts),
      allow.undecided ?? restricted,
      place,
      wider.flatMap(each => place ? [key(...each), key(...each, '*', '*')] : [key(...each)]),
    );
  }

  private fact(
    access: AccessFact['access'],
    key: string,
    undecided: string | undefined,
    place: Place | undefined,
    coveredBy: string[],
  ): ComparableFact {
    return {
      ...(place ? { at: placeName(this.values, place) } : {}),
      who: this.identity.who,
      access,
      key,
      coveredBy,
      ...(undecided === undefined ? {} : { undecided }),
    };
  }

  private denial(place: Place, username: string): 'yes' | 'maybe' | 'no' {
    return most(
      this.denies.map(deny =>
        least([
          this.reaches(deny, place),
          matches(deny.username, username),
          this.isThere(deny, place),
          deny.undecided === undefined ? 'yes' : 'maybe',
        ]),
      ),
    );
  }

  private bound(place: Place, username: string): 'yes' | 'maybe' | 'no' {
    const { boundary } = this.identity;
    if (boundary === undefined || boundary === 'unknown') {
      return boundary === undefined ? 'yes' : 'maybe';
    }
    return most(
      boundary.statements
        .filter(({ effect }) => effect === 'Allow')
        .flatMap(({ resources, undecided }) =>
          resources.map(resource =>
            least([
              this.reaches(resource, place),
              matches(resource.username, username),
              (undecided ?? resource.undecided ?? boundary.undecided) === undefined ? 'yes' : 'maybe',
            ]),
          ),
        ),
    );
  }

  private reaches({ id }: ConnectResource, place: Place): 'yes' | 'maybe' | 'no' {
    const itself = matches(id, place.id);
    const prefix = prefixOf(place.id);
    return itself !== 'maybe' || prefix === undefined ? itself : matches(id, `${prefix}${place.id}`);
  }

  /** Where a stack leaves its Region or account open, a statement that names one may be about it. */
  private isThere({ region, account }: ConnectResource, place: Place): Match {
    const symbol = onlySymbol(place.id);
    const stack = symbol?.[0] === 'resource' ? this.values.stackOf(symbol[1]) : undefined;
    // Nothing is known of a place that only policies name, nor does anything depend on it.
    const is = (pattern: PolicyPattern, known: string | undefined, name: string): Match =>
      stack === undefined ? 'yes' : matches(pattern, known ?? symbolText(['name', name]));
    return least([is(region, stack?.region, 'AWS::Region'), is(account, stack?.account, 'AWS::AccountId')]);
  }

  private resources(effect: string): ConnectResource[] {
    const { documents, boundary } = this.identity;
    const ofBoundary = effect === 'Deny' && boundary !== undefined && boundary !== 'unknown' ? [boundary] : [];
    return [...documents, ...ofBoundary].flatMap(document =>
      document.statements
        .filter(statement => statement.effect === effect)
        .flatMap(statement =>
          statement.resources.map((resource) => {
            const undecided = document.undecided ?? statement.undecided ?? resource.undecided;
            return undecided === undefined ? resource : { ...resource, undecided };
          }),
        ),
    );
  }
}

/** The key of the tag that a whole username is. */
function tagIn({ source }: PolicyPattern): string | undefined {
  return /^\$\{aws:PrincipalTag\/([^}]*)\}$/i.exec(source)?.[1];
}

type Match = 'yes' | 'maybe' | 'no';
const ORDER: Match[] = ['no', 'maybe', 'yes'];

function most(matches: Match[]): Match {
  return [...ORDER].reverse().find(match => matches.includes(match)) ?? 'no';
}

function least(matches: Match[]): Match {
  return ORDER.find(match => matches.includes(match)) ?? 'yes';
}

/** What the id of a resource begins with, whichever it is. */
function prefixOf(id: string): string | undefined {
  const symbol = onlySymbol(id);
  const prefixes: Record<string, string | undefined> = {
    DBClusterResourceId: 'cluster-',
    DbiResourceId: 'db-',
    ProxyId: 'prx-',
  };
  return symbol?.[0] === 'resource' ? prefixes[symbol[3]] : undefined;
}

function placeName(values: TemplateValues, { id }: Place): string {
  return values.named(id);
}

function unknownFacts({ who, key, unknownPolicies }: Identity, values: TemplateValues): ComparableFact[] {
  return [...unknownPolicies].map((policy): ComparableFact => ({
    who,
    access: { kind: 'unknown', text: `whatever managed policy ${values.readable(policy)} allows` },
    key: JSON.stringify(['policy', key, policy]),
    undecided: 'its statements are in none of the templates; pass --policy <arn>=<file>',
  }));
}
