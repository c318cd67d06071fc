import { strongRole } from '../../lib/contract/predefined-roles';
import { DEFAULT_REMOVAL_ACTION } from '../../lib/contract/wire';
import { ComparableFact, Holder } from './access-diff';
import { Atom } from './declared-privileges';
import { Role } from './declared-roles';
import { TemplateValues } from './template-values';

/** The roles of one cluster or instance. */
export class ServerFacts {
  constructor(
    private readonly server: string,
    private readonly at: string,
    private readonly roles: ReadonlyMap<string, Role>,
    private readonly values: TemplateValues,
  ) {}

  all(): ComparableFact[] {
    return [...this.roles.values()].flatMap(role => this.of(role));
  }

  private of(role: Role): ComparableFact[] {
    const { name, kind, undecided, resources } = role;
    const who: Holder = { kind, name: this.values.readable(name) };
    const itself = this.keyOf(kind, name);
    const fact = (
      access: ComparableFact['access'],
      key: string,
      more: Partial<ComparableFact> = {},
    ): ComparableFact => ({
      at: this.at,
      who,
      access,
      key,
      partOf: itself,
      ...(undecided === undefined ? {} : { undecided }),
      ...more,
    });
    return [
      fact({ kind: 'role' }, itself),
      ...resources.flatMap(({ atoms }) => atoms).map(atom => this.privilege(role, atom, [], fact)),
      ...this.reached(role).flatMap(({ group, through, because }) =>
        this.throughGroup(role, group, through, because, fact),
      ),
      ...resources.flatMap(({ roleAtLogin }) =>
        roleAtLogin === undefined
          ? []
          : [
              fact(
                { kind: 'roleAtLogin', role: this.values.readable(roleAtLogin) },
                this.keyOf('roleAtLogin', name, roleAtLogin),
              ),
            ],
      ),
      ...resources.flatMap(({ properties: { OnRemoval, Exclusive } }) => [
        ...((OnRemoval?.Action ?? DEFAULT_REMOVAL_ACTION) === 'RETAIN'
          ? [fact({ kind: 'removal', keeps: true }, this.keyOf('retain', name), { onlyWith: itself })]
          : []),
        ...(Exclusive === undefined
          ? [fact({ kind: 'byHand' }, this.keyOf('byHand', name), { onlyWith: itself })]
          : []),
      ]),
      ...resources.flatMap(({ memberOf, properties: { MembershipExpiresAt = {} } }) =>
        memberOf.map(group => this.time(name, new Map(Object.entries(MembershipExpiresAt)).get(group), fact, group))),
      ...(kind === 'user' ? resources.map(({ properties: { ExpiresAt } }) => this.time(name, ExpiresAt, fact)) : []),
      ...resources.flatMap(({ newOwner }) => (newOwner === undefined ? [] : [this.inheritance(role, newOwner)])),
    ];
  }

  private throughGroup(
    role: Role,
    group: string,
    through: string[],
    because: string | undefined,
    fact: Fact,
  ): ComparableFact[] {
    const known = this.roles.get(group);
    const more = because === undefined ? {} : { undecided: because };
    const { members: strong } = strongRole(group) ?? {};
    const access = {
      kind: 'membership' as const,
      group: this.values.readable(group),
      through: through.map(each => this.values.readable(each)),
      ...(known ? {} : { managedElsewhere: true as const }),
      ...(strong === undefined ? {} : { strong }),
    };
    const membership = this.keyOf(known ? 'membership' : 'membershipElsewhere', role.name, group);
    const way = [group, ...[...through].reverse()];
    return [
      fact(access, membership, more),
      ...(known?.resources ?? [])
        .flatMap(({ atoms }) => atoms)
        .map(atom => this.privilege(role, atom, way, fact, more)),
    ];
  }

  private privilege(
    { name }: Role,
    atom: Atom,
    way: string[],
    fact: Fact,
    more: Partial<ComparableFact> = {},
  ): ComparableFact {
    const { database, privilege, on, key, coveredBy } = atom;
    const through = way.map(each => this.values.readable(each));
    const keyOf = (each: string) => this.keyOf('privilege', name, each);
    return fact({ kind: 'privilege', database, privilege, on, through }, keyOf(key), {
      coveredBy: coveredBy.map(keyOf),
      ...more,
    });
  }

  /** Of a user, or of a membership. Compared where that is in both apps; of a new one it is said if there is an end. */
  private time(name: string, until: string | undefined, fact: Fact, group?: string): ComparableFact {
    const what = group === undefined ? {} : { memberOf: this.values.readable(group) };
    const key = group === undefined ? ['time', name] : ['membershipTime', name, group];
    if (until === undefined) {
      const membership = group !== undefined && this.roles.has(group) ? 'membership' : 'membershipElsewhere';
      const onlyWith = group === undefined ? this.keyOf('user', name) : this.keyOf(membership, name, group);
      return fact({ kind: 'time', ...what }, this.keyOf(...key), { onlyWith });
    }
    const expired = Date.parse(until) <= Date.now();
    return fact({ kind: 'time', ...what, until, ...(expired ? { expired } : {}) }, this.keyOf(...key, until));
  }

  /** Who gets what a role owns when that is removed. */
  private inheritance(role: Role, newOwner: string): ComparableFact {
    const kind = this.roles.get(newOwner)?.kind ?? 'group role';
    return {
      at: this.at,
      who: { kind, name: this.values.readable(newOwner) },
      access: { kind: 'removal', owned: this.values.readable(role.name) },
      key: this.keyOf('newOwner', role.name, newOwner),
      onlyWith: this.keyOf(role.kind, role.name),
      ...(role.undecided === undefined ? {} : { undecided: role.undecided }),
    };
  }

  /** The groups that a role is in, the nearest first, each with those between. */
  private reached(role: Role): { group: string; through: string[]; because?: string }[] {
    const found = new Map<string, { group: string; through: string[]; because?: string }>();
    let layer = membershipsOf(role).map(group => ({ group, through: [] as string[], because: role.undecided }));
    while (layer.length > 0) {
      const fresh = layer.filter(({ group }) => group !== role.name && !found.has(group));
      fresh.forEach(each =>
        found.set(each.group, { ...each, because: each.because ?? this.roles.get(each.group)?.undecided }),
      );
      layer = fresh.flatMap(({ group, through }) => {
        const next = this.roles.get(group);
        return next
          ? membershipsOf(next).map(each => ({
              group: each,
              through: [...through, group],
              because: found.get(group)?.because,
            }))
          : [];
      });
    }
    return [...found.values()];
  }

  private keyOf(...parts: string[]): string {
    return JSON.stringify([this.server, ...parts]);
  }
}

type Fact = (access: ComparableFact['access'], key: string, more?: Partial<ComparableFact>) => ComparableFact;

function membershipsOf({ resources }: Role): string[] {
  return resources.flatMap(({ memberOf }) => memberOf);
}
