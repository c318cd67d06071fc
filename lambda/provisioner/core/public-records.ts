import { databaseNameProblem } from '../../../lib/contract/names';
import { distinct, entries, exactly, list, refuse, text, texts, throwProblem } from '../../shared/decode';
import type { Row } from '../sql/row';
import { integer, oidOf, type Place } from './identities';
import { type ManagingResource, sameResource } from './state';
import { decodeTime, encodeTime } from './time';

/** Key of the stored form. */
const PUBLIC_KEY = 'publicPrivileges';
const FORMAT = 1;
const CORRECT = 'correct the row';

/** What is revoked from PUBLIC in one database: CONNECT on it, and CREATE on its schema `public`. */
export const PUBLIC_PRIVILEGES = ['CONNECT', 'CREATE'] as const;
export type PublicPrivilege = typeof PUBLIC_PRIVILEGES[number];

/** Who had granted a privilege to PUBLIC. Null: the owner of the database or schema. */
export type Grantors = readonly (string | null)[];

/** Privileges that a resource revokes from PUBLIC, as the registry has it. */
export interface PublicRecord extends ManagingResource {
  readonly resourceId: string;
  readonly physicalId: string;
  readonly database: string;
  readonly revoked: readonly PublicPrivilege[];
  /** What PUBLIC had before the first resource that revokes it. A privilege that is not there was never looked at. */
  readonly before: { readonly [Privilege in PublicPrivilege]?: Grantors };
  /** What completed events have declared: the latest first, and the one before it. */
  readonly deployed: readonly (readonly PublicPrivilege[])[];
  readonly sent?: number;
  /**
   * Which database had the name, and which of its schemas the name `public`. Trusted on the same server and major
   * version, as in `Identities`.
   */
  readonly identity?: { readonly oid: string; readonly major: number; readonly schema?: string };
}

/** With the name that its database has now. Undefined: it is gone, also where another one has its name. */
export interface LocatedRecord extends PublicRecord {
  readonly now: string | undefined;
}

export interface PublicRows {
  readonly records: PublicRecord[];
  /** Rows that are not understood. */
  readonly unreadable: {
    readonly stack: string;
    readonly logicalId: string;
    readonly database: string;
    readonly problem: string;
  }[];
}

/** The rows among those without a role that are about PUBLIC. */
export function decodePublicRows(rows: Row[]): PublicRows {
  const records: PublicRecord[] = [];
  const unreadable: PublicRows['unreadable'][number][] = [];
  for (const row of rows.filter(isAboutPublic)) {
    const [stack, logicalId, database] = [row.stack, row.logicalId, row.username].map(String);
    try {
      records.push(decodeRecord(row));
    } catch (error) {
      unreadable.push({
        stack, logicalId, database,
        problem:
          `what the registry has of PUBLIC in database ${JSON.stringify(database)} (resource ${logicalId}) is not understood: ${(error as Error).message}. `
          + 'Deploy with the version of the library that wrote it, or delete the row',
      });
    }
  }
  return { records, unreadable };
}

function isAboutPublic({ declarations }: Row): boolean {
  return typeof declarations === 'object' && declarations !== null && PUBLIC_KEY in declarations;
}

export function encodeRecord({ revoked, before, deployed, identity, sent }: PublicRecord): unknown {
  return {
    format: FORMAT,
    [PUBLIC_KEY]: { revoked, before, deployed, ...(identity === undefined ? {} : { identity }) },
    ...(sent === undefined ? {} : { sent: encodeTime(sent) }),
  };
}

function decodeRecord(row: Row): PublicRecord {
  const [stack, stackId, logicalId, resourceId, physicalId, database] = (
    ['stack', 'stackId', 'logicalId', 'resourceId', 'physicalId', 'username'] as const
  ).map(column => text(column, row[column]));
  throwProblem(databaseNameProblem(database));
  const {
    format,
    [PUBLIC_KEY]: stored,
    sent,
  } = exactly('declarations', row.declarations, ['format', PUBLIC_KEY, 'sent']);
  if (format !== FORMAT) {
    refuse(
      'format',
      format,
      `this version of the library knows format ${FORMAT}`,
      'deploy with the version that wrote it',
    );
  }
  const { revoked, before, deployed, identity } = exactly(PUBLIC_KEY, stored, [
    'revoked',
    'before',
    'deployed',
    'identity',
  ]);
  return {
    stack, stackId, logicalId, resourceId, physicalId, database,
    revoked: privilegesIn('revoked', revoked),
    before: Object.fromEntries(
      entries('before', before).map(([privilege, grantors]) => [
        privilegesIn('before', [privilege])[0],
        list('before', grantors).map(grantor => (grantor === null ? null : text('grantor', grantor))),
      ]),
    ),
    deployed: list('deployed', deployed).map(one => privilegesIn('deployed', one)),
    ...identity === undefined ? {} : { identity: decodeIdentity(identity) },
    ...sent === undefined ? {} : { sent: decodeTime('sent', sent, CORRECT) },
  };
}

function decodeIdentity(value: unknown): PublicRecord['identity'] {
  const { oid, major, schema } = exactly('identity', value, ['oid', 'major', 'schema']);
  return {
    oid: oidOf(oid),
    major: integer('identity.major', major),
    ...(schema === undefined ? {} : { schema: oidOf(schema) }),
  };
}

/** @throws if it names something else */
export function privilegesIn(
  where: string,
  value: unknown,
  known: readonly PublicPrivilege[] = PUBLIC_PRIVILEGES,
): PublicPrivilege[] {
  return distinct(texts(where, value)).map(
    word =>
      known.find(one => one === word)
      ?? refuse(where, word, `known are ${known.join(', ')}`, 'name one of them, or update the provisioner'),
  );
}

/**
 * Where the databases of the records are now: the oid says it as long as server and major version are those of the
 * record, the name otherwise.
 */
export function located(
  records: readonly PublicRecord[],
  oids: ReadonlyMap<string, string>,
  place: Place,
): LocatedRecord[] {
  const byOid = new Map([...oids].map(([name, oid]) => [oid, name]));
  return records.map((record) => {
    const trusted = trustedIdentity(record, place);
    return { ...record, now: trusted === undefined ? record.database : byOid.get(trusted.oid) };
  });
}

/**
 * Without what PUBLIC had on a schema `public` of a database, where another schema has that name now.
 *
 * @param schema its oid
 */
export function withoutFormerSchema(
  records: readonly LocatedRecord[],
  { database, schema, place }: { readonly database: string; readonly schema: string; readonly place: Place },
): LocatedRecord[] {
  return records.map((record) => {
    const { before: { CREATE: former, ...before }, now } = record;
    const { schema: recorded = schema } = trustedIdentity(record, place) ?? {};
    return now === database && former !== undefined && recorded !== schema ? { ...record, before } : record;
  });
}

function trustedIdentity({ identity, resourceId }: PublicRecord, place: Place): PublicRecord['identity'] {
  return resourceId === place.resourceId && identity?.major === place.major ? identity : undefined;
}

/**
 * The row of a resource. Another stack of its name that was deleted may have left one: it says what PUBLIC had, and
 * nothing of what this stack has deployed.
 */
export function recordOf<R extends PublicRecord>(self: ManagingResource, records: readonly R[]): R | undefined {
  const found = records.find(one => sameResource(one, self));
  return found === undefined || found.stackId === self.stackId ? found : { ...found, deployed: [] };
}

/**
 * The declaration in force, and the one before it: a deployment updates a resource once, and rolls it back to that one.
 */
export function completed({ deployed, ...record }: PublicRecord): PublicRecord {
  const before = deployed.filter(one => one.join() !== record.revoked.join());
  return { ...record, deployed: [record.revoked, ...before].slice(0, 2) };
}
