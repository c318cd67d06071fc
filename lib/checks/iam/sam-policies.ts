/** What AWS SAM makes roles for, unless it is told one. */
export const SAM_TYPES = ['AWS::Serverless::Function', 'AWS::Serverless::StateMachine'];

/**
 * The policy templates of AWS SAM that allow what the rules ask about. No other one does.
 *
 * @see
 * https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-policy-template-list.html
 */
const TEMPLATES: Record<
  string,
  (parameters: Record<string, unknown>) => { readonly Action: string[]; readonly Resource: unknown }
> = {
  LambdaInvokePolicy: ({ FunctionName }) => ({
    Action: ['lambda:InvokeFunction'],
    Resource: {
      'Fn::Join': [
        '',
        [
          'arn:',
          { Ref: 'AWS::Partition' },
          ':lambda:',
          { Ref: 'AWS::Region' },
          ':',
          { Ref: 'AWS::AccountId' },
          ':function:',
          FunctionName,
          '*',
        ],
      ],
    },
  }),
  AWSSecretsManagerGetSecretValuePolicy: ({ SecretArn }) => ({
    Action: ['secretsmanager:GetSecretValue'],
    Resource: SecretArn,
  }),
  // On a condition, which the rules do not look at: that the function rotates the secret.
  AWSSecretsManagerRotationPolicy: () => ({
    Action: ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'],
    Resource: { 'Fn::Sub': 'arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:*' },
  }),
};

/** The document that a policy template of AWS SAM stands for; undefined if it is none. */
export function samPolicyDocument(policy: unknown): object | undefined {
  const [[name, parameters] = ['', {}], ...others] = Object.entries(Object(policy) as object) as [string, unknown][];
  if (others.length > 0 || !/^\w+Policy$/.test(name)) {
    return undefined;
  }
  const statement = Object.hasOwn(TEMPLATES, name)
    ? TEMPLATES[name](Object(parameters) as Record<string, unknown>)
    : undefined;
  return { Version: '2012-10-17', Statement: statement ? [{ Effect: 'Allow', ...statement }] : [] };
}
