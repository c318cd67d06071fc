import { PolicyDocuments } from '../../cli/doctor/observations';
import { explainPolicy } from '../../cli/doctor/policy-explanation';

const ARN = 'arn:aws:rds-db:eu-central-1:111122223333:dbuser:cluster-A/orders';
const VARIABLE = ARN.replace('orders', '${aws:PrincipalTag/user}');
const document = (...Statement: object[]) => ({ Version: '2012-10-17', Statement: Statement as never });
const allow = (Resource = ARN, others = {}) => ({ Effect: 'Allow', Action: 'rds-db:connect', Resource, ...others });
const deny = (Resource = ARN, others = {}) => ({ ...allow(Resource, others), Effect: 'Deny' });
const UNDER = { Condition: { Bool: { 'aws:SecureTransport': 'true' } } };

/** What documents alone say of a role. */
function explained(policy: object[], boundary?: object[]): string {
  const documents: PolicyDocuments = {
    policies: [{ name: 'p', document: document(...policy) }],
    ...(boundary && { boundary: { name: 'b', document: document(...boundary) } }),
  };
  const { state, cause } = explainPolicy({
    principal: 'arn:aws:iam::111122223333:role/Service', action: 'rds-db:connect', resource: ARN,
    simulation: { unseen: 'needs iam:SimulatePrincipalPolicy' }, documents: { value: documents },
  });
  return cause ?? state;
}

describe('a permissions boundary', () => {
  test.each<[string, object[], string]>([
    ['allows it', [allow()], 'ok'],
    ['allows something else', [allow(ARN.replace('orders', 'ada'))], 'policy-boundary'],
    ['denies it', [allow('*'), deny()], 'policy-boundary'],
    ['denies it under a condition', [allow('*'), deny(ARN, UNDER)], 'unknown'],
    ['allows it under a condition', [allow(ARN, UNDER)], 'unknown'],
    ['allows it with and without a condition', [allow(ARN, UNDER), allow()], 'ok'],
    ['allows what a variable says', [allow(VARIABLE)], 'unknown'],
    ['denies what a variable says', [allow('*'), deny(VARIABLE)], 'unknown'],
    ['denies what a variable says, and this', [allow('*'), deny(VARIABLE), deny()], 'policy-boundary'],
    [
      'denies all but what a variable says',
      [allow('*'), { Effect: 'Deny', Action: '*', NotResource: VARIABLE }],
      'unknown',
    ],
    ['denies all but this', [allow('*'), { Effect: 'Deny', Action: '*', NotResource: ARN }], 'ok'],
  ])('%s', (_, boundary, expected) => {
    expect(explained([allow()], boundary)).toBe(expected);
  });
});

describe('a policy with NotResource', () => {
  const but = (Effect: string, NotResource: unknown) => ({ Effect, Action: 'rds-db:connect', NotResource });

  test.each<[string, object[], string]>([
    ['denies all but what a variable says', [allow(), but('Deny', VARIABLE)], 'unknown'],
    ['allows all but what a variable says', [but('Allow', VARIABLE)], 'unknown'],
    ['denies all but this', [allow(), but('Deny', [VARIABLE, ARN])], 'ok'],
    ['denies all but something else', [allow(), but('Deny', 'arn:aws:s3:::bucket')], 'policy-deny'],
  ])('%s', (_, policy, expected) => {
    expect(explained(policy)).toBe(expected);
  });
});
