import { isDeepStrictEqual } from 'node:util';
import { type ActAs, type Change, type ChangeOf, oneByOne, rolesOf } from './change';
import { relyingThen } from './imagined-connect';
import { databaseAfter, heldBy, privilegesAfter } from './imagined-privileges';
import { type Decision, type Facts, type Registration, replaces } from './lifecycle';
import { graphAfter, type RoleInGraph } from './membership-graph';
import { withNewName } from './new-name';
import type { DatabaseState } from './plan-database';
import { type DatabaseOwner, NEW_ROLE, type ObservedRole } from './plan-shared';
import { withSetting } from './settings';
import { isOfNames, type Planned, PlannedChanges } from './planned-changes';
import type { PublicDecision, PublicState } from './public-privileges';
import { type PublicPrivilege, type PublicRecord, recordOf } from './public-records';
import { type Claim, RDS_IAM, sameResource, withRenamed } from './state';

/** What one change, or what the registry is told with a decision, would have made. */
type Event = Planned | OfPublic | { readonly decision: Decision };

interface OfPublic extends Pick<PublicDecision, 'revokes' | 'grants' | 'forget'> {
  readonly ofPublic: string;
  readonly record?: PublicRecord;
}

/** What roles hold that all databases share. */
export interface SharedState {
  readonly roles: ReadonlyMap<string, ObservedRole>;
  readonly owners: DatabaseOwner[];
}

/**
 * The catalogs and the registry as planned changes would leave them: laid over what they say now, so that one plan
 * builds on another and nothing is executed. It knows what the changes of this library do, and nothing of what a server
 * refuses.
 */
export class Imagined {
  private readonly events: Event[] = [];
  private readonly changes = new PlannedChanges();
  /** By the name that a role has then, the one it has in the catalog; undefined for those that are not there. */
  private today = new Map<string, string | undefined>();
  /** What has been worked out already: hundreds of resources are planned one after the other. */
  private worked?: { readonly from: Facts; readonly events: number; readonly facts: Facts };
  private workedGraph?: {
    readonly from: readonly RoleInGraph[];
    readonly changes: number;
    readonly graph: RoleInGraph[];
  };

  public change(database: string, changes: Change[]): void {
    for (const change of changes) {
      if (change.kind === 'createRole') {
        this.today.set(change.role, undefined);
      } else if (change.kind === 'renameRole') {
        this.today.set(change.to, this.nameToday(change.role));
      }
      this.events.push({ database, change });
      this.changes.add({ database, change });
    }
  }

  public decide(decision: Decision): void {
    this.events.push({ decision });
  }

  public decideOfPublic(database: string, decision: Omit<OfPublic, 'ofPublic'>): void {
    this.events.push({ ...decision, ofPublic: database });
  }

  /** What PUBLIC has then. */
  public ofPublic(
    database: string,
    privilege: PublicPrivilege,
    state: PublicState,
    claims: readonly Claim[],
  ): PublicState {
    const decisions = this.events.filter(
      (event): event is OfPublic => 'ofPublic' in event && event.ofPublic === database,
    );
    const held = decisions.reduce((now, { revokes, grants }) => {
      const [revoked, granted] = [revokes, grants].map(changes => changes.filter(one => one.privilege === privilege));
      const left = now.filter(({ by }) => !revoked.some(one => one.by === by));
      return [
        ...left,
        ...granted.map(({ by, change }) => ({ by, as: null, grantor: null, through: null, ...(change as ActAs) })),
      ];
    }, state.held.map(one => this.heldThen(one)));
    const left = state.relying.flatMap(({ role, ...one }) => {
      const name = this.nameThen(role);
      return name === undefined ? [] : [{ ...one, role: name }];
    });
    const relying
      = privilege === 'CONNECT'
        ? relyingThen(left, database, claims, roles => this.grantsConnect(roles, database))
        : left;
    return { ...state, held, relying };
  }

  private heldThen(held: PublicState['held'][number]): PublicState['held'][number] {
    return Object.fromEntries(
      Object.entries(held).map(([key, name]) => [key, name && (this.nameThen(name) ?? name)]),
    ) as typeof held;
  }

  /** What a role of the catalog is called then; undefined where it is dropped. */
  private nameThen(name: string): string | undefined {
    let then: string | undefined = name;
    for (const { change } of this.changes.ofNames()) {
      if ('role' in change && change.role === then) {
        then = change.kind === 'renameRole' ? change.to : undefined;
      }
    }
    return then;
  }

  /** Does something, and forgets what it has imagined if that fails. */
  public async orForget<T>(work: () => Promise<T>): Promise<T> {
    const [{ length }, { length: changes }] = [this.events, this.changes];
    const today = new Map(this.today);
    try {
      return await work();
    } catch (error) {
      this.events.length = length;
      this.changes.truncate(changes);
      this.today = today;
      this.worked = undefined;
      this.workedGraph = undefined;
      throw error;
    }
  }

  /** What a role that is called so then is called in the catalog; undefined if it is not there. */
  public nameToday(name: string): string | undefined {
    return this.today.has(name) ? this.today.get(name) : name;
  }

  /** Whether a plan gives one of the roles CONNECT on a database, or a role through which it may have it. */
  private grantsConnect(roles: string[], database: string): boolean {
    const isGrant = (change: Change) =>
      change.kind === 'grantRole'
      || (change.kind === 'grant'
        && change.on.type === 'DATABASE'
        && change.on.database === database
        && change.privileges.includes('CONNECT'));
    return this.changes
      .about(roles)
      .some(({ change }) => isGrant(change) && rolesOf(change).some(role => roles.includes(role)));
  }

  public facts(from: Facts): Facts {
    const { events: done, facts: before } = this.worked?.from === from ? this.worked : { events: 0, facts: from };
    const facts = this.events
      .slice(done)
      .reduce(
        (now, event) =>
          'decision' in event
            ? withDecision(now, event.decision)
            : 'ofPublic' in event
              ? withPublic(now, event)
              : withNames(now, event.change),
        before,
      );
    this.worked = { from, events: this.events.length, facts };
    return facts;
  }

  /**
   * What roles of these names hold then.
   *
   * @param read of these and maybe of others, by the names that they have in the catalog
   */
  public shared(names: string[], read: SharedState): SharedState {
    const concerned = this.namesThrough(names);
    const state = { ...read, roles: new Map([...read.roles].filter(([name]) => concerned.has(name))) };
    return this.changes.about(concerned).reduce<SharedState>((now, { change }) => sharedAfter(now, change), state);
  }

  /** Where memberships lead then. */
  public graph(from: readonly RoleInGraph[]): RoleInGraph[] {
    const { changes: done, graph: before }
      = this.workedGraph?.from === from ? this.workedGraph : { changes: 0, graph: from };
    const graph = graphAfter(before, this.changes.since(done).map(({ change }) => change));
    this.workedGraph = { from, changes: this.changes.length, graph };
    return graph;
  }

  /** The same of what they hold in one database, and of its schemas. */
  public inDatabase<State extends DatabaseState>(database: string, names: string[], read: State): State {
    const concerned = this.namesThrough(names);
    const ofThem = ({ role }: { readonly role: string }) => concerned.has(role);
    const isSeen = ({ change, database: where }: Planned) =>
      isOfNames(change)
      || (where === database && (!('roles' in change) || change.roles.some(role => concerned.has(role))));
    const state = { ...read, held: read.held.filter(ofThem), future: read.future.filter(ofThem) };
    return this.changes.about(concerned).filter(isSeen).reduce((now, { change }) => databaseAfter(now, change), state);
  }

  /** With the names that these roles have had before. */
  private namesThrough(names: string[]): ReadonlySet<string> {
    const all = new Set(names);
    for (const { change } of this.changes.ofNames().reverse()) {
      if (change.kind === 'renameRole' && all.has(change.to)) {
        all.add(change.role);
      }
    }
    return all;
  }
}

/** No oid, so that it is none of another role. */
const oidOf = (role: string) => `planned:${role}`;

function withNames(facts: Facts, change: Change): Facts {
  switch (change.kind) {
    case 'createRole': return { ...facts, roles: new Map([...facts.roles, [change.role, oidOf(change.role)]]) };
    case 'dropRole': {
      const named = facts.claims.map(claim =>
        claim.roleName === change.role ? { ...claim, roleName: undefined } : claim,
      );
      return { ...facts, claims: named, roles: new Map([...facts.roles].filter(([name]) => name !== change.role)) };
    }
    case 'renameRole': {
      const { role, to } = change;
      const renamed = (claim: Claim): Claim => ({
        ...claim,
        ...claim.roleName === role ? { roleName: to } : {},
        declarations: claim.declarations.map(declaration => withRenamed(declaration, role, to)),
        deployed: claim.deployed.map(declaration => withRenamed(declaration, role, to)),
      });
      return {
        ...facts,
        claims: facts.claims.map(renamed),
        roles: new Map([...facts.roles].map(([name, oid]) => [name === role ? to : name, oid])),
      };
    }
    default: return facts;
  }
}

function withDecision(facts: Facts, { record, forget }: Decision): Facts {
  const isForgotten = (claim: Claim) => forget.some(one => one.roleOid === claim.roleOid && sameResource(one, claim));
  return record.reduce(withRegistration, { ...facts, claims: facts.claims.filter(claim => !isForgotten(claim)) });
}

function withPublic(facts: Facts, { record, forget }: OfPublic): Facts {
  const [records, written] = [facts.ofPublic.records, record === undefined ? [] : [record]];
  const others = records.filter(one => recordOf(one, [...forget, ...written]) === undefined);
  return { ...facts, ofPublic: { ...facts.ofPublic, records: [...others, ...written] } };
}

function withRegistration(facts: Facts, registration: Registration): Facts {
  const [replaced, others] = [true, false].map(wanted =>
    facts.claims.filter(claim => (sameResource(claim, registration) && replaces(registration, claim)) === wanted),
  );
  const { stack, stackId, logicalId, resourceId, physicalId, username, declaration, sent } = registration;
  const deployed = [declaration, ...replaced.flatMap(claim => claim.deployed)].filter(
    (one, index, all) => all.findIndex(other => isDeepStrictEqual(other, one)) === index,
  );
  const row = {
    stack,
    stackId,
    logicalId,
    resourceId,
    physicalId,
    username,
    sent,
    declarations: [declaration],
    deployed,
    released: false,
  };
  return { ...facts, claims: [...others, { ...row, roleOid: facts.roles.get(username)!, roleName: username }] };
}

function sharedAfter(state: SharedState, change: Change): SharedState {
  switch (change.kind) {
    case 'createRole': {
      const created = { ...NEW_ROLE, role: change.role, oid: oidOf(change.role) };
      return { ...state, roles: new Map([...state.roles, [change.role, created]]) };
    }
    case 'dropRole': return { ...state, roles: new Map([...state.roles].filter(([name]) => name !== change.role)) };
    case 'renameRole': return withNewName(state, change.role, change.to);
    case 'allowLogin':
    case 'forbidLogin':
      return withRoles(state, [change.role], role => ({ ...role, canLogin: change.kind === 'allowLogin' }));
    case 'grantRole': {
      const granted = withRoles(state, change.roles, role => withMembership(role, change));
      const members = change.roles.map(member => ({ member, effective: true, as: null }));
      return withRoles(granted, [change.group], role => ({
        ...role,
        members: [...role.members.filter(one => one.as !== null || !change.roles.includes(one.member)), ...members],
      }));
    }
    case 'revokeRole': {
      const { group, roles, grantor = null, admin } = change;
      const left = (one: ObservedRole['memberships'][number]): ObservedRole['memberships'] =>
        one.group !== group || one.as !== grantor ? [one] : admin ? [{ ...one, admin: false }] : [];
      const taken = withRoles(state, roles, role => ({ ...role, memberships: role.memberships.flatMap(left) }));
      return admin
        ? taken
        : withRoles(taken, [group], role => ({
            ...role,
            members: role.members.filter(one => one.as !== grantor || !roles.includes(one.member)),
          }));
    }
    case 'setParameter':
    case 'limitConnections': return withRoles(state, [change.role], role => withSetting(role, change));
    case 'grant':
    case 'revoke': return oneByOne(change).reduce((now, one) => sharedPrivilege(now, one as typeof change), state);
    default: return state;
  }
}

function withRoles(state: SharedState, names: string[], after: (role: ObservedRole) => ObservedRole): SharedState {
  return {
    ...state,
    roles: new Map([...state.roles].map(([name, role]) => [name, names.includes(name) ? after(role) : role])),
  };
}

function withMembership(role: ObservedRole, { group, options, inherit, admin }: ChangeOf<'grantRole'>): ObservedRole {
  const inherits = role.inherits || options === true || inherit === true || group === RDS_IAM;
  const others = role.memberships.filter(one => one.group !== group || one.as !== null);
  return {
    ...role,
    memberships: [...others, { group, inherits, effective: true, admin: admin === true, as: null, ours: true }],
  };
}

function sharedPrivilege(state: SharedState, change: ChangeOf<'grant' | 'revoke'>): SharedState {
  const { on, roles, privileges: [...privileges] } = change;
  if (on.type === 'PARAMETER' || on.type === 'TABLESPACE') {
    return withRoles(state, roles, role => ({
      ...role,
      others: role.others.filter(
        one => one.on !== on.type || one.name !== on.name || !privileges.includes(one.privilege),
      ),
    }));
  }
  if (on.type !== 'DATABASE') {
    return state;
  }
  const { database } = on;
  return withRoles(state, roles, role => ({
    ...role,
    databases: privilegesAfter(
      role.databases,
      change,
      row => row.database === database,
      privilege => ({ database, privilege, grantable: false, ours: true, ...heldBy(change) }),
    ),
  }));
}
