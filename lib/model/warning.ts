import { Annotations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** What is allowed and hardly meant. */
export interface Warning {
  /** Permanent: apps acknowledge it. */
  readonly id: string;
  /** Value, rule and remedy, in lower case. */
  readonly text: string;
}

export function warn(scope: IConstruct, warnings: readonly (Warning | undefined)[]): void {
  warnings.forEach(warning => warning && Annotations.of(scope).addWarningV2(warning.id, warning.text));
}
