import { Branch, branchesOf, isFunction } from './branches';
import { TemplateResource } from './template-values';

/**
 * What AWS SAM makes for a function or a state machine without a `Role`: a role with its `Policies`.
 *
 * @see
 * https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources-function.html
 */
interface SamRole {
  /** Logical id of the role. */
  readonly name: string;
  /** Trust policy. */
  readonly trust: unknown;
  /** Why it may not be made. */
  readonly undecided?: string;
}

export function samRole({ logicalId, definition: { Type: type, Properties = {} } }: TemplateResource): SamRole {
  const { Role: given, AssumeRolePolicyDocument: trust } = Properties;
  const service = type === 'AWS::Serverless::Function' ? 'lambda.amazonaws.com' : 'states.amazonaws.com';
  return {
    name: `${logicalId}Role`,
    trust: trust ?? { Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }] },
    ...(branchesOf(given).length === 0 ? {} : { undecided: 'only where it has no role of its own' }),
  };
}

/** Whether SAM makes a role for it, or may: a `Role` of its own leaves no place for the policies. */
export function isSamRole({ definition: { Properties = {} } }: TemplateResource): boolean {
  const { Role: given } = Properties;
  return branchesOf(given).length === 0 || JSON.stringify(given).includes('"AWS::NoValue"');
}

export interface SamPolicy {
  readonly document?: unknown;
  /** A managed policy: its ARN or, if it is one of AWS, its name. */
  readonly managed?: unknown;
  readonly undecided?: string;
}

/**
 * Documents and managed policies. The templates of SAM, such as `DynamoDBReadPolicy`, are left out: none of them is
 * about `rds-db:connect`.
 *
 * @see
 * https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-policy-template-list.html
 */
export function policiesOfSam(policies: unknown, undecided?: string): SamPolicy[] {
  return branchesOf(policies, undecided)
    .filter(({ value }) => !isTemplate(value))
    .map(({ value, ...because }: Branch) =>
      'Statement' in (Object(value) as object) ? { document: value, ...because } : { managed: value, ...because },
    );
}

function isTemplate(value: unknown): boolean {
  const names = typeof value === 'object' ? Object.keys(value ?? {}) : [];
  return names.length === 1 && /^\w+Policy$/.test(names[0]) && !isFunction(value);
}
