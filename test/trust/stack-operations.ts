import { ApplyEvent, madeUpId, physicalIdOf, RemoveEvent, ServerState } from './state-model';

/** Two users and a list. */
export const RESOURCES = ['A', 'B', 'L'] as const;
export type Id = (typeof RESOURCES)[number];

/** Usernames by resource. */
export type Template = Readonly<Partial<Record<Id, readonly string[]>>>;

/** Each name is nowhere, or in one resource of the stack; a user has one name. */
export const TEMPLATES: readonly Template[] = [undefined, ...RESOURCES].flatMap(x =>
  [undefined, ...RESOURCES].flatMap((y) => {
    const names = (id: Id) => [...x === id ? ['x'] : [], ...y === id ? ['y'] : []];
    const named = RESOURCES.filter(id => names(id).length > 0);
    return x !== undefined && x === y && x !== 'L' ? [] : [Object.fromEntries(named.map(id => [id, names(id)]))];
  }),
);

/** What CloudFormation knows of a stack. */
export interface Stack {
  readonly template: number;
  readonly physicalIds: Readonly<Partial<Record<Id, string>>>;
}

export type Event = ApplyEvent | RemoveEvent;

/** What CloudFormation is at. */
export interface Operation {
  readonly stack: number;
  readonly phase: 'update' | 'clean-up' | 'rollback' | 'rollback clean-up';
  readonly to: number;
  /** In any order. */
  readonly pending: readonly Event[];
  readonly before: Stack;
  /** What has begun, and of which CloudFormation has not heard yet; `isDone` is what it does not know. */
  readonly unheard: readonly { readonly event: Event; readonly isDone: boolean }[];
  readonly cleanUp: readonly RemoveEvent[];
}

/** A state of the server and of both stacks. */
export interface Node {
  readonly server: ServerState;
  readonly stacks: readonly [Stack, Stack];
  readonly operation?: Operation;
}

/** Events of an earlier operation were sent before those of a later one; a late one before what takes it back. */
export const SENT = { update: 1, cleanUp: 2, rollback: 3, rollbackCleanUp: 4 } as const;

export function begin(node: Node, stack: number, to: number): Node {
  const before = node.stacks[stack];
  const pending = RESOURCES.flatMap((id): ApplyEvent[] => {
    const [usernames, earlier] = [TEMPLATES[to][id], TEMPLATES[before.template][id]];
    return usernames === undefined || usernames.join() === earlier?.join()
      ? []
      : [
          {
            action: 'apply',
            stack,
            id,
            single: id !== 'L',
            usernames,
            former: before.physicalIds[id],
            sent: SENT.update,
          },
        ];
  });
  // Of the operations before, nothing is under way any more.
  const server = {
    ...node.server,
    rows: node.server.rows.map(row => ({ ...row, sent: 0 })),
    cancelled: node.server.cancelled.map(one => ({ ...one, sent: 0 })),
  };
  return { ...node, server, operation: { stack, phase: 'update', to, pending, before, unheard: [], cleanUp: [] } };
}

/** CloudFormation hears of the answer, and with it of the physical id. */
export function known(node: Node, { stack, phase }: Operation, event: Event): readonly [Stack, Stack] {
  const stacks = [...node.stacks] as [Stack, Stack];
  if (event.action === 'apply' && (phase === 'update' || phase === 'rollback')) {
    stacks[stack] = {
      ...stacks[stack],
      physicalIds: { ...stacks[stack].physicalIds, [event.id]: physicalIdOf(event) },
    };
  }
  return stacks;
}

function removal(stack: number, id: Id, usernames: readonly string[], physicalId: string, sent: number): RemoveEvent {
  return { action: 'remove', stack, id, single: id !== 'L', usernames, physicalId, sent };
}

/**
 * What was done goes back: what was updated with an Update, and what was created with a Delete in the clean-up.
 *
 * @param rest what was not begun
 */
export function rolledBack(node: Node, operation: Operation, rest: readonly Event[]): Node {
  const { stack, to, before, unheard } = operation;
  const { physicalIds } = node.stacks[stack];
  const [pending, cleanUp]: [ApplyEvent[], RemoveEvent[]] = [[], []];
  for (const id of RESOURCES) {
    const [usernames, earlier] = [TEMPLATES[to][id], TEMPLATES[before.template][id]];
    if (usernames === undefined || usernames.join() === earlier?.join() || rest.some(event => event.id === id)) {
      continue;
    }
    const isUnheard = unheard.some(({ event }) => event.id === id);
    const now = physicalIds[id];
    if (earlier !== undefined) {
      pending.push({
        action: 'apply',
        stack,
        id,
        single: id !== 'L',
        usernames: earlier,
        former: now,
        sent: SENT.rollback,
      });
      if (now !== before.physicalIds[id]) {
        cleanUp.push(removal(stack, id, usernames, now!, SENT.rollbackCleanUp));
      }
    } else if (isUnheard || now !== undefined) {
      cleanUp.push(removal(stack, id, usernames, isUnheard ? madeUpId(id) : now!, SENT.rollbackCleanUp));
    }
  }
  return { ...node, operation: { ...operation, phase: 'rollback', pending, cleanUp } };
}

export function ended(node: Node, operation: Operation): Node {
  const { stack, phase, to, before, cleanUp } = operation;
  if (phase === 'update') {
    const { physicalIds } = node.stacks[stack];
    const gone = RESOURCES.flatMap((id) => {
      const old = before.physicalIds[id];
      return old !== undefined && (TEMPLATES[to][id] === undefined || physicalIds[id] !== old)
        ? [removal(stack, id, TEMPLATES[before.template][id]!, old, SENT.cleanUp)]
        : [];
    });
    return { ...node, operation: { ...operation, phase: 'clean-up', pending: gone } };
  }
  if (phase === 'rollback') {
    return { ...node, operation: { ...operation, phase: 'rollback clean-up', pending: cleanUp, cleanUp: [] } };
  }
  const stacks = [...node.stacks] as [Stack, Stack];
  const template = phase === 'clean-up' ? to : before.template;
  const physicalIds = Object.fromEntries(
    RESOURCES.filter(id => TEMPLATES[template][id] !== undefined).map(id => [
      id,
      phase === 'clean-up' ? node.stacks[stack].physicalIds[id] : before.physicalIds[id],
    ]),
  );
  stacks[stack] = { template, physicalIds };
  return {
    server: { ...node.server, rows: node.server.rows.map(row => ({ ...row, sent: 0 })), cancelled: [] },
    stacks,
  };
}
