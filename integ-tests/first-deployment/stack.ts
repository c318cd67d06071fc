import { Account, STACK } from './account';

export interface StackEvent {
  readonly Timestamp: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceType: string;
  readonly ResourceStatus: string;
  readonly ResourceStatusReason?: string;
}

/** What became of a deployment. */
export interface Deployment {
  readonly status: string;
  readonly id: string;
  readonly outputs: Record<string, string>;
  /** Since it began, the earliest first. */
  readonly events: StackEvent[];
  /** Of what failed by itself, the earliest first. */
  readonly failures: StackEvent[];
}

/** @param began milliseconds since 1970 */
export async function lastDeployment(account: Account, began: number): Promise<Deployment> {
  const {
    Stacks: [stack],
  } = (await account.aws('cloudformation describe-stacks', { '--stack-name': STACK })) as {
    Stacks: { StackId: string; StackStatus: string; Outputs?: { OutputKey: string; OutputValue: string }[] }[];
  };
  const events = await eventsSince(account, stack.StackId, began);
  return {
    status: stack.StackStatus,
    id: stack.StackId,
    outputs: Object.fromEntries((stack.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue])),
    events,
    failures: failuresIn(events),
  };
}

/** @param stackId of a stack that may be deleted already */
export async function eventsSince(account: Account, stackId: string, began: number): Promise<StackEvent[]> {
  const { StackEvents } = (await account.aws('cloudformation describe-stack-events', { '--stack-name': stackId })) as {
    StackEvents: StackEvent[];
  };
  return StackEvents.filter(({ Timestamp }) => Date.parse(Timestamp) >= began - CLOCKS_DIFFER_MS).reverse();
}

/** Between this machine and AWS. A deployment takes much longer. */
const CLOCKS_DIFFER_MS = 5_000;

function failuresIn(events: StackEvent[]): StackEvent[] {
  return events.filter(
    ({ ResourceStatus, ResourceStatusReason = '', LogicalResourceId }) =>
      ResourceStatus.endsWith('_FAILED') && LogicalResourceId !== STACK && !/cancelled$/i.test(ResourceStatusReason),
  );
}

/** Seconds from one status of a resource to another; undefined where one of them is missing. */
export function secondsBetween(
  events: StackEvent[],
  isResource: (event: StackEvent) => boolean,
  first: string,
  last: string,
): number | undefined {
  const its = events.filter(isResource);
  const at = (status: string) => its.find(({ ResourceStatus }) => ResourceStatus === status)?.Timestamp;
  const [from, to] = [at(first), at(last)];
  return from === undefined || to === undefined ? undefined : Math.round((Date.parse(to) - Date.parse(from)) / 1000);
}
