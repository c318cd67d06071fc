import { isFunction } from './branches';
import { ResourceDefinition } from '../cloudformation/template';
import { isOfLibrary } from '../plan/library-types';

interface WrittenPolicies {
  readonly documents: {
    readonly document: unknown;
    /** Whether it was in JSON, so that its values are texts of `read`. */ readonly isRead: boolean;
  }[];
  /** ARNs. */
  readonly managed: string[];
}

const ARN = /^(PolicyArn|ManagedPolicyArns?)$/i;
const TRUST = /^AssumeRolePolicyDocument$/i;

/**
 * Policies in the properties of a custom resource, such as an `AwsCustomResource` of aws-cdk-lib that calls
 * `putRolePolicy`: whatever has statements without principals, also in JSON within JSON, and managed policies in
 * properties that are named as IAM names them.
 *
 * @param read a value as a text, with what only the deployment knows as symbols
 */
export function writtenPolicies(
  { Type: type, Properties = {} }: ResourceDefinition,
  read: (value: unknown) => string,
): WrittenPolicies {
  const found: WrittenPolicies = { documents: [], managed: [] };
  const visit = (value: unknown, name: string, wasRead: boolean): void => {
    const isText = typeof value === 'string' || isFunction(value);
    const textOf = () => wasRead ? String(value) : read(value);
    const content = isText ? parsed(textOf()) : value;
    const isRead = wasRead || isText;
    if (Array.isArray(content)) {
      content.forEach(item => visit(item, name, isRead));
    } else if (typeof content === 'object' && content !== null) {
      const { Statement } = content as { Statement?: unknown };
      if (Statement !== undefined) {
        found.documents.push(...isOfResource(Statement) ? [] : [{ document: content, isRead }]);
      } else {
        Object.entries(content).filter(([key]) => !TRUST.test(key)).forEach(([key, item]) => visit(item, key, isRead));
      }
    } else if (ARN.test(name)) {
      found.managed.push(textOf());
    }
  };
  if (!isOfLibrary(type) && /Statement|Policy/i.test(JSON.stringify(Properties))) {
    visit(Properties, '', false);
  }
  return found;
}

/** The policy of a resource says whom it is for; that of an identity does not. */
function isOfResource(statements: unknown): boolean {
  return [statements]
    .flat()
    .some(statement => ['Principal', 'NotPrincipal'].some(name => name in (Object(statement) as object)));
}

/** Undefined where it is another text. */
function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : undefined;
  } catch {
    return undefined;
  }
}
