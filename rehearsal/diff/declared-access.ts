import { strongRole } from '../../lib/contract/predefined-roles';
import { DEFAULT_REMOVAL_ACTION, PublicPrivilegesProperties, RoleProperties } from '../../lib/contract/wire';
import { AssemblyStack } from '../cloudformation/cloud-assembly';
import { ComparableFact, Holder } from './access-diff';
import { Place, signInFacts, SignInOptions } from './sign-in-facts';
import { Atom, atomsIn } from './declared-privileges';
import { unreadFact } from './unread-fact';
import { conditionOf, onlySymbol, PROXY_ID, symbolsIn, symbolText, TemplateValues } from './template-values';

/** Custom resources of this library; group roles had another type before the first release. */
const ROLES = /^Custom::Rds(IamUsers?|GroupRole|Role)$/;

const PUBLIC = /^Custom::RdsPublicPrivileges$/;

/** A user or group role, by all resources that declare it. */
interface Role {
  readonly name: string;
  readonly kind: 'user' | 'group role';
  readonly resources: {
    readonly properties: RoleProperties;
    readonly atoms: Atom[];
    readonly memberOf: string[];
    readonly roleAtLogin?: string;
    readonly newOwner?: string;
  }[];

  /** Why it may not be there. */
  readonly undecided?: string;
}

/** What an app declares, by its templates alone: who may sign in as whom, and what each user may do. */
export function declaredAccess(stacks: readonly AssemblyStack[], options: SignInOptions = {}): ComparableFact[] {
  const values = new TemplateValues(stacks);
  const roles = rolesByServer(values);
  const places = placesOf(values, roles);
  return [
    ...[...roles].flatMap(([server, byName]) =>
      new ServerFacts(server, values.named(withoutAttribute(server)), byName, values).all(),
    ),
    ...values.unread.map(resource => unreadFact(resource, values)),
    ...values.ofType(PUBLIC).flatMap(resource => publicFacts(resource, values)),
    ...signInFacts(values, places, options),
  ];
}

/** What PUBLIC does not have in one database. */
function publicFacts(resource: ReturnType<TemplateValues['ofType']>[number], values: TemplateValues): ComparableFact[] {
  const { stack, definition } = resource;
  const { Database, DatabaseName = '', Revoked = {} } = (definition.Properties ?? {}) as Partial<PublicPrivilegesProperties>;
  const server = values.text(stack, Database?.ResourceId);
  const undecided = conditionOf(resource);
  return atomsIn({ [DatabaseName]: Revoked }).map(({ database, privilege, on, key }) => ({
    at: values.named(withoutAttribute(server)),
    who: { kind: 'PUBLIC', name: 'PUBLIC' },
    access: { kind: 'privilege', database, privilege, on, through: [] },
    key: JSON.stringify([server, 'PUBLIC', key]),
    isWithheld: true,
    ...(undecided === undefined ? {} : { undecided }),
  }));
}

function rolesByServer(values: TemplateValues): Map<string, Map<string, Role>> {
  const servers = new Map<string, Map<string, Role>>();
  for (const resource of values.ofType(ROLES)) {
    const { stack, definition } = resource;
    const properties = (definition.Properties ?? {}) as unknown as RoleProperties & {
      Username?: unknown;
      Usernames?: unknown;
      RoleName?: unknown;
    };
    const server = values.text(stack, properties.Database?.ResourceId);
    const byName = servers.get(server) ?? new Map<string, Role>();
    servers.set(server, byName);
    const { ReassignOwnedTo } = properties.OnRemoval ?? {};
    const { RoleAtLogin } = properties.Settings ?? {};
    const declaration = {
      properties,
      atoms: atomsIn(properties.Privileges ?? {}),
      memberOf: values.list(stack, properties.MemberOf),
      ...(RoleAtLogin === undefined ? {} : { roleAtLogin: values.text(stack, RoleAtLogin) }),
      ...(ReassignOwnedTo === undefined ? {} : { newOwner: values.text(stack, ReassignOwnedTo) }),
    };
    const kind = properties.RoleName === undefined ? 'user' : 'group role';
    for (const name of values.list(stack, properties.RoleName ?? properties.Usernames ?? properties.Username)) {
      const known = byName.get(name);
      const undecided = conditionOf(resource);
      byName.set(name, {
        name,
        kind,
        resources: [...(known?.resources ?? []), declaration],
        ...(undecided === undefined || (known && known.undecided === undefined) ? {} : { undecided }),
      });
    }
  }
  return servers;
}

/** Where identities sign in: each database with users, and the replicas and proxies of the app. */
function placesOf(values: TemplateValues, roles: Map<string, Map<string, Role>>): Place[] {
  const usersOf = (server: string | undefined) =>
    [...((server === undefined ? undefined : roles.get(server))?.values() ?? [])]
      .filter(({ kind }) => kind === 'user')
      .map(({ name, undecided }) => ({ name, undecided }));
  const byResource = new Map([...roles.keys()].map(server => [withoutAttribute(server), server]));
  const servers = [...roles.keys()].map(server => ({ id: server, users: usersOf(server) }));
  const replicas = values
    .ofType(/^AWS::RDS::DBInstance$/)
    .flatMap(({ stack, logicalId, definition: { Properties = {} } }) => {
      const source = symbolsIn(values.text(stack, Properties.SourceDBInstanceIdentifier ?? ''))
        .map(symbol => (symbol[0] === 'resource' ? symbolText(['resource', symbol[1], symbol[2], '']) : ''))
        .find(text => byResource.has(text));
      return source === undefined
        ? []
        : [
            {
              id: symbolText(['resource', stack.definition.id, logicalId, 'DbiResourceId']),
              users: usersOf(byResource.get(source)),
            },
          ];
    });
  const proxies = values
    .ofType(/^AWS::RDS::DBProxyTargetGroup$/)
    .flatMap(({ stack, definition: { Properties = {} } }) => {
      const proxy = onlySymbol(values.text(stack, Properties.DBProxyName));
      const targets = [
        ...values.list(stack, Properties.DBClusterIdentifiers),
        ...values.list(stack, Properties.DBInstanceIdentifiers),
      ];
      const server = targets
        .map(target => byResource.get(withoutAttribute(target)))
        .find(each => each !== undefined);
      return proxy?.[0] === 'resource' && server !== undefined
        ? [{ id: symbolText(['resource', proxy[1], proxy[2], PROXY_ID]), users: usersOf(server) }]
        : [];
    });
  return [...servers, ...replicas, ...proxies];
}

/** The resource of which a text is an attribute. */
function withoutAttribute(text: string): string {
  const symbol = onlySymbol(text);
  return symbol?.[0] === 'resource' ? symbolText(['resource', symbol[1], symbol[2], '']) : text;
}

/** The roles of one cluster or instance. */
class ServerFacts {
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
          : [fact({ kind: 'roleAtLogin', role: this.values.readable(roleAtLogin) }, this.keyOf('roleAtLogin', name, roleAtLogin))],
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
