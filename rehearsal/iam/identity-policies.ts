import { conditionHolds } from './condition';
import { AccessRequest, ConditionKeys, conditionKeysOf, isConnect } from './condition-keys';
import { matchesResource, matchesString, PatternReader, readLiterally } from './pattern';
import { checkDocument, hasVariables, list, PolicyDocument, PolicyStatement } from './policy-document';

/** What is asked of policies, and how what they say of condition keys is answered. */
export interface Question {
  readonly action: string;
  readonly resource: string;
  readonly keys: ConditionKeys;
}

/** RDS refuses, because it would have to evaluate the condition of a statement about `rds-db:connect`. */
export class NotEvaluated extends Error {}

/**
 * Decides by the identity-based policies of one principal, within one account. What it does not know, and what IAM does
 * not document, it does not guess: it throws.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export class IdentityPolicies {
  /** @param boundary permissions boundary: what it does not allow is refused */
  constructor(private readonly documents: PolicyDocument[], private readonly boundary?: PolicyDocument) {
    [...documents, ...boundary ? [boundary] : []].forEach(checkDocument);
  }

  /**
   * For `rds-db:connect` no statement with a condition allows anything, and one that denies does so whatever its
   * condition says. Throws `NotEvaluated` where only that is the reason.
   *
   * @see https://repost.aws/knowledge-center/aurora-postgresql-connect-iam
   */
  allows(request: AccessRequest): boolean {
    const question = { action: request.action, resource: request.resource, keys: conditionKeysOf(request) };
    if (!isConnect(request.action)) {
      return this.decide(question);
    }
    const [isAllowed, mightBeAllowed] = ['Deny', 'Allow'].map((effect) => {
      const asIfHeld = (document: PolicyDocument) => withoutConditions(document, effect);
      return new IdentityPolicies(this.documents.map(asIfHeld), this.boundary && asIfHeld(this.boundary)).decide(
        question,
      );
    });
    if (!isAllowed && mightBeAllowed) {
      throw new NotEvaluated(
        'not evaluated by RDS: refused; a statement about rds-db:connect has a Condition, of which IAM '
        + 'database authentication supports no key: narrow the resource instead',
      );
    }
    return isAllowed;
  }

  /** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html */
  decide(question: Question): boolean {
    const decisions = [this.documents, ...(this.boundary ? [[this.boundary]] : [])].map(documents =>
      allow(documents, question),
    );
    return decisions.every(Boolean);
  }
}

/** As if the conditions of statements with this effect held, and no other condition. */
function withoutConditions(document: PolicyDocument, effect: string): PolicyDocument {
  const Statement = list(document.Statement)
    .filter(statement => statement.Effect === effect || !isConditional(statement))
    .map(statement => ({ ...statement, Condition: {} }));
  return { ...document, Statement };
}

function isConditional({ Condition }: PolicyStatement): boolean {
  return Object.keys(Condition ?? {}).length > 0;
}

/** Default is no; an explicit Deny outweighs every Allow. */
function allow(documents: PolicyDocument[], question: Question): boolean {
  const effects = documents.flatMap(document =>
    list(document.Statement)
      .filter(statement => applies(statement, hasVariables(document), question))
      .map(({ Effect }) => Effect),
  );
  return effects.includes('Allow') && !effects.includes('Deny');
}

function applies(statement: PolicyStatement, withVariables: boolean, { action, resource, keys }: Question): boolean {
  const { Action, NotAction, Resource, NotResource, Condition = {} } = statement;
  const reader = new PatternReader(withVariables, keys);
  const matchesAction = (pattern: string) => matchesString(readLiterally(pattern.toLowerCase()), action.toLowerCase());
  const isOfResource = (text: string) => {
    const pattern = reader.read(text);
    return pattern !== undefined && matchesResource(pattern, resource);
  };
  try {
    const holds = isListed(Action, NotAction, matchesAction)
      && isListed(Resource, NotResource, isOfResource)
      && conditionHolds(Condition, reader, keys);
    if (holds && reader.missing.length > 0) {
      throw new Error(
        `the request has no value for ${reader.missing.join(', ')}. IAM says that this "might" make the entire statement invalid, `
        + 'so it is not known whether the rest of it counts; give a default, or write a statement of its own',
      );
    }
    return holds;
  } catch (error) {
    throw new Error(`policy statement ${JSON.stringify(statement)} cannot be evaluated: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Each pattern is looked at, so that it does not depend on their order whether one that is not known is an error. */
function isListed(
  positive: string | string[] | undefined,
  negative: string | string[] | undefined,
  test: (pattern: string) => boolean,
): boolean {
  return positive === undefined ? !list(negative!).map(test).some(Boolean) : list(positive).map(test).some(Boolean);
}
