import { isDeepStrictEqual } from 'node:util';
import type { Drift, Login, ResourcePlan } from '../../../lib/contract/look';
import { PUBLIC } from '../core/change';
import type { PublicRecord } from '../core/public-records';
import { type Claim, type Declaration, stackWithoutId } from '../core/state';
import type { PublicRequest } from '../public-request';
import type { Request } from '../request';
import { LOGINS } from '../sql/logins';
import { planning, type PlanOptions } from './plan';

export interface DriftQuestion {
  readonly stackId: string;
  readonly resourceId: string;
  readonly undeclared: boolean;
  /** Logical ids. @default - all resources of the stack */
  readonly only?: string[];
}

/** Compares what completed events have declared with the catalogs. */
export function drift(options: PlanOptions, { stackId, resourceId, undeclared, only }: DriftQuestion): Promise<Drift> {
  const isWanted = ({ logicalId }: { readonly logicalId: string }) => only === undefined || only.includes(logicalId);
  return planning(options, async ({ facts, events, ask }) => {
    const own = facts.claims
      .filter(
        claim => claim.stackId === stackId && claim.resourceId === resourceId && !claim.released && isWanted(claim),
      )
      .sort((a, b) => (a.logicalId < b.logicalId ? -1 : 1));
    const requests = [
      ...together(own).map(requestOf),
      ...facts.ofPublic.records
        .filter(one => one.stackId === stackId && one.resourceId === resourceId && isWanted(one))
        .map(publicRequestOf),
    ];
    const plans = await events(requests);
    const resources = plans.map((plan, index) => ({ ...keptIn(plan), names: requests[index].usernames }));
    const unreadable = [...facts.unreadable, ...facts.ofPublic.unreadable.map(row => ({ ...row, username: PUBLIC }))]
      .filter(row => row.stack === stackWithoutId(stackId) && isWanted(row))
      .map(({ logicalId, username, problem }) => ({ logicalId, names: [username], changes: [], notes: [], problem }));
    const all = [...resources, ...unreadable];
    const declared = new Set(
      facts.claims.flatMap(({ roleName, released }) => (released || roleName === undefined ? [] : [roleName])),
    );
    const [logins] = undeclared ? await ask({ attempted: 'look for logins' }, LOGINS) : [[]];
    return {
      ...only === undefined ? {} : { only },
      resources: all,
      driftedRoles: all.flatMap(({ names, changes, problem }) =>
        problem !== undefined ? names : names.filter(name => changes.some(({ roles }) => roles.includes(name))),
      ).length,
      ...undeclared ? { undeclared: (logins as unknown as Login[]).filter(({ role }) => !declared.has(role)) } : {},
    };
  });
}

/** What an event would leave to PUBLIC is no change, and differs from what is declared. */
function keptIn(plan: ResourcePlan): ResourcePlan {
  const kept = plan.notes.find(({ notice }) => notice === 'not revoked');
  return kept === undefined ? plan : { problem: `${kept.notice}: ${kept.reason}`, ...plan };
}

interface Group {
  readonly claims: Claim[];
  readonly declaration: Declaration;
}

/** Roles of one resource with the same declaration are compared at once. */
function together(claims: Claim[]): Group[] {
  const groups: Group[] = [];
  for (const claim of claims) {
    const declaration = claim.deployed[0] ?? claim.declarations[claim.declarations.length - 1];
    const group
      = declaration
        && groups.find(
          one => one.claims[0].logicalId === claim.logicalId && isDeepStrictEqual(one.declaration, declaration),
        );
    if (group) {
      group.claims.push(claim);
    } else if (declaration) {
      groups.push({ claims: [claim], declaration });
    }
  }
  return groups;
}

/** The event that has declared it, once more. */
function requestOf({ claims, declaration }: Group): Request {
  const [{ stack, stackId, logicalId, resourceId, physicalId }] = claims;
  return {
    action: 'apply',
    resource: { stack, stackId, logicalId },
    resourceId,
    kind: declaration.kind,
    single: false,
    usernames: claims.map(({ username }) => username),
    declaration,
    onRemoval: { action: 'RETAIN' },
    adoptExisting: false,
    physicalId,
    cancelled: false,
  };
}

function publicRequestOf({
  stack,
  stackId,
  logicalId,
  resourceId,
  physicalId,
  database,
  revoked,
}: PublicRecord): PublicRequest {
  const resource = { stack, stackId, logicalId };
  return {
    kind: 'public',
    action: 'apply',
    resource,
    resourceId,
    physicalId,
    database,
    revoked: [...revoked],
    lockOut: [],
    usernames: [PUBLIC],
    cancelled: false,
  };
}
