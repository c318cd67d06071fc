import type { Part } from '../app/value';
import type { Statement } from './statement';

interface Grant {
  readonly actions?: string[];
  readonly notActions?: string[];
  readonly resources?: string[];
}

/**
 * Policies of AWS that allow what the rules ask about, as far as they ask: signing in to every database, reading or
 * changing secrets, calling or changing functions, and modifying databases. Those of services, and those of products
 * that an app with PostgreSQL does not have, are not among them.
 *
 * Read in November 2026 from the policies themselves.
 *
 * @see https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
 */
const WIDE: Record<string, Grant[]> = {
  'AdministratorAccess': [{ actions: ['*'] }],
  'PowerUserAccess': [{ notActions: ['iam:*', 'organizations:*', 'account:*'] }],
  'AIDevOpsAgentActionsPolicy': [
    {
      notActions: [
        'account:*',
        'cognito-identity:*',
        'iam:*',
        'identitystore:*',
        'organizations:*',
        'ram:*',
        'rolesanywhere:*',
        'sso:*',
        'sts:*',
      ],
    },
  ],
  'ConsoleFullAccessFromVercel': [{ actions: ['rds-db:connect', 'rds:ModifyDBCluster', 'rds:ModifyDBInstance'] }],
  'SecretsManagerReadWrite': [
    { actions: ['secretsmanager:*'] },
    {
      actions: ['lambda:AddPermission', 'lambda:InvokeFunction', 'lambda:UpdateFunctionConfiguration'],
      resources: ['arn:aws:lambda:*:*:function:SecretsManager*'],
    },
  ],
  'AWSSecretsManagerClientReadOnlyAccess': [
    { actions: ['secretsmanager:GetSecretValue'], resources: ['arn:aws:secretsmanager:*:*:secret:*'] },
  ],
  'AmazonRDSDataFullAccess': [{
    actions: ['secretsmanager:GetSecretValue', 'secretsmanager:PutResourcePolicy', 'secretsmanager:PutSecretValue'],
    resources: ['arn:aws:secretsmanager:*:*:secret:rds-db-credentials/*'],
  }],
  'AmazonRDSFullAccess': [{ actions: ['rds:*'] }],
  'job-function/DatabaseAdministrator': [{ actions: ['lambda:CreateEventSourceMapping', 'rds:*'] }],
  'job-function/DataScientist': [{ actions: ['lambda:Create*', 'lambda:InvokeFunction', 'lambda:Update*', 'rds:*'] }],
  'job-function/SystemAdministrator': [{ actions: ['lambda:Create*', 'lambda:InvokeFunction', 'lambda:Update*'] }],
  'AWSLambda_FullAccess': [{ actions: ['lambda:*'] }],
  'service-role/AWSLambdaRole': [{ actions: ['lambda:InvokeFunction'] }],
};

const STATEMENTS = new Map(Object.entries(WIDE).map(([name, grants]) => [name, grants.map(statementOf)]));

/**
 * The statements of a policy of AWS that is wide; none for another one of AWS, undefined for one of another account.
 */
export function awsManagedStatements(arn: string): Statement[] | undefined {
  const name = /:iam::aws:policy\/(.*)$/.exec(arn)?.[1];
  return name === undefined ? undefined : STATEMENTS.get(name) ?? [];
}

/** The ARN of a policy that AWS SAM is told by its ARN, or by its name if it is one of AWS. */
export function awsManagedArn(policy: Part[]): Part[] {
  const [first, ...others] = policy;
  if (first?.kind !== 'text' || others.length > 0 || first.text.startsWith('arn:')) {
    return policy;
  }
  const name = Object.keys(WIDE).find(wide => wide.replace(/^.*\//, '') === first.text) ?? first.text;
  return [{ kind: 'text', text: `arn:aws:iam::aws:policy/${name}` }];
}

function statementOf({ actions, notActions, resources = ['*'] }: Grant, index: number): Statement {
  const texts = (list: string[]) => list.map((text): Part[] => [{ kind: 'text', text }]);
  return {
    actions: texts(actions ?? []),
    ...notActions ? { notActions: texts(notActions) } : {},
    resources: texts(resources),
    principals: [],
    hasVariables: true,
    location: `Statement/${index}`,
  };
}
