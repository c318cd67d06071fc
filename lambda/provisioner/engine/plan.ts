import type { Note, Plan, PlannedChange, ResourcePlan } from '../../../lib/contract/look';
import type { Logger } from '../../shared/logger';
import type { Budget } from '../budget';
import { identityQuestion, rolesIn } from '../core/identities';
import { Journal } from '../core/journal';
import type { Facts } from '../core/lifecycle';
import { schemasOf } from '../core/plan-database';
import { type Declaration, FIXED_DATABASE, type Server } from '../core/state';
import { ProvisionError } from '../errors';
import type { PublicRequest } from '../public-request';
import type { Request } from '../request';
import { ADMIN, SERVER } from '../sql/catalog';
import { LOCK_HOLDERS } from '../sql/lock-schema';
import { registry, type RegistryFacts } from '../sql/registry';
import type { AdminMembership } from '../sql/render';
import type { AdminAccess } from '../transport/session';
import { apply, deleteOf } from './apply';
import { Catalogs } from './catalogs';
import { readFacts } from './inspect';
import { startsOf } from './memberships';
import { PlannedTransaction, type PlannedTransactionContext } from './planned-transaction';
import { planRemoval } from './plan-removal';
import { applyPublic, removePublic } from './public-privileges';
import { PlanView } from './plan-view';
import { checkRegistry } from './registry-check';
import { Sessions } from './sessions';
import type { Work } from './work';

export interface PlanOptions {
  readonly access: AdminAccess;
  readonly registryOwner?: string;
  readonly resourceId: string;
  readonly budget: Budget;
  readonly log: Logger;
}

/** What is asked of the catalogs when a plan begins. */
export interface Planning {
  readonly facts: Facts;
  /** Plans the events one after the other, each with what those before it would have made. */
  readonly events: (requests: (Request | PublicRequest)[]) => Promise<ResourcePlan[]>;
  /** Asks the fixed database. */
  readonly ask: PlannedTransaction['read'];
}

/**
 * Reads what there is, without the provisioners' lock and without changing anything, and works out what events would
 * do.
 *
 * The plan of an event is made by the code that carries it out. It differs from what is executed where others change
 * the catalog meanwhile, and where the server refuses something.
 */
export async function planning<T>(
  options: PlanOptions,
  work: (planning: Planning) => Promise<T>,
): Promise<T & Omit<Plan, 'resources'>> {
  const { access, budget, registryOwner } = options;
  const catalogs = new Catalogs(access.open, budget);
  try {
    const [[found], [registryFound], [lock], [admin]] = await catalogs.read(
      FIXED_DATABASE,
      { attempted: 'look at the server' },
      [SERVER, registry(registryOwner), LOCK_HOLDERS, ADMIN],
    );
    const server: Server = { ...found as unknown as Server, registryOwner };
    const registryFacts = registryFound as unknown as RegistryFacts;
    checkRegistry(registryFacts, server.admin);
    // A superuser counts as a member of each role; no other admin is one of a role that it creates.
    const context = {
      server,
      catalogs,
      view: new PlanView(),
      adminMembershipInNew: (admin.isSuperuser ? 'held' : 'none') as AdminMembership,
    };
    const transaction = new PlannedTransaction(FIXED_DATABASE, { ...context, planned: [] });
    const facts = await readFacts(transaction, registryFacts.exists);
    const result = await work({
      facts,
      ask: (attempt, ...queries) => transaction.read(attempt, ...queries),
      events: requests => planEvents(options, { ...context, registryFacts, facts }, requests),
    });
    return {
      ...result,
      server: { admin: server.admin, version: server.version },
      ...(lock.holders === null ? {} : { underWay: lock.holders as string }),
    };
  } finally {
    await catalogs.close();
  }
}

/** An event, or why it is none. */
export type PlannedEvent = Request | PublicRequest | Required<Pick<ResourcePlan, 'logicalId' | 'problem'>>;

export function plan(options: PlanOptions, planned: PlannedEvent[]): Promise<Plan> {
  const refused = planned.flatMap(event => 'problem' in event ? [{ ...event, changes: [], notes: [] }] : []);
  const requests = planned.flatMap(event => 'problem' in event ? [] : [event]);
  return planning(options, async ({ events }) => ({ resources: [...refused, ...await events(requests)] }));
}

interface Context extends Omit<PlannedTransactionContext, 'planned'> {
  readonly registryFacts: RegistryFacts;
  readonly facts: Facts;
}

async function planEvents(
  options: PlanOptions,
  context: Context,
  requests: (Request | PublicRequest)[],
): Promise<ResourcePlan[]> {
  const { view: { imagined } } = context;
  askForAll(context, requests.filter(request => request.kind !== 'public'));
  const plans: ResourcePlan[] = [];
  // CloudFormation deletes once everything else is done.
  for (const request of [
    ...requests.filter(({ action }) => action === 'apply'),
    ...requests.filter(({ action }) => action === 'remove'),
  ]) {
    const planned: PlannedChange[] = [];
    const notes: Note[] = [];
    const work = workOf(options, context, planned, notes);
    const { logicalId } = request.resource;
    try {
      await imagined.orForget(async () => {
        if (request.kind === 'public') {
          await (request.action === 'apply' ? applyPublic(work, request, new Journal()) : removePublic(work, request));
          return;
        }
        const decision
          = request.action === 'apply' ? await apply(work, request, new Journal()) : await planRemoval(work, request);
        imagined.decide(decision);
        for (const physicalId of decision.abandoned ?? []) {
          imagined.decide(await planRemoval(work, deleteOf(request, physicalId)));
        }
      });
      plans.push({ logicalId, changes: planned, notes });
    } catch (error) {
      // What says nothing of the event is tried again, with all of them.
      if (!(error instanceof ProvisionError) || error.retryUntil > 0) {
        throw error;
      }
      plans.push({ logicalId, changes: [], notes, problem: error.message });
    }
  }
  return plans;
}

/** So that each database is asked once, for all resources. */
function askForAll({ view, facts }: Context, requests: Request[]): void {
  const names = requests.flatMap(({ usernames }) => usernames);
  const concerned = facts.claims.filter(
    claim => names.includes(claim.username) || requests.some(({ resource }) => resource.logicalId === claim.logicalId),
  );
  const roles = [...names, ...concerned.flatMap(({ roleName }) => roleName ?? [])];
  const previous = concerned.flatMap(({ declarations, identities }) =>
    declarations.map(declaration => ({ ...declaration, identities })),
  );
  const declared = [...new Set(requests.map(({ declaration }) => declaration))];
  const all: Declaration[] = [...declared, ...previous];
  const exclusive = requests.filter(({ declaration }) => declaration.exclusive).flatMap(({ usernames }) => usernames);
  const databases = [...new Set(all.flatMap(one => one.databases.map(({ database }) => database)))];
  view.roles([...roles, ...all.flatMap(rolesIn)]);
  view.names({
    names: roles,
    databases,
    exclusive,
    groups: [...new Set(requests.flatMap(({ declaration, usernames }) => startsOf(declaration, usernames)))],
  });
  const wanted = all.map(declaration => ({ role: '', declaration, previous: [], deployed: [] }));
  for (const database of databases) {
    view.question(database, {
      roles,
      schemas: schemasOf(database, wanted),
      identities: identityQuestion(database, declared, previous),
      everything: exclusive.length > 0,
    });
  }
}

/** What the engine works with, of which nothing executes anything. */
function workOf(
  { access, budget, log, resourceId }: PlanOptions,
  context: Context,
  planned: PlannedChange[],
  notes: Note[],
): Work {
  const { server, registryFacts } = context;
  const unused = () => Promise.resolve([]);
  return {
    lock: {
      server,
      registry: registryFacts,
      mayBeLast: false,
      fence: '',
      blockersOf: unused,
      endBlockersOf: () => Promise.resolve(),
    },
    sessions: new Sessions(access, budget, log),
    budget,
    log: { info: (notice, fields) => void notes.push({ notice, ...fields }) },
    registryExists: registryFacts.exists,
    resourceId,
    inDatabase: (_, database, body) => body(new PlannedTransaction(database, { ...context, planned })),
  };
}
