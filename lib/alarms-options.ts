import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';

/** Which alarms there are, and what they do. */
export interface AddAlarmsOptions {
  /**
   * What each of the alarms does when it is raised, such as `new SnsAction(topic)` of `aws-cloudwatch-actions`.
   *
   * @default - nothing: they are seen in the console alone
   */
  readonly action?: cloudwatch.IAlarmAction;

  /**
   * Whether there is no alarm on the provisioner in this stack, as where all users are in other stacks.
   *
   * @default false
   */
  readonly withoutProvisioner?: boolean;
}
