import type { Resource } from './app/template';

/** Something about a resource that a rule is against, or cannot tell. */
export interface Finding {
  /**
   * Tells findings of one rule about one resource apart, and becomes part of the id: what is found, such as
   * `dbuser:<Cluster.DBClusterResourceId>/*`.
   */
  readonly what?: string;
  /** Only the deployment knows; otherwise the rule is broken. */
  readonly unknown?: boolean;
  /** The value and the rule, in lower case. */
  readonly problem: string;
  /** Path in the resource, such as `Properties/Engine`. */
  readonly location: string;
}

/** What a rule says of a resource: it is not about it, or has nothing against it, or has findings. */
export type Answer = 'NOT_APPLICABLE' | 'COMPLIANT' | Finding[];

export interface Rule {
  /** Permanent: users acknowledge findings by it. */
  readonly id: string;
  /** What to do about a finding. */
  readonly remedy: string;
  /** Whether a finding does not fail the synthesis. */
  readonly isWarning?: boolean;
  /** Where AWS says so. */
  readonly source: string;
  check(resource: Resource): Answer;
}

/** The answer of a rule that is about the resource. */
export function answerOf(findings: Finding[]): Answer {
  return findings.length > 0 ? findings : 'COMPLIANT';
}
