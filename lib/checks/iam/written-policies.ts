import type { Resource } from '../app/template';
import { isCustom, jsonIn, type Part, partsOf } from '../app/value';
import { IAM_AUTHENTICATION_RESOURCE_TYPE, PROVISIONED_RESOURCE_TYPES } from '../../contract/wire';

/** A policy in the properties of a custom resource, whose function writes it. */
export type WrittenPolicy
  = | { readonly kind: 'document'; readonly document: unknown; readonly location: string }
    | { readonly kind: 'managed'; readonly arn: Part[]; readonly location: string };

/** They carry privileges of SQL and no policy. */
const OURS: readonly string[] = [...PROVISIONED_RESOURCE_TYPES, IAM_AUTHENTICATION_RESOURCE_TYPE];

const DOCUMENT = /^(PolicyDocument|InlinePolicy)$/i;
const ARN = /^(PolicyArn|ManagedPolicyArns?)$/i;
const TRUST = /^AssumeRolePolicyDocument$/i;

/**
 * The policies that a custom resource writes, such as an `AwsCustomResource` of aws-cdk-lib that calls `putRolePolicy`:
 * whatever in its properties, or in JSON in one of them, has statements, or is in a property that is named like those
 * of IAM.
 */
export function writtenPoliciesOf(resource: Resource): WrittenPolicy[] {
  const { type, properties, template } = resource;
  if (!isCustom(resource) || OURS.includes(type) || !/Statement|Policy/i.test(JSON.stringify(properties))) {
    return [];
  }
  const found: WrittenPolicy[] = [];
  const visit = (value: unknown, name: string, location: string): void => {
    const content = contentOf(value);
    if (Array.isArray(content)) {
      content.forEach((item, index) => visit(item, name, `${location}/${index}`));
    } else if (Object.hasOwn(Object(content) as object, 'Statement')) {
      found.push({ kind: 'document', document: content, location });
    } else if (DOCUMENT.test(name)) {
      found.push({ kind: 'document', document: undefined, location });
    } else if (ARN.test(name)) {
      found.push({ kind: 'managed', arn: partsOf(value, template), location });
    } else {
      Object.entries(Object(content) as object)
        .filter(([key]) => !TRUST.test(key))
        .forEach(([key, item]) => visit(item, key, `${location}/${key}`));
    }
  };
  /** What is in JSON, where a text is JSON; nothing where it is another text. */
  const contentOf = (value: unknown): unknown => {
    const json = jsonIn(value, template);
    return typeof json === 'object' ? json : undefined;
  };
  visit(properties, '', 'Properties');
  return found;
}
