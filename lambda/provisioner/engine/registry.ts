import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '../../shared/logger';
import { PATIENCE_MS } from '../budget';
import type { Change } from '../core/change';
import { groupedBy } from '../core/grouped-by';
import { type Identities, together, withRoleRenamed } from '../core/identities';
import { type Decision, type Facts, type Registration, replaces } from '../core/lifecycle';
import { encodeRecord, type PublicRecord } from '../core/public-records';
import { encodeDeclarations } from '../core/registry-rows';
import {
  type Claim,
  type Declaration,
  type ManagingResource,
  sameResource,
  type Server,
  withRenamed,
} from '../core/state';
import { encodeTime } from '../core/time';
import { ProvisionError, ServerError } from '../errors';
import type { Attempt } from '../remedies/server';
import { writePublic } from '../sql/public-privileges';
import { createRegistry, holdRegistry, registry, type RegistryFacts, SECURE_REGISTRY } from '../sql/registry';
import {
  cancel,
  DROP_UNUSED_REGISTRY,
  forget,
  insert,
  NO_ROLE,
  noteSessions,
  type RegistryKey,
  release,
  setDeclarations,
} from '../sql/registry-rows';
import { setTimeouts } from '../sql/session';
import { LOCK_TIMEOUT_MS } from './executed-transaction';
import { checkRegistry } from './registry-check';
import type { Step, Transaction } from './transaction';

const WRITE: Attempt = {
  attempted: 'write the registry',
  needs: 'CREATE on database postgres, and to own the schema cdk_aurora_iam_auth in it once that exists',
};

/**
 * The declaration in force, and the one before it: a deployment updates a resource once, and rolls it back to that one.
 */
const DEPLOYED_KEPT = 2;

/** The same under former names of what they name, until the next event of the resource is complete. */
const NAMES_KEPT = 16;

/** What the names in a declaration stand for. */
type IdentitiesOf = (declaration: Declaration) => Identities | undefined;

/** Who reads the registry for longer does not hold up a deployment: an empty one that stays does no harm. */
const IN_USE_MS = 1_000;

/**
 * Registers which resource manages which role, where that is not done already. In the transaction that changes the
 * roles.
 *
 * @param under way: the declaration is added to what may have been granted, and becomes all of it with `done`
 * @param identities what the names in a declaration stand for now; what is recorded of what may still be granted stays
 * beside it
 * @param owing roles from which something could not be taken back, so that it may still be granted
 */
export function recordSteps(
  phase: 'under way' | 'done',
  facts: Facts,
  records: Registration[],
  owing: ReadonlySet<string> = new Set(),
  identities: IdentitiesOf = () => undefined,
): Step[] {
  const claims = claimsOf(records, facts.claims);
  const rows = records.map((registration) => {
    const replaced = (claims.get(resourceKey(registration)) ?? []).filter(claim => replaces(registration, claim));
    const { declaration, username, sent } = registration;
    const deployed = replaced.flatMap(claim => claim.deployed);
    const before = replaced
      .flatMap(({ declarations }) => declarations)
      .filter(other => !isDeepStrictEqual(other, declaration));
    const now = phase === 'done' ? identities(declaration) : undefined;
    const kept
      = phase === 'done' && !owing.has(username) ? now : together([now, ...replaced.map(claim => claim.identities)]);
    const declared = {
      ...kept === undefined ? {} : { identities: kept },
      declarations: phase === 'done' && !owing.has(username) ? [declaration] : distinct([...before, declaration]),
      deployed: phase === 'done' ? distinct([declaration, ...deployed]).slice(0, DEPLOYED_KEPT) : deployed,
      sent,
      ...replaced.some(({ endSessions }) => endSessions) ? { endSessions: true } as const : {},
      ...registration.existed || replaced.some(({ existed }) => existed) ? { existed: true } as const : {},
    };
    return { registration, replaced, declared };
  });
  return rows.length === 0
    ? []
    : [{
        attempt: WRITE,
        statements: [
          forget([
            ...rows.flatMap(({ replaced }) => replaced),
            ...(phase === 'done' ? cancellations(facts, records) : []),
          ]),
          insert(
            rows.map(({ registration: { stack, stackId, logicalId, resourceId, physicalId, username }, declared }) => ({
              stack,
              stackId,
              logicalId,
              resourceId,
              physicalId,
              username,
              declarations: encodeDeclarations(declared),
            })),
          ),
        ],
      }];
}

/** What is not registered as it is to be; another role may get the name. */
export function unregisteredOf(facts: Facts, { changes, record }: Decision, identities?: IdentitiesOf): Registration[] {
  const named = new Set(
    changes.flatMap(change =>
      change.kind === 'createRole' ? [change.role] : change.kind === 'renameRole' ? [change.to] : [],
    ),
  );
  const claims = claimsOf(record, facts.claims);
  return record.filter(
    wanted =>
      named.has(wanted.username)
      || !(claims.get(resourceKey(wanted)) ?? []).some(
        claim =>
          claim.username === wanted.username
          && claim.stackId === wanted.stackId
          && !claim.released
          && claim.roleName === wanted.username
          && claim.resourceId === wanted.resourceId
          && claim.physicalId === wanted.physicalId
          && isDeepStrictEqual(claim.declarations, [wanted.declaration])
          && (identities === undefined || isDeepStrictEqual(claim.identities, identities(wanted.declaration)))
          && isDeepStrictEqual(claim.deployed[0], wanted.declaration),
      ),
  );
}

/**
 * What others declare about a role goes with its name. What completed events have declared stays beside it: a rollback
 * of another stack declares the former name.
 */
export function renameSteps({ claims }: Facts, changes: Change[]): Step[] {
  const renames = changes.filter(change => change.kind === 'renameRole');
  const inIdentities = (identities: Identities) =>
    renames.reduce((result, { role, to }) => withRoleRenamed(result, role, to), identities);
  const renamed = (declaration: Declaration) =>
    renames.reduce((result, { role, to }) => withRenamed(result, role, to), declaration);
  const deployed = (before: Declaration[]) => distinct([...before.map(renamed), ...before]).slice(0, NAMES_KEPT);
  const changed = (renames.length === 0 ? [] : claims)
    .map(claim => ({
      claim,
      after: {
        ...claim,
        declarations: claim.declarations.map(renamed),
        deployed: deployed(claim.deployed),
        ...(claim.identities ? { identities: inIdentities(claim.identities) } : {}),
      },
    }))
    .filter(({ claim, after }) => !isDeepStrictEqual(claim, after));
  return changed.length === 0
    ? []
    : [{ attempt: WRITE, statements: changed.map(({ after }) => setDeclarations(after, encodeDeclarations(after))) }];
}

/**
 * Puts back what was registered for a resource, and for the roles that are registered for it now.
 *
 * @param complete whether all that was granted since has been taken back; if not, it may be later
 */
export function restoreSteps(self: ManagingResource, facts: Facts, before: Claim[], complete: boolean): Step[] {
  const now = facts.claims.filter(claim => sameResource(claim, self));
  const rows = before
    .filter(claim => sameResource(claim, self) || now.some(({ roleOid }) => roleOid === claim.roleOid))
    .map(claim =>
      now.some(one => one.roleOid === claim.roleOid && one.endSessions)
        ? { ...claim, endSessions: true as const }
        : claim,
    )
    .map(claim =>
      complete
        ? claim
        : {
            ...claim,
            declarations: inForceLast(
              now.filter(({ roleOid }) => roleOid === claim.roleOid),
              claim,
            ),
          },
    );
  return [...forgetSteps(now), ...rows.length > 0 ? [{ attempt: WRITE, statements: [insert(rows.map(stored))] }] : []];
}

/** Looks at the registry within a transaction; what is wrong with it is refused. */
export async function registryExists(transaction: Transaction): Promise<boolean> {
  const { registryOwner, admin } = transaction.server;
  const [[facts]] = await transaction.read(WRITE, registry(registryOwner)) as unknown as [[RegistryFacts]];
  checkRegistry(facts, admin);
  await holdAsItIs(transaction, facts.exists);
  return facts.exists;
}

/**
 * Holds the registry as it is for a transaction that works with it. A registry of the admin can be changed by no other
 * role; a group role has other members.
 */
export async function holdAsItIs(transaction: Transaction, exists: boolean): Promise<void> {
  const { registryOwner, admin } = transaction.server;
  if (!exists || registryOwner === undefined || registryOwner === admin) {
    return;
  }
  try {
    await transaction.executeEndingBlockers(WRITE, ...holdRegistry(registryOwner));
  } catch (error) {
    throw asChanged(error, registryOwner);
  }
}

export function createSteps({ registryOwner, admin }: Server, { defaultGrantees }: RegistryFacts): Step[] {
  return [
    {
      attempt: WRITE,
      statements: createRegistry({ owner: registryOwner, ownerName: registryOwner ?? admin, defaultGrantees }),
    },
  ];
}

/**
 * Brings a registry of an earlier layout to that of this version: row-level security is enabled, and rows get the form
 * that is stored now. A session that has the table open delays the former, and fails no deployment: the next one does
 * it.
 */
export async function bringUpToDate(
  transaction: Transaction,
  { exists, secured }: RegistryFacts,
  { withoutFormat }: Facts,
  log: Logger,
): Promise<void> {
  if (exists && !secured) {
    const secure = () => transaction.execute(WRITE, setTimeouts({ lock_timeout: IN_USE_MS }), SECURE_REGISTRY);
    const busy = await transaction.attempt(secure, ['55P03']);
    if (busy) {
      log.info('not secured', {
        reason:
          'row-level security of the registry could not be enabled, because another session has the table open; the next deployment does it',
      });
    }
    await transaction.execute(WRITE, setTimeouts({ lock_timeout: LOCK_TIMEOUT_MS }));
  }
  if (withoutFormat.length > 0) {
    await transaction.apply([], { attempt: WRITE, statements: [insert(withoutFormat.map(stored))] });
  }
}

export function forgetSteps(claims: RegistryKey[]): Step[] {
  return claims.length === 0 ? [] : [{ attempt: WRITE, statements: [forget(claims)] }];
}

/** Notes of roles whether their sessions are still to end. */
export function sessionsSteps(claims: Pick<RegistryKey, 'roleOid'>[], left: boolean): Step[] {
  return claims.length === 0
    ? []
    : [
        {
          attempt: WRITE,
          statements: [
            noteSessions(
              claims.map(({ roleOid }) => roleOid),
              left,
            ),
          ],
        },
      ];
}

/** Writes what is revoked from PUBLIC. */
export function publicSteps(records: PublicRecord[]): Step[] {
  return records.map(record => ({ attempt: WRITE, statements: [writePublic(record, encodeRecord(record))] }));
}

/** A new resource of that name was created since. */
function cancellations({ cancelled }: Facts, records: Registration[]): RegistryKey[] {
  return cancelled
    .filter(one => records.some(record => sameResource(one, record)))
    .map(({ stack, logicalId }) => ({ roleOid: NO_ROLE, stack, logicalId }));
}

/**
 * Notes that the creation of a resource was cancelled, in a registry that is made for it if need be. Where the admin
 * may not make one, no Create can either.
 *
 * @returns whether there is a registry now
 */
export async function noteCancellation(
  transaction: Transaction,
  facts: RegistryFacts,
  { resource, resourceId, usernames, sentAt }: CancelledResource,
  log: Logger,
): Promise<boolean> {
  const steps = [
    ...facts.exists ? [] : createSteps(transaction.server, facts),
    {
      attempt: WRITE,
      statements: [
        cancel(resource, resourceId, usernames[0] ?? '', sentAt === undefined ? undefined : encodeTime(sentAt)),
      ],
    },
  ];
  const error = await transaction.attempt(() => transaction.apply([], ...steps), ['42501']);
  if (error) {
    log.info('not noted', { reason: `a Create that comes later is not refused: ${error.message}` });
  }
  return facts.exists || error === undefined;
}

interface CancelledResource {
  readonly resource: ManagingResource;
  readonly resourceId: string;
  readonly usernames: string[];
  readonly sentAt?: number;
}

/** Keeps roles registered whose resource is gone, so that the next resource of that name can have them. */
export function keepSteps(claims: Claim[], { keptUnder }: { readonly keptUnder?: string }): Step[] {
  const statement
    = keptUnder === undefined
      ? release(claims)
      : insert(claims.map(claim => stored({ ...claim, physicalId: keptUnder, released: true })));
  return claims.length === 0 ? [] : [{ attempt: WRITE, statements: [statement] }];
}

/**
 * The last role leaves the database as it was. In the message that is committed with, so that it takes none of its own.
 */
export function dropIfUnusedSteps(): Step[] {
  return [{ attempt: WRITE, statements: [setTimeouts({ lock_timeout: IN_USE_MS }), DROP_UNUSED_REGISTRY] }];
}

function stored(claim: Claim): Parameters<typeof insert>[0][number] {
  return { ...claim, declarations: encodeDeclarations(claim) };
}

/** 22012: it was found as it has to be, and is not any more. What it is then, the next look says. */
function asChanged(error: unknown, owner: string): unknown {
  const { cause } = error as Error;
  return cause instanceof ServerError && cause.sqlState === '22012'
    ? new ProvisionError(
        `the registry was changed while it was in use; keep other members of ${JSON.stringify(owner)} from changing it, and deploy again`,
        { retryUntil: PATIENCE_MS, cause: error },
      )
    : error;
}

/** The claims of resources. One of many roles has many. */
function claimsOf(resources: readonly ManagingResource[], claims: readonly Claim[]): ReadonlyMap<string, Claim[]> {
  const ids = new Set(resources.map(({ logicalId }) => logicalId));
  return groupedBy(claims.filter(({ logicalId }) => ids.has(logicalId)), resourceKey);
}

function resourceKey({ stack, logicalId }: ManagingResource): string {
  return JSON.stringify([stack, logicalId]);
}

/** What may still be granted, and behind it what was declared before: the last one counts. */
function inForceLast(now: Claim[], { declarations }: Claim): Declaration[] {
  const others = now
    .flatMap(claim => claim.declarations)
    .filter(one => !declarations.some(other => isDeepStrictEqual(other, one)));
  return distinct([...others, ...declarations]);
}

function distinct(declarations: Declaration[]): Declaration[] {
  return declarations.filter(
    (declaration, index) => declarations.findIndex(other => isDeepStrictEqual(other, declaration)) === index,
  );
}
