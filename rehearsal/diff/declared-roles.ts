import { RoleProperties } from '../../lib/contract/wire';
import { Atom, atomsIn } from './declared-privileges';
import { conditionOf, TemplateValues } from './template-values';

/** Custom resources of this library; group roles had another type before the first release. */
const ROLES = /^Custom::Rds(IamUsers?|GroupRole|Role)$/;

/** A user or group role, by all resources that declare it. */
export interface Role {
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

/** The users and group roles of each cluster or instance, by their names. */
export function rolesByServer(values: TemplateValues): Map<string, Map<string, Role>> {
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
