import { Change } from '../../lambda/provisioner/core/change';
import {
  decideAfterRemoval,
  decideApply,
  decideRemove,
  Decision,
  Facts,
  replaces,
} from '../../lambda/provisioner/core/lifecycle';
import { whatOvertook } from '../../lambda/provisioner/core/order';
import { temporaryName } from '../../lambda/provisioner/core/role-names';
import { Claim, Declaration, ManagingResource } from '../../lambda/provisioner/core/state';
import { ProvisionError } from '../../lambda/provisioner/errors';

/** The server as far as names, logins and the registry go, and the decisions of the provisioner carried out on it. */

const CLUSTER = 'cluster-1';
const DECLARED: Declaration = { kind: 'user', memberOf: [], databases: [], exclusive: false };

export interface Row {
  readonly stack: number;
  readonly id: string;
  readonly physicalId: string;
  readonly username: string;
  readonly oid: string;
  readonly released: boolean;
  readonly sent: number;
}

export interface Role {
  readonly oid: string;
  readonly name: string;
  readonly login: boolean;
}

export interface ServerState {
  readonly roles: readonly Role[];
  readonly rows: readonly Row[];
  readonly cancelled: readonly { readonly stack: number; readonly id: string; readonly sent: number }[];
}

export interface ApplyEvent {
  readonly action: 'apply';
  readonly stack: number;
  readonly id: string;
  readonly single: boolean;
  readonly usernames: readonly string[];
  readonly former?: string;
  readonly sent: number;
}

export interface RemoveEvent {
  readonly action: 'remove';
  readonly stack: number;
  readonly id: string;
  readonly single: boolean;
  readonly usernames: readonly string[];
  readonly physicalId: string;
  readonly sent: number;
  /** Of a removal that the provisioner does by itself. */
  readonly keptUnder?: string;
}

/** A role that owns something is not dropped when it is removed. */
export type OnRemoval = 'dropped' | 'kept';

export function physicalIdOf({ id, usernames }: Pick<ApplyEvent, 'id' | 'usernames'>): string {
  return `${CLUSTER}/${usernames.join('+')}/${id}`;
}

const MADE_UP = 'made-up';

/** Of a Delete for a creation that CloudFormation has cancelled. */
export function madeUpId(id: string): string {
  return `${MADE_UP}-${id}`;
}

function resource(stack: number, id: string): ManagingResource {
  const arn = `arn:aws:cloudformation:eu-west-1:123456789012:stack/s${stack}`;
  return { stack: arn, stackId: `${arn}/1`, logicalId: id };
}

function factsOf({ roles, rows, cancelled }: ServerState): Facts {
  const nameOf = new Map(roles.map(({ oid, name }) => [oid, name]));
  return {
    claims: rows.map((row): Claim => {
      const name = nameOf.get(row.oid);
      const roleName = name === row.username || name === temporaryName(row.oid) ? { roleName: name } : {};
      return {
        ...resource(row.stack, row.id),
        ...roleName,
        roleOid: row.oid,
        resourceId: CLUSTER,
        physicalId: row.physicalId,
        username: row.username,
        declarations: [DECLARED],
        deployed: [DECLARED],
        sent: row.sent,
        released: row.released,
      };
    }),
    unreadable: [],
    ofPublic: { records: [], unreadable: [] },
    withoutFormat: [],
    cancelled: cancelled.map(({ stack, id, sent }) => ({ ...resource(stack, id), sent })),
    now: 1_000_000,
    roles: new Map(roles.map(({ name, oid }) => [name, oid])),
    databaseOids: new Map(),
    databases: [],
    closed: [],
  };
}

/** @returns why it is refused, with the server as it was */
export function apply(state: ServerState, event: ApplyEvent): ServerState | string {
  const facts = factsOf(state);
  const self = resource(event.stack, event.id);
  const overtaken = whatOvertook(self, event.sent, 0, facts);
  if (overtaken !== undefined) {
    return overtaken;
  }
  const physicalId = physicalIdOf(event);
  let decision: Decision;
  try {
    decision = decideApply(
      self,
      {
        resourceId: CLUSTER,
        physicalId,
        formerPhysicalId: event.former,
        single: event.single,
        adoptExisting: false,
        sent: event.sent,
        roles: event.usernames.map(username => ({ username, declaration: DECLARED })),
      },
      facts,
    );
  } catch (error) {
    if (error instanceof ProvisionError) {
      return error.message;
    }
    throw error;
  }
  const done = executeDecision(state, facts, decision);
  const others = done.rows.map(row =>
    row.stack === event.stack && row.id === event.id ? { ...row, sent: Math.max(row.sent, event.sent) } : row,
  );
  const recorded = {
    ...done,
    rows: others,
    cancelled: done.cancelled.filter(one => !(one.stack === event.stack && one.id === event.id)),
  };
  return (decision.abandoned ?? []).reduce<ServerState>(
    (server, abandoned) =>
      remove(
        server,
        { ...event, action: 'remove', usernames: [], physicalId: abandoned, keptUnder: physicalId },
        'kept',
      ),
    recorded,
  );
}

export function remove(state: ServerState, event: RemoveEvent, onRemoval: OnRemoval): ServerState {
  const { stack, id, physicalId, single, usernames, sent, keptUnder } = event;
  const self = resource(stack, id);
  const cancelled = physicalId.startsWith(MADE_UP);
  const noted = cancelled ? { ...state, cancelled: [...state.cancelled, { stack, id, sent }] } : state;
  const facts = factsOf(noted);
  return decideRemove(
    self,
    { resourceId: CLUSTER, physicalId, single, usernames: [...usernames], cancelled },
    facts,
  ).reduce<ServerState>((server, removal) => {
    if (removal.kind === 'remove') {
      const { claim } = removal;
      const isRow = (row: Row) => row.oid === claim.roleOid && row.id === id && row.stack === stack;
      const gone: ServerState
        = onRemoval === 'kept'
          ? {
              ...server,
              roles: server.roles.map(role => (role.oid === claim.roleOid ? { ...role, login: false } : role)),
              rows: server.rows.map(row =>
                isRow(row) ? { ...row, released: true, physicalId: keptUnder ?? row.physicalId } : row,
              ),
            }
          : {
              ...server,
              roles: server.roles.filter(({ oid }) => oid !== claim.roleOid),
              rows: server.rows.filter(row => !isRow(row)),
            };
      return { ...gone, roles: changed(gone, decideAfterRemoval(self, factsOf(gone))) };
    }
    return removal.kind === 'handOver' ? executeDecision(server, factsOf(server), removal.decision) : server;
  }, noted);
}

function executeDecision(
  state: ServerState,
  { claims }: Facts,
  { changes, converge, record, forget }: Decision,
): ServerState {
  const login = new Set(converge.map(({ role }) => role));
  const roles = changed(state, changes).map(role => login.has(role.name) ? { ...role, login: true } : role);
  const oidOf = new Map(roles.map(({ name, oid }) => [name, oid]));
  const isGone = new Set<string>();
  const keyOf = (claim: Claim) => JSON.stringify([claim.stack, claim.logicalId, claim.roleOid]);
  forget.forEach(claim => isGone.add(keyOf(claim)));
  for (const registration of record) {
    claims
      .filter(
        claim =>
          claim.stack === registration.stack
          && claim.logicalId === registration.logicalId
          && replaces(registration, claim),
      )
      .forEach(claim => isGone.add(keyOf(claim)));
  }
  const rows = [
    ...state.rows.filter(row => !isGone.has(JSON.stringify([resource(row.stack, row.id).stack, row.id, row.oid]))),
    ...record.map((registration): Row => ({
      stack: Number(registration.stack.slice(-1)), id: registration.logicalId, physicalId: registration.physicalId,
      username: registration.username, oid: oidOf.get(registration.username)!, released: false,
      sent: registration.sent ?? 0,
    })),
  ];
  return { ...state, roles, rows };
}

function changed({ roles, rows }: ServerState, changes: readonly Change[]): Role[] {
  let result = [...roles];
  let last = Math.max(100, ...[...roles, ...rows].map(({ oid }) => Number(oid)));
  for (const change of changes) {
    if (change.kind === 'createRole') {
      const oid = String(++last);
      refuseTaken(result, change.role);
      result.push({ oid, name: change.role, login: false });
    } else if (change.kind === 'renameRole') {
      refuseTaken(result, change.to);
      result = result.map(role => role.name === change.role ? { ...role, name: change.to } : role);
    } else {
      throw new Error(`${change.kind} is not expected`);
    }
  }
  return result;
}

/** As PostgreSQL does. */
function refuseTaken(roles: readonly Role[], name: string): void {
  if (roles.some(role => role.name === name)) {
    throw new Error(`role "${name}" already exists`);
  }
}

/** Oids in the order of names, so that states that differ in oids alone are one. */
export function canonical({ roles, rows, cancelled }: ServerState): ServerState {
  const sorted = [...roles].sort((a, b) => a.name < b.name ? -1 : 1);
  const gone = [...new Set(rows.map(({ oid }) => oid).filter(oid => !roles.some(role => role.oid === oid)))];
  const oids = new Map([
    ...sorted.map(({ oid, name }, n): [string, string] => [
      oid,
      name.startsWith(temporaryName('')) ? `${51 + n}` : name === 'x' ? '11' : name === 'y' ? '12' : `${61 + n}`,
    ]),
    ...gone.map((oid, n): [string, string] => [oid, `${81 + n}`]),
  ]);
  const parked = (name: string, oid: string) => name === temporaryName(oid) ? temporaryName(oids.get(oid)!) : name;
  return {
    roles: sorted.map(({ oid, name, login }) => ({ oid: oids.get(oid)!, name: parked(name, oid), login })),
    rows: rows
      .map(row => ({ ...row, oid: oids.get(row.oid)! }))
      .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    cancelled,
  };
}
