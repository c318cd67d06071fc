import { conditionHolds } from '../iam/condition';
import { ConditionKeys } from '../iam/condition-keys';
import { PatternReader } from '../iam/pattern';
import { Condition, list } from '../iam/policy-document';
import { Invocation } from './lambda-function';
import { nativeResource } from './native-resource';
import { ResourceProvider, ResourceRequest, ResourceState } from './template';

/** What EventBridge Scheduler says of `at(...)` whose time has passed: see docs/unknowns.md#schedule-in-the-past. */
export type PastSchedules = 'refused' | 'accepted';

export interface SchedulerEnvironment {
  readonly pastSchedules: PastSchedules;
  readonly now: () => Date;
  readonly existing: () => ResourceState[];
  readonly allows: (roleArn: string, action: string, resource: string, at: Date) => boolean;
  readonly invoke: (functionArn: string, event: unknown) => Promise<Invocation>;
}

/** One call of a target, or why there was none. */
export interface ScheduledCall {
  readonly logicalId: string;
  readonly refused?: string;
  readonly invocation?: Invocation;
}

interface Target {
  readonly Arn: string;
  readonly RoleArn: string;
  readonly Input?: string;
}

const SERVICE = 'scheduler.amazonaws.com';

/**
 * EventBridge Scheduler with a clock that tests turn. It knows schedules that name their moments: `at(...)`, and
 * `cron(...)` with one minute, hour, day and month and a list of years. Other expressions never come to their time
 * here.
 *
 * @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 */
export class Scheduler {
  /** When each schedule was made, changed or looked at last, by its name: what was before is not made up for. */
  private readonly since = new Map<string, number>();

  constructor(private readonly environment: SchedulerEnvironment) {}

  readonly provider: ResourceProvider = {
    create: async (request) => {
      this.check(request);
      const outcome = await nativeResource.create(request);
      this.since.set(outcome.physicalId, this.sinceOf(request));
      return outcome;
    },
    update: async (request, current) => {
      this.check(request);
      this.since.set(current.physicalId, this.sinceOf(request));
      return nativeResource.update(request, current);
    },
    delete: (stack, state) => nativeResource.delete(stack, state),
  };

  /** Calls the targets whose time has come since this was asked last. */
  async run(): Promise<ScheduledCall[]> {
    const to = this.environment.now().getTime();
    const calls: ScheduledCall[] = [];
    for (const { logicalId, physicalId, properties } of this.environment
      .existing()
      .filter(({ type }) => type === 'AWS::Scheduler::Schedule')) {
      const after = this.since.get(physicalId) ?? to;
      this.since.set(physicalId, to);
      if (
        properties.State !== 'DISABLED'
        && timesOf(properties.ScheduleExpression).some(time => time > after && time <= to)
      ) {
        calls.push({
          logicalId,
          ...(await this.call(properties.Target as Target, (properties.GroupName ?? 'default') as string)),
        });
      }
    }
    return calls;
  }

  private async call(
    { Arn: target, RoleArn: roleArn, Input: input = '{}' }: Target,
    group: string,
  ): Promise<Omit<ScheduledCall, 'logicalId'>> {
    const { allows, invoke, now } = this.environment;
    const refused
      = this.whyNotAssumed(roleArn, group)
        ?? (allows(roleArn, 'lambda:InvokeFunction', target, now())
          ? undefined
          : `${roleArn} may not lambda:InvokeFunction on ${target}`);
    return refused === undefined ? { invocation: await invoke(target, JSON.parse(input)) } : { refused };
  }

  /** What the service looks at when a schedule is made or changed. */
  private check({
    properties: { ScheduleExpression: expression, Target: target, GroupName: group = 'default' },
  }: ResourceRequest): void {
    const { pastSchedules, now } = this.environment;
    const times = timesOf(expression);
    if (pastSchedules === 'refused' && times.length > 0 && times.every(time => time <= now().getTime())) {
      throw new Error(`Invalid Schedule Expression ${String(expression)}: its time has passed (ValidationException)`);
    }
    const refused = this.whyNotAssumed((target as Target).RoleArn, String(group));
    if (refused !== undefined) {
      throw new Error(
        `The execution role you provide must allow AWS EventBridge Scheduler to assume the role: ${refused} (ValidationException)`,
      );
    }
  }

  /** Its trust policy, with its conditions: the service comes with the account, and with the group of the schedule. */
  private whyNotAssumed(roleArn: string, group: string): string | undefined {
    const existing = this.environment.existing();
    const role = existing.find(({ type, attributes }) => type === 'AWS::IAM::Role' && attributes.Arn === roleArn);
    const groupArn = existing.find(
      ({ type, physicalId }) => type === 'AWS::Scheduler::ScheduleGroup' && physicalId === group,
    )?.attributes.Arn as string | undefined;
    const { Statement = [] } = (role?.properties.AssumeRolePolicyDocument ?? {}) as { Statement?: TrustStatement[] };
    const keys = keysOf({ 'aws:sourceaccount': roleArn.split(':')[4], 'aws:sourcearn': groupArn });
    const allowed = list(Statement).some(({ Effect, Action = [], Principal, Condition = {} }) => Effect === 'Allow'
      && list(Action).includes('sts:AssumeRole') && list(Principal?.Service ?? []).includes(SERVICE)
      && conditionHolds(Condition, new PatternReader(true, keys), keys));
    return allowed ? undefined : `the trust policy of ${roleArn} does not let ${SERVICE} assume it for group ${group}`;
  }

  /** One that is accepted with a time in the past is called at once. */
  private sinceOf({ properties: { ScheduleExpression: expression } }: ResourceRequest): number {
    return /^at\(/.test(String(expression)) ? 0 : this.environment.now().getTime();
  }
}

interface TrustStatement {
  readonly Effect: string;
  readonly Action?: string | string[];
  readonly Principal?: { readonly Service?: string | string[] };
  readonly Condition?: Condition;
}

function keysOf(values: Record<string, string | undefined>): ConditionKeys {
  return (name) => {
    if (!Object.hasOwn(values, name.toLowerCase())) {
      throw new Error(`a rehearsal does not know condition key ${name} of a schedule`);
    }
    return { value: values[name.toLowerCase()], types: ['String', 'Arn'] };
  };
}

/** In milliseconds since 1970. */
function timesOf(expression: unknown): number[] {
  const text = String(expression);
  const [, at] = /^at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)$/.exec(text) ?? [];
  if (at !== undefined) {
    return [Date.parse(`${at}Z`)];
  }
  const [, minute, hour, day, month, years]
    = /^cron\((\d+) (\d+) (\d+) (\d+) \? (\d{4}(?:,\d{4})*)\)$/.exec(text) ?? [];
  return years === undefined
    ? []
    : years
        .split(',')
        .map(year => Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute)));
}
