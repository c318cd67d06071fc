import { operatorOf } from './condition-operators';

export interface PolicyDocument {
  readonly Version?: string;
  readonly Statement: PolicyStatement | PolicyStatement[];
}

export interface PolicyStatement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action?: string | string[];
  readonly NotAction?: string | string[];
  readonly Resource?: string | string[];
  readonly NotResource?: string | string[];
  readonly Condition?: Condition;
}

/** Values by condition key, by operator. */
export type Condition = Record<string, Record<string, ConditionValue | ConditionValue[]>>;

type ConditionValue = string | number | boolean;

/** Policy variables, and with them the escapes ${*}, ${?} and ${$}, exist in this version only. */
const VERSION_WITH_VARIABLES = '2012-10-17';

const VERSIONS = [VERSION_WITH_VARIABLES, '2008-10-17'];
const DOCUMENT_ELEMENTS = ['Version', 'Statement'];
const STATEMENT_ELEMENTS = ['Sid', 'Effect', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition'];

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const CHARACTERS_OF_POLICIES = /^[\t\n\r -\xFF]*$/;

/**
 * Throws at a document that IAM would not store as an identity-based policy, whatever it is about.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
export function checkDocument(document: PolicyDocument): void {
  const text = JSON.stringify(document);
  const refuse = refusal('policy document', document);
  if (!CHARACTERS_OF_POLICIES.test(text)) {
    refuse('it has a character that IAM does not take: only U+0009, U+000A, U+000D and U+0020 to U+00FF are');
  }
  refuse(unknownElement(document, DOCUMENT_ELEMENTS));
  if (document.Version !== undefined && !VERSIONS.includes(document.Version)) {
    refuse(`Version ${document.Version} is not known, only ${VERSIONS.join(' and ')}`);
  }
  list(document.Statement).forEach(statement => checkStatement(statement, hasVariables(document)));
}

export function hasVariables({ Version }: PolicyDocument): boolean {
  return Version === VERSION_WITH_VARIABLES;
}

export function list<Item>(items: Item | Item[]): Item[] {
  return Array.isArray(items) ? items : [items];
}

function checkStatement(statement: PolicyStatement, withVariables: boolean): void {
  const refuse = refusal('policy statement', statement);
  refuse(unknownElement(statement, STATEMENT_ELEMENTS));
  if (!['Allow', 'Deny'].includes(statement.Effect)) {
    refuse(`Effect ${statement.Effect} is not known`);
  }
  const { Action, NotAction, Resource, NotResource, Condition = {} } = statement;
  for (const [positive, negative] of [[Action, NotAction], [Resource, NotResource]]) {
    if ((positive === undefined) === (negative === undefined) || list(positive ?? negative).length === 0) {
      refuse(
        'it needs exactly one of Action and NotAction, and one of Resource and NotResource, and none of them empty',
      );
    }
  }
  list(Action ?? NotAction).forEach(action => refuse(actionProblem(action!)));
  list(Resource ?? NotResource).forEach(resource => refuse(resourceProblem(resource!, withVariables)));
  Object.entries(Condition).forEach(([operator, tests]) => refuse(conditionProblem(operator, Object.values(tests))));
}

function conditionProblem(operator: string, values: unknown[]): string | undefined {
  if (values.some(value => list(value).length === 0)) {
    return `${operator} has a key without values`;
  }
  try {
    return operator === 'Null' ? undefined : operatorOf(operator) && undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function actionProblem(action: string): string | undefined {
  return /^(\*|[\w*?-]+:[\w*?-]+)$/.test(action)
    ? undefined
    : `action ${JSON.stringify(action)} is neither * nor of the form service:action`;
}

/**
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
function resourceProblem(resource: string, withVariables: boolean): string | undefined {
  const [arn, partition, service, region, account] = resource.split(':');
  if (resource !== '*' && (arn !== 'arn' || service === undefined)) {
    return `resource ${JSON.stringify(resource)} is neither * nor an ARN`;
  }
  if (/[*?]/.test(service ?? '')) {
    return `resource ${JSON.stringify(resource)} has a wildcard in the place of the service; name the service`;
  }
  if (withVariables && [partition, region, account].some(part => part?.includes('${'))) {
    return `resource ${JSON.stringify(resource)} has a policy variable before the fifth colon, where IAM takes none`;
  }
  return undefined;
}

function unknownElement(object: object, known: string[]): string | undefined {
  const unknown = Object.keys(object).find(element => !known.includes(element));
  return unknown === undefined ? undefined : `${unknown} is not known in an identity-based policy`;
}

function refusal(kind: string, value: unknown): (problem: string | undefined) => void {
  return (problem) => {
    if (problem !== undefined) {
      throw new Error(`${kind} ${JSON.stringify(value)} cannot be evaluated: ${problem}`);
    }
  };
}
