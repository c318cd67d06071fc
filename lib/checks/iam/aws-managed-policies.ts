import type { Part } from '../app/value';
import type { Statement } from './statement';

const statement = (parts: Partial<Record<'actions' | 'notActions', string[]>>): Statement => {
  const texts = (list: string[]) => list.map((text): Part[] => [{ kind: 'text', text }]);
  return {
    actions: texts(parts.actions ?? []),
    ...parts.notActions ? { notActions: texts(parts.notActions) } : {},
    resources: texts(['*']),
    principals: [],
    hasVariables: true,
    location: 'Statement/0',
  };
};

/**
 * Policies of AWS that allow everybody's sign-in or every secret, as far as the rules ask.
 *
 * @see https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AdministratorAccess.html
 * @see https://docs.aws.amazon.com/aws-managed-policy/latest/reference/PowerUserAccess.html
 * @see https://docs.aws.amazon.com/aws-managed-policy/latest/reference/SecretsManagerReadWrite.html
 */
const WIDE: Record<string, Statement[]> = {
  AdministratorAccess: [statement({ actions: ['*'] })],
  PowerUserAccess: [statement({ notActions: ['iam:*', 'organizations:*', 'account:*'] })],
  SecretsManagerReadWrite: [statement({ actions: ['secretsmanager:*'] })],
};

/** The statements of a policy of AWS that is wide; none for another one of AWS, undefined for one of somebody else. */
export function awsManagedStatements(arn: string): Statement[] | undefined {
  const name = /:iam::aws:policy\/(.*)$/.exec(arn)?.[1];
  return name === undefined ? undefined : WIDE[name] ?? [];
}
