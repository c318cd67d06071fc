import { Expected } from './stand-in-objects';
import { PolicyDocument } from '../iam/policy-document';
import { PostgresqlMajor } from '../postgresql/binaries';

/** What is known before anything is deployed. Stacks and resources are named by their ids. */
export interface DeploymentPlan {
  /** Whether a resource is deployed for real; others get attributes that are invented. */
  isNeeded(stackId: string, logicalId: string): boolean;
  /** Whether the app has a resource. */
  has(stackId: string, logicalId: string): boolean;
  /** Values of parameters of a stack, by name. */
  parametersOf(stackId: string): Readonly<Record<string, string>>;
  /** Exports of other apps, by name. */
  readonly exports: Readonly<Record<string, string>>;
  /** Parameters of Systems Manager that no stack has, by name. */
  readonly ssm: Readonly<Record<string, string>>;
  /** A managed policy of another app, by its ARN. */
  policy(arn: string): PolicyDocument | undefined;
  /** What users expect of a database that is not of the app or is from a snapshot, by the resource that leads to it. */
  expectedBy(stackId: string, logicalId: string): Expected | undefined;
  /** Majors of PostgreSQL to choose from. */
  readonly majors: readonly PostgresqlMajor[];
}
