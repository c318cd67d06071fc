import { isDeepStrictEqual } from 'node:util';
import { managedRoleNameProblem, usernameProblem } from '../../../lib/contract/names';
import { distinct, exactly, list, refuse, text, throwProblem } from '../../shared/decode';
import { ProvisionError } from '../errors';
import { deleteRow, grantedNothingKnown, NO_ROLE, type RegistryKey } from '../sql/registry-rows';
import type { Row } from '../sql/row';
import { decodeDeclaration, encodeDeclaration } from './declaration';
import { decodeIdentities } from './identities';
import { decodePublicRows, type PublicRows } from './public-records';
import { temporaryName } from './role-names';
import {
  type Cancellation,
  type Claim,
  type Declaration,
  type ManagingResource,
  type RoleKind,
  stackWithoutId,
} from './state';
import { decodeTime, encodeTime } from './time';

/** The stored form of declarations. Another form is another number. */
export const FORMAT = 1;

/** A row of which something is not understood. Nothing is decided by it, other than that its role is not touched. */
export interface UnreadableRow extends Omit<ManagingResource, 'stackId'> {
  readonly roleOid: string;
  /** The name the role has now; undefined when the role is gone, or goes by a name that we did not give it. */
  readonly roleName?: string;
  /** As it is in the row. */
  readonly username: string;
  readonly released: boolean;
  /** Which resource manages which role, if that much is understood; it has no declarations. */
  readonly claim?: Claim;
  /** What is not understood, and what to do. */
  readonly problem: string;
}

export interface DecodedRows {
  readonly claims: Claim[];
  readonly unreadable: UnreadableRow[];
  /** Those of the claims that are stored in the form that had no format number. */
  readonly withoutFormat: Claim[];
  readonly cancelled: Cancellation[];
  readonly ofPublic: PublicRows;
}

/**
 * Decodes what is stored as strictly as an event. A row that is not understood is no obstacle to other roles.
 *
 * @param rows as `CLAIMS` gives them
 * @param admin name of the admin, which no row can be about
 */
export function decodeRows(rows: Row[], admin: string): DecodedRows {
  const [withoutRole, managing] = [rows.filter(isWithoutRole), rows.filter(row => !isWithoutRole(row))];
  const decoded = managing.map(row => decodeRow(row, admin));
  return {
    cancelled: withoutRole.flatMap(decodeCancellation),
    ofPublic: decodePublicRows(withoutRole),
    claims: decoded.flatMap(row => 'problem' in row ? [] : [row.claim]),
    unreadable: decoded.flatMap(row => 'problem' in row ? [row] : []),
    withoutFormat: decoded.flatMap(row => !('problem' in row) && row.withoutFormat ? [row.claim] : []),
  };
}

type Stored = Pick<Claim, 'declarations' | 'deployed' | 'sent' | 'identities' | 'endSessions' | 'existed'>;

/**
 * What is stored in one column. Without `deployed`, the only declaration is a completed one, and there was none before.
 */
export function encodeDeclarations({
  declarations,
  deployed,
  sent,
  identities,
  endSessions,
  existed,
}: Stored): unknown {
  const encode = (declaration: Declaration) => ({ Kind: declaration.kind, ...encodeDeclaration(declaration) });
  const isFirst = declarations.length <= 1 && isDeepStrictEqual(declarations, deployed);
  return {
    format: FORMAT,
    declarations: declarations.map(encode),
    ...isFirst ? {} : { deployed: deployed.map(encode) },
    ...sent === undefined ? {} : { sent: encodeTime(sent) },
    ...identities === undefined ? {} : { identities },
    ...endSessions ? { endSessions } : {},
    ...existed ? { existed } : {},
  };
}

/** No role has this oid. */
function isWithoutRole({ roleOid }: Row): boolean {
  return roleOid === NO_ROLE;
}

/** One that is not understood is as good as none, and goes when it is too old. */
function decodeCancellation({ stack, stackId, logicalId, declarations }: Row): Cancellation[] {
  try {
    const { sent } = exactly('declarations', declarations, ['format', 'sent']);
    return [
      {
        stack: text('stack', stack),
        stackId: text('stack_id', stackId),
        logicalId: text('logical_id', logicalId),
        sent: decodeTime('sent', sent, CORRECT),
      },
    ];
  } catch {
    return [];
  }
}

function decodeRow(row: Row, admin: string): UnreadableRow | { claim: Claim; withoutFormat: boolean } {
  const key = { roleOid: asText(row.roleOid), stack: asText(row.stack), logicalId: asText(row.logicalId) };
  const raw = { ...key, username: asText(row.username), released: row.released === true };
  let identity: Claim;
  try {
    identity = decodeIdentity(row, admin);
  } catch (error) {
    const named = typeof row.roleName === 'string' ? { roleName: row.roleName } : {};
    return { ...raw, ...named, problem: invalidRow(key, named.roleName, error as Error) };
  }
  try {
    const withoutFormat = Array.isArray(row.declarations);
    const stored = withoutFormat
      ? onlyDeployed(list('declarations', row.declarations).map(decodeWithoutFormat))
      : decodeStored(row.declarations);
    if (stored.declarations.some(({ kind }) => kind === 'user')) {
      throwProblem(usernameProblem(identity.username));
    }
    return { claim: { ...identity, ...stored }, withoutFormat };
  } catch (error) {
    const named = identity.roleName === undefined ? {} : { roleName: identity.roleName };
    return { ...raw, ...named, claim: identity, problem: unknownDeclaration(identity, error as Error) };
  }
}

/** For a message: whatever it is. */
function asText(value: unknown): string {
  return (typeof value === 'string' ? value : JSON.stringify(value) ?? '').replaceAll('\0', '');
}

const WRITER = 'deploy with the version that wrote it';
const CORRECT = 'correct the row';

/** Longer than any id of CloudFormation or RDS. */
const MAX_ID_LENGTH = 1_024;

/** All columns but the declarations. */
function decodeIdentity(row: Row, admin: string): Claim {
  const stackId = id('stack_id', row.stackId);
  const logicalId = id('logical_id', row.logicalId);
  const resourceId = id('resource_id', row.resourceId);
  const physicalId = id('physical_id', row.physicalId);
  const stack = text('stack', row.stack);
  if (stack !== stackWithoutId(stackId)) {
    refuse('stack', stack, `it is not the beginning of stack_id ${JSON.stringify(stackId)}`, CORRECT);
  }
  if (!physicalId.startsWith(`${resourceId}/`) || !physicalId.endsWith(`/${logicalId}`)) {
    refuse('physical_id', physicalId,
      `it does not begin with resource_id ${JSON.stringify(resourceId)} `
      + `and end with logical_id ${JSON.stringify(logicalId)}`, CORRECT);
  }
  const username = text('username', row.username);
  throwProblem(managedRoleNameProblem(username, admin));
  const roleOid = text('role_oid', row.roleOid);
  if (!/^[1-9][0-9]{0,9}$/.test(roleOid)) {
    refuse('role_oid', roleOid, 'it is not an oid', CORRECT);
  }
  const { released } = row;
  if (typeof released !== 'boolean') {
    return refuse('released', released, 'it is neither true nor false', CORRECT);
  }
  // An oid alone does not make a role ours: a database that was copied with pg_dump has the oids of another server.
  const named = row.roleName === username || row.roleName === temporaryName(roleOid) ? { roleName: row.roleName } : {};
  return {
    stack,
    stackId,
    logicalId,
    resourceId,
    physicalId,
    username,
    roleOid,
    ...named,
    declarations: [],
    deployed: [],
    released,
  };
}

function id(column: string, value: unknown): string {
  const found = text(column, value);
  if (found.length === 0 || found.length > MAX_ID_LENGTH) {
    refuse(column, found.slice(0, 100), `it has not 1 to ${MAX_ID_LENGTH} characters`, CORRECT);
  }
  if (/[\u0000-\u001f\u007f-\u009f]/.test(found)) { // eslint-disable-line no-control-regex
    refuse(column, found, 'it contains a control character', CORRECT);
  }
  return found;
}

function decodeStored(value: unknown): Stored {
  const {
    format,
    declarations,
    deployed,
    sent,
    identities: found,
    endSessions,
    existed,
  } = exactly('declarations', value, [
    'format',
    'declarations',
    'deployed',
    'sent',
    'identities',
    'endSessions',
    'existed',
  ]);
  if (format !== FORMAT) {
    refuse('format', format, `this version of the library knows format ${FORMAT}`, WRITER);
  }
  for (const [key, mark] of Object.entries({ endSessions, existed })) {
    if (mark !== undefined && mark !== true) {
      refuse(key, mark, 'it is not true', CORRECT);
    }
  }
  const decoded = decodeList('declarations', declarations);
  const identities = decodeIdentities(found);
  return {
    ...(deployed === undefined
      ? onlyDeployed(decoded)
      : { declarations: decoded, deployed: decodeList('deployed', deployed) }),
    ...sent === undefined ? {} : { sent: decodeTime('sent', sent, CORRECT) },
    ...identities === undefined ? {} : { identities },
    ...endSessions === true ? { endSessions } : {},
    ...existed === true ? { existed } : {},
  };
}

/** With more than one, a change was under way, and it is not known which of them was completed. */
function onlyDeployed(declarations: Declaration[]): Stored {
  return { declarations, deployed: declarations.length === 1 ? declarations : [] };
}

function decodeList(where: string, value: unknown): Declaration[] {
  return list(where, value).map((declaration) => {
    const { Kind: kind, ...properties } = exactly('declaration', declaration, [
      'Kind',
      'Privileges',
      'MemberOf',
      'MembershipExpiresAt',
      'Settings',
      'Exclusive',
      'ExpiresAt',
    ]);
    return decodeDeclaration(kindOf(kind), properties);
  });
}

/** The form without a number was that of the decoded declaration. It is brought into that of an event and decoded. */
function decodeWithoutFormat(value: unknown): Declaration {
  const { kind, memberOf, databases, exclusive }
    = exactly('declaration', value, ['kind', 'memberOf', 'databases', 'exclusive']);
  return decodeDeclaration(kindOf(kind), {
    MemberOf: memberOf,
    Exclusive: bool('exclusive', exclusive),
    Privileges: byKey('database', databases, databaseProperties),
  });
}

function databaseProperties(value: unknown): Entry {
  const { database, privileges, schemas } = exactly('database', value, ['database', 'privileges', 'schemas']);
  return [database, { Database: privileges, Schemas: byKey('schema', schemas, schemaProperties) }];
}

function schemaProperties(value: unknown): Entry {
  const { schema, owner, privileges, tables, columns, sequences, functions, futureObjects } = exactly('schema', value,
    ['schema', 'owner', 'privileges', 'tables', 'columns', 'sequences', 'functions', 'futureObjects']);
  const found = list('columns', columns).map(column => exactly('column', column, ['table', 'name', 'privileges']));
  const tablesWithColumns = distinct(found.map(({ table }) => text('table', table)));
  return [schema, {
    Owner: bool('owner', owner),
    Schema: privileges,
    Tables: byKey('table', tables, namedProperties),
    Columns: Object.fromEntries(tablesWithColumns.map((table) => {
      const ofTable = found.filter(column => column.table === table);
      return [table, byKey('column', ofTable.map(({ name, privileges }) => ({ name, privileges })), namedProperties)];
    })),
    Sequences: byKey('sequence', sequences, namedProperties),
    Functions: byKey('function', functions, namedProperties),
    FutureObjects: byKey('creator', futureObjects, (future) => {
      const { creator, tables, sequences, functions }
        = exactly('future objects', future, ['creator', 'tables', 'sequences', 'functions']);
      return [creator, { Tables: tables, Sequences: sequences, Functions: functions }];
    }),
  }];
}

function namedProperties(value: unknown): Entry {
  const { name, privileges } = exactly('object', value, ['name', 'privileges']);
  return [name, privileges];
}

type Entry = [key: unknown, properties: unknown];

function byKey(what: string, value: unknown, entryOf: (item: unknown) => Entry): { [key: string]: unknown } {
  const found = list(`${what} list`, value).map((item): [string, unknown] => {
    const [key, properties] = entryOf(item);
    return [text(what, key), properties];
  });
  const twice = found.find(([key], index) => found.findIndex(([other]) => other === key) !== index);
  return twice ? refuse(what, twice[0], 'it is listed more than once', CORRECT) : Object.fromEntries(found);
}

/** As CloudFormation spells it. */
function bool(where: string, value: unknown): string {
  return typeof value === 'boolean' ? String(value) : refuse(where, value, 'it is neither true nor false', CORRECT);
}

function kindOf(value: unknown): RoleKind {
  return value === 'user' || value === 'role' ? value : refuse('kind', value, 'known are user, role', WRITER);
}

function unknownDeclaration(claim: Claim, error: Error): string {
  const { username, logicalId, stackId } = claim;
  return `what the registry has of role ${JSON.stringify(username)} (resource ${logicalId} of ${stackId}) `
    + `is not understood: ${reasonOf(error)}. `
    + 'Deploy with the version of the library that wrote it, or run in database postgres, as the owner of the table, '
    + `${grantedNothingKnown(claim, FORMAT)}; `
    + 'and deploy again: the role then gets what is declared, and keeps what it was granted before';
}

function invalidRow(key: RegistryKey, roleName: string | undefined, error: Error): string {
  const role = roleName === undefined ? `oid ${key.roleOid}` : JSON.stringify(roleName);
  return `the registry has a row of role ${role} that is not valid: ${reasonOf(error)}. `
    + 'Nothing is done to this role until the row is corrected, or deleted in database postgres, '
    + `as the owner of the table: ${deleteRow(key)}`;
}

/** What to do comes after it, and a reason is cut at its end. */
const MAX_REASON_LENGTH = 500;

function reasonOf(error: Error): string {
  if (!(error instanceof ProvisionError)) {
    throw error;
  }
  return error.message.length > MAX_REASON_LENGTH ? `${error.message.slice(0, MAX_REASON_LENGTH)}...` : error.message;
}
