import type { Resource } from '../app/template';
import { type IdentityPolicy, identityPoliciesOf } from './identity-policies';
import { isAbout, type Statement } from './statement';

/** A statement about actions, or a document that may have one. */
export interface Allowed {
  readonly policy: IdentityPolicy;
  /** Undefined where the document is known at the deployment only. */
  readonly statement?: Statement;
  /** Those that were asked for, as far as it is about them. */
  readonly actions: string[];
  /** Only the deployment knows whether it is about the actions. */
  readonly unknown: boolean;
  /** Path in the resource. */
  readonly location: string;
}

/**
 * What the policies in a resource allow of some actions; conditions and other statements that deny it are not weighed.
 */
export function allowedIn(carrier: Resource, ...actions: string[]): Allowed[] {
  return identityPoliciesOf(carrier.template.app).in(carrier).flatMap(policy => allowedBy(policy, ...actions));
}

/** What a policy allows of some actions. */
export function allowedBy(policy: IdentityPolicy, ...actions: string[]): Allowed[] {
  return statementsAbout(policy, actions).filter(({ statement }) => !statement?.denies);
}

/** Statements about some actions in a resource, whether they allow or deny, as far as they are known. */
export function statementsIn(carrier: Resource, ...actions: string[]): (Allowed & { readonly statement: Statement })[] {
  return identityPoliciesOf(carrier.template.app).in(carrier).flatMap(policy => statementsAbout(policy, actions))
    .flatMap(about => about.statement ? [{ ...about, statement: about.statement }] : []);
}

function statementsAbout(policy: IdentityPolicy, actions: string[]): Allowed[] {
  if (!policy.statements) {
    return [{ policy, actions, unknown: true, location: policy.location }];
  }
  return policy.statements.flatMap((statement) => {
    const answers = actions.map(action => isAbout(statement, action));
    const is = answers.includes(true) || (answers.includes(undefined) ? undefined : false);
    return is === false
      ? []
      : [{
          policy,
          statement,
          actions: actions.filter((_, index) => answers[index] === is),
          unknown: is === undefined,
          location: policy.awsManaged ? policy.location : `${policy.location}/${statement.location}`,
        }];
  });
}

/** Who has a policy, besides those that need it. */
export function holdersOf({ principals }: IdentityPolicy, entitled: ReadonlySet<Resource>): string[] {
  return principals.length === 0
    ? ['each identity with this policy']
    : principals.filter(({ resource }) => !resource || !entitled.has(resource)).map(({ shown }) => shown);
}
