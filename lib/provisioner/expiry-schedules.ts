import { CfnResource, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { errorAt } from '../model/errors';
import { shown } from '../model/types';

/** Id of the schedule below a user. */
const SCHEDULE_ID = 'ExpirySchedule';

/** Beginning of the id of the schedule of a membership there; the name of the group follows. */
const MEMBERSHIP_SCHEDULE_ID = 'MembershipExpirySchedule-';

const MINUTE_MS = 60_000;

/** The last leap year that a schedule can name, so that each day is one of it. */
const LAST_YEAR = 2196;

/** Schedules of EventBridge Scheduler that call one alias of the provisioner, and the role with which they do so. */
export class ExpirySchedules extends Construct {
  private readonly group: CfnResource;
  private readonly role: iam.Role;
  private readonly policy: iam.ManagedPolicy;

  constructor(scope: Construct, id: string, private readonly alias: lambda.IAlias) {
    super(scope, id);
    // Not the constructs of CDK: an app without such users is not to load them.
    this.group = new CfnResource(this, 'Group', { type: 'AWS::Scheduler::ScheduleGroup' });
    // https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
    this.role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
        conditions: {
          StringEquals: {
            'aws:SourceAccount': Stack.of(this).account,
            'aws:SourceArn': this.group.getAtt('Arn').toString(),
          },
        },
      }),
      description: 'Lets schedules call the provisioner when the access of a user ends',
    });
    this.policy = new iam.ManagedPolicy(this.role, 'Policy', {
      roles: [this.role],
      statements: [new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [alias.functionArn] })],
    });
  }

  /**
   * Calls the alias at that moment.
   *
   * @param scope the construct of the user, whose resource is to come after the schedule: it would be called once, and
   * before there is a login
   * @param group of which the membership ends; undefined where the access of the user does
   */
  public add(scope: Construct, expiresAt: Date, group?: string): CfnResource {
    const schedule = new CfnResource(scope, group === undefined ? SCHEDULE_ID : `${MEMBERSHIP_SCHEDULE_ID}${group}`, {
      type: 'AWS::Scheduler::Schedule',
      properties: {
        Description: group === undefined
          ? `Ends the access of ${scope.node.path}`.slice(0, 512)
          : `Ends the membership of ${scope.node.path} in ${group}`.slice(0, 512),
        GroupName: this.group.ref,
        ScheduleExpression: scheduleExpression(expiresAt),
        ScheduleExpressionTimezone: 'UTC',
        FlexibleTimeWindow: { Mode: 'OFF' },
        ActionAfterCompletion: 'NONE',
        Target: { Arn: this.alias.functionArn, RoleArn: this.role.roleArn, Input: '{}' },
      },
    });
    schedule.node.addDependency(this.policy);
    return schedule;
  }
}

/**
 * Once at that moment, or in the minute after it, because Scheduler looks at whole minutes. And once more in a year
 * that no user is declared for: whatever Scheduler says of `at(...)` when its time has passed, this has a next time, so
 * that an old template can be deployed again.
 *
 * @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based
 */
export function scheduleExpression(expiresAt: Date): string {
  const minute = new Date(Math.ceil(expiresAt.getTime() / MINUTE_MS) * MINUTE_MS);
  return `cron(${minute.getUTCMinutes()} ${minute.getUTCHours()} ${minute.getUTCDate()} ${minute.getUTCMonth() + 1} ? ${minute.getUTCFullYear()},${LAST_YEAR})`;
}

/** JavaScript checks no types, and takes what is no time for one. @param what whose time it is, where it has no end */
export function requireExpiry(
  scope: Construct,
  value: unknown,
  what = 'a user whose access does not end',
): asserts value is Date {
  const isTime = value instanceof Date && !Number.isNaN(value.getTime());
  if (!isTime) {
    const what = value instanceof Date ? 'is not a time' : `is ${shown(value)}, and must be a time`;
    throw errorAt(scope, `expiresAt ${what}; pass a Date, such as new Date('2027-01-31T12:00:00Z')`);
  }
  const year = value.getUTCFullYear();
  if (year < 1970 || year >= LAST_YEAR) {
    throw errorAt(
      scope,
      `expiresAt ${value.toISOString()} is not allowed: EventBridge Scheduler takes the years from 1970 to ${LAST_YEAR - 1}; `
      + `leave it out for ${what}`,
    );
  }
}
