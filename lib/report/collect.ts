import { Stack } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { AccessReport, GroupAccess, OtherSignIn, ServerAccess, SignIn, TagSignIn, UserAccess } from './access-report';
import { principalOf } from './principal';
import { privilegesIn } from './privilege-lines';
import { readable, sortedBy } from './text';
import { DeclaredRole, rolesInDatabase, rolesInStack } from '../model/declared-roles';
import { RoleGraph, strength } from '../model/role-graph';
import { grantsAt, SignInGrant } from '../model/sign-ins';
import { ManagedDatabase } from '../provisioner/managed-database';

/** What the app declares about the users of a stack. */
export function collectAccess(stack: Stack): AccessReport {
  const byDatabase = new Map<IConstruct, DeclaredRole[]>();
  for (const role of rolesInStack(stack)) {
    byDatabase.set(role.database.identity, [...byDatabase.get(role.database.identity) ?? [], role]);
  }
  return {
    format: 1,
    stack: stack.node.path,
    servers: sortedBy([...byDatabase.values()].map(roles => new Server(roles).access()), ({ path }) => path),
  };
}

/** Who may sign in as a user, wherever: at the database, at a replica, or at a proxy. */
export function signInsOf({ identity }: ManagedDatabase, username: string): SignIn[] {
  const { byUsername, fronts } = grantsAt(identity);
  return inOrder([
    ...(byUsername.get(username) ?? []).filter(({ onBehalfOf }) => !onBehalfOf).map(grant => signIn(grant)),
    ...[...fronts.values()].flatMap(({ kind, construct, identity: front }) =>
      (grantsAt(front).byUsername.get(username) ?? []).map(grant => ({ ...signIn(grant), at: { kind, path: construct.node.path } }))),
  ]);
}

/** One cluster or instance, and the roles of one stack there. */
class Server {
  private readonly database: ManagedDatabase;
  private readonly all: readonly DeclaredRole[];
  private readonly graph: RoleGraph;

  constructor(private readonly roles: DeclaredRole[]) {
    this.database = roles[0].database;
    this.all = rolesInDatabase(this.database.identity);
    this.graph = new RoleGraph(this.all.map(role => ({
      names: this.namesOf(role), kind: role.kind === 'role' ? 'group' : 'user', memberOf: this.memberOf(role),
    })));
  }

  public access(): ServerAccess {
    const { path, kind, admin } = this.database;
    return { path, kind, admin, users: this.users(), groups: this.groups(), signInsByTag: this.signInsByTag(), otherSignIns: this.otherSignIns() };
  }

  private users(): UserAccess[] {
    const users = this.roles.filter(({ kind }) => kind !== 'role').flatMap((role) => {
      const common = {
        path: role.scope.node.path,
        exclusive: role.exclusive,
        onRemoval: role.onRemoval,
        memberOf: this.graph.membershipsOf(this.memberOf(role)),
        privileges: privilegesIn(role.declared.Privileges ?? {}),
      };
      return role.names.map(name => ({ name: readable(role.scope, name), ...common, signIns: signInsOf(this.database, name) }));
    });
    return sortedBy(users, ({ name }) => name);
  }

  private groups(): GroupAccess[] {
    const declared = new Map(this.all.flatMap(role => this.namesOf(role).map(name => [name, role])));
    const here = this.roles.filter(({ kind }) => kind === 'role').flatMap(role => this.namesOf(role));
    const reached = this.roles.flatMap(role => this.graph.membershipsOf(this.memberOf(role)).map(({ role: group }) => group));
    return [...new Set([...here, ...reached])].sort().map((name) => {
      const role = declared.get(name);
      return {
        name,
        ...role ? { path: role.scope.node.path } : {},
        ...strength(name),
        exclusive: role?.exclusive ?? false,
        members: sortedBy(this.graph.membersOf(name), member => member.name),
        memberOf: role ? this.graph.membershipsOf(this.memberOf(role)) : [],
        privileges: privilegesIn(role?.declared.Privileges ?? {}),
      };
    });
  }

  private signInsByTag(): TagSignIn[] {
    const { byTag } = grantsAt(this.database.identity);
    return inOrder(byTag.map(grant => ({ ...signIn(grant), tagKey: grant.tagKey ?? '' })));
  }

  private otherSignIns(): OtherSignIn[] {
    const { byUsername, fronts } = grantsAt(this.database.identity);
    const usernames = new Set([byUsername, ...[...fronts.keys()].map(front => grantsAt(front).byUsername)].flatMap(grants => [...grants.keys()]));
    const others = [...usernames].filter(username => !this.database.creates(username) && !this.all.some(({ names }) => names.includes(username)));
    return others.sort().flatMap(username => signInsOf(this.database, username).map(access => ({ username: readable(this.database.identity, username), ...access })));
  }

  private namesOf({ names, scope }: DeclaredRole): string[] {
    return names.map(name => readable(scope, name));
  }

  private memberOf({ declared, scope }: DeclaredRole): string[] {
    return (declared.MemberOf ?? []).map(name => readable(scope, name));
  }
}

/** Asked for several times in a synthesis: for the template, and for the report. */
const SIGN_INS = new WeakMap<SignInGrant, SignIn>();

function signIn(grant: SignInGrant): SignIn {
  const { grantee, until } = grant;
  const access = SIGN_INS.get(grant) ?? { principal: principalOf(grantee), ...until === undefined ? {} : { until } };
  SIGN_INS.set(grant, access);
  return access;
}

/** Without what is there twice: a grant may be repeated. */
function inOrder<Access extends SignIn>(signIns: Access[]): Access[] {
  if (signIns.length < 2) {
    return signIns;
  }
  const unique = new Map(signIns.map(access => [JSON.stringify([access.principal.path ?? '', access]), access]));
  return sortedBy([...unique], ([key]) => key).map(([, access]) => access);
}
