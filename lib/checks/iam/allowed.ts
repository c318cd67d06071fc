import type { Resource } from '../app/template';
import { IdentityPolicy, identityPoliciesOf } from './identity-policies';
import { isAbout, Statement } from './statement';

/** A statement that allows an action, or a document that may have one. */
export interface Allowed {
  readonly policy: IdentityPolicy;
  /** Undefined where the document is known at the deployment only. */
  readonly statement?: Statement;
  /** Only the deployment knows whether it is about the action. */
  readonly unknown: boolean;
  /** Path in the resource. */
  readonly location: string;
}

/** What the policies in a resource allow of an action; conditions and other statements that deny it are not weighed. */
export function allowedIn(carrier: Resource, action: string): Allowed[] {
  return identityPoliciesOf(carrier.template.app).in(carrier).flatMap(policy => allowedBy(policy, action));
}

/** What a policy allows of an action. */
export function allowedBy(policy: IdentityPolicy, action: string): Allowed[] {
  if (!policy.statements) {
    return [{ policy, unknown: true, location: policy.location }];
  }
  return policy.statements
    .map(statement => ({ statement, is: isAbout(statement, action) }))
    .filter(({ is }) => is !== false)
    .map(({ statement, is }) => ({
      policy,
      statement,
      unknown: is === undefined,
      location: policy.awsManaged ? policy.location : `${policy.location}/${statement.location}`,
    }));
}
