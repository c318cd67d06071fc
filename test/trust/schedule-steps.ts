import { Event } from '../../lambda/shared/event';
import { Answer } from '../../lambda/provisioner/handler';
import { Declared, nextTime, Stack } from '../lambda/stack';
import { CHANGED, LIST, NOW, OTHER_LIST, RENAMED, ScheduleWorld, USER } from './schedule-world';

/** An event as CloudFormation sends it: to whoever carries it out, and as often as it is delivered. */
export type Sent = (stack: Stack) => Promise<unknown>;

/** What is deployed: the user of resource A, and the list L. */
export interface Deployed {
  readonly a?: 'user' | 'changed' | 'renamed' | 'expired';
  readonly l: 'list' | 'both' | 'other list';
}

/** An event that is disturbed. */
export interface Step {
  readonly name: string;
  /** What there is before and after it. */
  readonly from: Deployed;
  readonly to: Deployed;
  /** Its event; the same again is delivered twice. */
  readonly event: (world: ScheduleWorld) => Sent;
  /** What CloudFormation sends after it to take it back. */
  readonly takenBack?: (world: ScheduleWorld) => Sent;
  /** Whose access it ends. */
  readonly ends?: readonly string[];
  /** Before it, and after it when everything is checked. Not disturbed. */
  readonly before?: (world: ScheduleWorld) => Promise<unknown>;
  readonly after?: (world: ScheduleWorld) => Promise<unknown>;
}

/** As CloudFormation makes them up for a creation that it has cancelled. */
const MADE_UP = 'shop-A-1ABCDEFGHIJKL';
const HOUR = 3_600_000;

function sent(
  world: ScheduleWorld,
  type: Event['RequestType'],
  id: string,
  declared: Declared,
  physicalId?: string,
): Sent {
  const event = {
    RequestType: type,
    LogicalResourceId: id,
    sentAt: nextTime(),
    ...(physicalId === undefined ? {} : { PhysicalResourceId: physicalId }),
  };
  return async (stack) => {
    const answer: Answer = await stack.send(event, declared);
    world.physicalIds.set(
      JSON.stringify('usernames' in declared ? declared.usernames : declared),
      answer.PhysicalResourceId,
    );
    return answer;
  };
}

const ofUser = (world: ScheduleWorld, username: string) => `${world.server.resourceId}/${username}/A`;
const ofList = (world: ScheduleWorld, { usernames }: typeof LIST) => world.physicalIds.get(JSON.stringify(usernames))!;

const expiring = (world: ScheduleWorld, at: number | undefined) =>
  sent(
    world,
    'Update',
    'A',
    { ...CHANGED, ...(at === undefined ? {} : { expiresAt: new Date(at) }) },
    ofUser(world, 'orders'),
  )(world.stack);

/**
 * For one resource after the other, so that each begins where the one before it ends; the last leads back to the first.
 */
export const CHAINS: readonly (readonly Step[])[] = [
  [
    {
      name: 'create',
      from: { l: 'list' },
      to: { a: 'user', l: 'list' },
      event: world => sent(world, 'Create', 'A', USER),
      takenBack: world => sent(world, 'Delete', 'A', USER, MADE_UP),
    },
    {
      name: 'privileges',
      from: { a: 'user', l: 'list' },
      to: { a: 'changed', l: 'list' },
      event: world => sent(world, 'Update', 'A', CHANGED, ofUser(world, 'orders')),
      takenBack: world => sent(world, 'Update', 'A', USER, ofUser(world, 'orders')),
    },
    {
      name: 'expiry',
      from: { a: 'changed', l: 'list' },
      to: { a: 'expired', l: 'list' },
      ends: ['orders'],
      before: async (world) => {
        await expiring(world, NOW + HOUR);
        world.ahead = 2 * HOUR;
      },
      event: () => stack => stack.expire(),
      after: async (world) => {
        world.ahead = 0;
        await expiring(world, undefined);
      },
    },
    {
      name: 'plan',
      from: { a: 'changed', l: 'list' },
      to: { a: 'changed', l: 'list' },
      event: world => stack => stack.plan(
        { logicalId: 'A', declared: RENAMED, before: CHANGED, physicalId: ofUser(world, 'orders') },
        { logicalId: 'C', declared: { ...USER, username: 'fresh' } },
        { logicalId: 'L', declared: LIST, physicalId: ofList(world, LIST), action: 'Delete' },
      ),
    },
    {
      name: 'rename',
      from: { a: 'changed', l: 'list' },
      to: { a: 'renamed', l: 'list' },
      event: world => sent(world, 'Update', 'A', RENAMED, ofUser(world, 'orders')),
      takenBack: world => sent(world, 'Update', 'A', CHANGED, ofUser(world, 'orders')),
    },
    {
      name: 'clean-up of a rename',
      from: { a: 'renamed', l: 'list' },
      to: { a: 'renamed', l: 'list' },
      event: world => sent(world, 'Delete', 'A', CHANGED, ofUser(world, 'orders')),
    },
    {
      name: 'delete',
      from: { a: 'renamed', l: 'list' },
      to: { l: 'list' },
      ends: ['sales'],
      event: world => sent(world, 'Delete', 'A', RENAMED, ofUser(world, 'sales')),
    },
  ],
  [
    {
      name: 'list',
      from: { l: 'list' },
      to: { l: 'both' },
      event: world => sent(world, 'Update', 'L', OTHER_LIST, ofList(world, LIST)),
      takenBack: world => sent(world, 'Update', 'L', LIST, ofList(world, LIST)),
    },
    {
      name: 'clean-up of a list',
      from: { l: 'both' },
      to: { l: 'other list' },
      ends: ['lea'],
      event: world => sent(world, 'Delete', 'L', LIST, ofList(world, LIST)),
      after: async (world) => {
        await sent(world, 'Update', 'L', LIST, ofList(world, OTHER_LIST))(world.stack);
        await sent(world, 'Delete', 'L', OTHER_LIST, ofList(world, OTHER_LIST))(world.stack);
      },
    },
  ],
];
