import type { Stack } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import type {
  AccessReport,
  GroupAccess,
  Membership,
  OtherSignIn,
  ServerAccess,
  SignIn,
  TagSignIn,
  UserAccess,
} from './access-report';
import { privilegesIn } from './privilege-lines';
import { sortedBy } from './plain-text';
import { restrictedIn } from './public-lines';
import { settingsIn } from './setting-lines';
import { readable } from './text';
import type { AccessModel, DeclaredDatabase, DeclaredRole, SignInGrant } from '../model/access-model';
import { appAccess, rolesInStack } from '../model/app-access';
import { isExpired } from '../model/expiry';
import { RoleGraph, strength } from '../model/role-graph';

/** What the app declares about the users of a stack. */
export function collectAccess(stack: Stack): AccessReport {
  return reportOf(stack.node.root, stack.node.path, rolesInStack(stack));
}

/** What the app declares about all users, whichever stack or stage creates them. */
export function collectAppAccess(root: IConstruct): AccessReport {
  return reportOf(root, '', [...appAccess(root).rolesByStack.values()].flat());
}

function reportOf(root: IConstruct, stack: string, roles: readonly DeclaredRole[]): AccessReport {
  const byDatabase = new Map<AccessModel, DeclaredRole[]>();
  for (const role of roles) {
    const ofDatabase = byDatabase.get(role.database.model) ?? [];
    byDatabase.set(role.database.model, ofDatabase);
    ofDatabase.push(role);
  }
  const servers = [...byDatabase.values()].map(ofDatabase => new Server(root, ofDatabase, stack).access());
  return { format: 1, stack, servers: sortedBy(servers, ({ path }) => path) };
}

/** Who may sign in as a user, wherever: at the database, at a replica, or at a proxy. */
export function signInsOf({ signIns, endpoints }: AccessModel, username: string): SignIn[] {
  return inOrder([
    ...(signIns.get(username) ?? []).filter(({ onBehalfOf }) => onBehalfOf === undefined).map(signIn),
    ...[...endpoints.values()].flatMap(({ kind, path, model }) =>
      (model.signIns.get(username) ?? []).map(grant => ({ ...signIn(grant), at: { kind, path } }))),
  ]);
}

/** One cluster or instance, and the roles of one stack there. */
class Server {
  private readonly database: DeclaredDatabase;
  private readonly all: readonly DeclaredRole[];
  private readonly graph: RoleGraph;

  constructor(
    private readonly root: IConstruct,
    private readonly roles: DeclaredRole[],
    private readonly stack: string,
  ) {
    this.database = roles[0].database;
    this.all = this.database.model.roles;
    this.graph = new RoleGraph(this.all.map(role => ({
      names: this.namesOf(role), kind: role.kind === 'role' ? 'group' : 'user', memberOf: this.memberOf(role),
    })));
  }

  public access(): ServerAccess {
    const { path, kind, admin, model: { alsoResourceIds } } = this.database;
    const text = (value: string) => readable(this.root, path, value);
    const { resourceId, account, region } = this.database;
    const also = [...alsoResourceIds].map(text).sort();
    const restricted = (this.database.model.restricted ?? [])
      .filter(({ stack }) => this.stack === '' || stack === this.stack)
      .map(restrictedIn);
    return {
      path,
      kind,
      admin,
      resourceId: text(resourceId),
      account: text(account),
      region: text(region),
      ...also.length > 0 ? { alsoResourceIds: also } : {},
      users: this.users(),
      groups: this.groups(),
      ...restricted.length > 0 ? { restrictedPublic: sortedBy(restricted, ({ database }) => database) } : {},
      signInsByTag: this.signInsByTag(),
      otherSignIns: this.otherSignIns(),
    };
  }

  private users(): UserAccess[] {
    const users = this.roles.filter(({ kind }) => kind !== 'role').flatMap((role) => {
      const common = {
        path: role.path,
        exclusive: role.exclusive,
        onRemoval: role.onRemoval,
        ...(role.expiresAt === undefined
          ? {}
          : { expiresAt: role.expiresAt, ...(isExpired(role.expiresAt) ? { expired: true as const } : {}) }),
        memberOf: this.membershipsOf(role),
        privileges: privilegesIn(role.declared.Privileges ?? {}),
        ...role.settings ? { settings: settingsIn(this.root, role.path, role.settings) } : {},
      };
      return role.names.map(name => ({
        name: readable(this.root, role.path, name), ...common, signIns: signInsOf(this.database.model, name),
      }));
    });
    return sortedBy(users, ({ name }) => name);
  }

  private groups(): GroupAccess[] {
    const declared = new Map(this.all.flatMap(role => this.namesOf(role).map(name => [name, role])));
    const here = this.roles.filter(({ kind }) => kind === 'role').flatMap(role => this.namesOf(role));
    const reached = this.roles.flatMap(role =>
      this.graph.membershipsOf(this.memberOf(role)).map(({ role: group }) => group),
    );
    return [...new Set([...here, ...reached])].sort().map((name) => {
      const role = declared.get(name);
      return {
        name,
        ...role ? { path: role.path } : {},
        ...strength(name),
        exclusive: role?.exclusive ?? false,
        members: sortedBy(this.graph.membersOf(name), member => member.name),
        memberOf: role ? this.membershipsOf(role) : [],
        privileges: privilegesIn(role?.declared.Privileges ?? {}),
      };
    });
  }

  private signInsByTag(): TagSignIn[] {
    return inOrder(this.database.model.signInsByTag.map(grant => ({ ...signIn(grant), tagKey: grant.tagKey ?? '' })));
  }

  private otherSignIns(): OtherSignIn[] {
    const { model } = this.database;
    const models = [model, ...[...model.endpoints.values()].map(endpoint => endpoint.model)];
    const usernames = new Set(models.flatMap(({ signIns }) => [...signIns.keys()]));
    const others = [...usernames].filter(username =>
      !model.claims.roleNames.has(username) && !this.all.some(({ names }) => names.includes(username)));
    return others.sort().flatMap(username => signInsOf(model, username)
      .map(access => ({ username: readable(this.root, model.path, username), ...access })));
  }

  private namesOf({ names, path }: DeclaredRole): string[] {
    return names.map(name => readable(this.root, path, name));
  }

  private membershipsOf(role: DeclaredRole): Membership[] {
    return this.graph.membershipsOf(this.memberOf(role)).map((membership) => {
      const expiresAt = membership.through.length === 0 ? role.membershipEnds.get(membership.role) : undefined;
      return expiresAt === undefined
        ? membership
        : { ...membership, expiresAt, ...(isExpired(expiresAt) ? { expired: true as const } : {}) };
    });
  }

  private memberOf({ declared, path }: DeclaredRole): string[] {
    return (declared.MemberOf ?? []).map(name => readable(this.root, path, name));
  }
}

function signIn({ principal }: SignInGrant): SignIn {
  return { principal };
}

/** Without duplicates: a grant may be repeated. */
function inOrder<Access extends SignIn>(signIns: Access[]): Access[] {
  if (signIns.length < 2) {
    return signIns;
  }
  const unique = new Map(signIns.map(access => [JSON.stringify([access.principal.path ?? '', access]), access]));
  return sortedBy([...unique], ([key]) => key).map(([, access]) => access);
}
