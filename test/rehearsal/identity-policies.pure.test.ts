import { IdentityPolicies, PolicyStatement } from '../../rehearsal/iam/identity-policies';

const CONNECT = 'rds-db:connect';
const user = (name: string) => `arn:aws:rds-db:eu-west-1:111122223333:dbuser:cluster-ABC/${name}`;

const allow = (Resource: string | string[], others: Partial<PolicyStatement> = {}) => ({ Effect: 'Allow', Action: CONNECT, Resource, ...others });

function allows(Statement: PolicyStatement | PolicyStatement[], name: string, document: { Version?: string } = { Version: '2012-10-17' }) {
  return new IdentityPolicies([{ ...document, Statement }]).allows(CONNECT, user(name));
}

describe('IdentityPolicies', () => {
  test('deny by default', () => {
    expect(new IdentityPolicies([]).allows(CONNECT, user('orders'))).toBe(false);
    expect(allows([], 'orders')).toBe(false);
  });

  test.each<[string, string, string, boolean]>([
    ['the same name', 'orders', 'orders', true],
    ['another name', 'orders', 'bills', false],
    ['another case', 'orders', 'Orders', false],
    ['a beginning only', 'orders', 'orders2', false],
    ['an end only', 'orders', 'my-orders', false],
    ['*', '*', 'orders', true],
    ['* at the end', 'app_*', 'app_orders', true],
    ['* for nothing', 'app_*', 'app_', true],
    ['* across separators', '*', 'a/b:c', true],
    ['? for one character', 'o?', 'o1', true],
    ['? for one character beyond the BMP', 'o?', 'o\u{1F600}', true],
    ['? for none', 'o?', 'o', false],
    ['${*} for itself', 'a${*}', 'a*', true],
    ['${*} for others', 'a${*}', 'ab', false],
    ['${?} for itself', 'a${?}', 'a?', true],
    ['${?} for others', 'a${?}', 'ab', false],
    ['${$} for itself', 'a${$}{b}', 'a${b}', true],
    ['characters of regular expressions', 'a.b+(c)|[d]\\^', 'a.b+(c)|[d]\\^', true],
    ['a full stop is one', 'a.b', 'axb', false],
    ['a line feed', 'a*b', 'a\nb', true],
  ])('resource: %s', (_name, pattern, name, expected) => {
    expect(allows(allow(user(pattern)), name)).toBe(expected);
  });

  test.each<[string, { Version?: string }]>([
    ['version 2008-10-17', { Version: '2008-10-17' }],
    ['a document without version', {}],
  ])('in %s ${*} is no escape', (_name, document) => {
    expect(allows(allow(user('${*}')), '${anything}', document)).toBe(true);
    expect(allows(allow(user('${*}')), '*', document)).toBe(false);
  });

  test.each<[string, string, boolean]>([
    ['in another case', 'RDS-DB:Connect', true],
    ['with a wildcard', 'rds-db:*', true],
    ['all', '*', true],
    ['of another service', 'rds:connect', false],
  ])('action: %s', (_name, Action, expected) => {
    expect(allows(allow('*', { Action }), 'orders')).toBe(expected);
  });

  test('several documents, statements, actions and resources', () => {
    const policies = new IdentityPolicies([
      { Statement: { Effect: 'Allow', Action: ['a:b', CONNECT], Resource: [user('bills'), user('orders')] } },
      { Statement: [{ Effect: 'Allow', Action: 'c:d', Resource: '*' }] },
    ]);
    expect(policies.allows(CONNECT, user('orders'))).toBe(true);
    expect(policies.allows('c:d', 'x')).toBe(true);
    expect(policies.allows('a:b', 'x')).toBe(false);
  });

  test('NotAction and NotResource', () => {
    expect(allows({ Effect: 'Allow', NotAction: 'iam:*', Resource: '*' }, 'orders')).toBe(true);
    expect(allows({ Effect: 'Allow', NotAction: 'rds-db:*', Resource: '*' }, 'orders')).toBe(false);
    expect(allows({ Effect: 'Allow', Action: CONNECT, NotResource: user('bills') }, 'orders')).toBe(true);
    expect(allows({ Effect: 'Allow', Action: CONNECT, NotResource: [user('x'), user('orders')] }, 'orders')).toBe(false);
  });

  test('an explicit Deny wins, wherever it stands', () => {
    const deny = { Effect: 'Deny', Action: '*', Resource: user('orders') };
    expect(allows([deny, allow('*')], 'orders')).toBe(false);
    expect(allows([allow('*'), deny], 'orders')).toBe(false);
    expect(allows([allow('*'), deny], 'bills')).toBe(true);
  });

  test.each<[string, PolicyStatement, string]>([
    ['a condition', allow('*', { Condition: { Bool: { 'aws:SecureTransport': 'true' } } }), 'conditions are not rehearsed'],
    ['a policy variable', allow(user('${aws:username}')), 'policy variable ${aws:username}'],
    ['an unknown effect', allow('*', { Effect: 'allow' }), 'Effect allow is not known'],
    ['an unknown element', { ...allow('*'), Principal: '*' } as PolicyStatement, 'Principal is not known'],
    ['no resource', { Effect: 'Allow', Action: CONNECT }, 'exactly one of'],
    ['Action beside NotAction', allow('*', { NotAction: 'x:y' }), 'exactly one of'],
  ])('throws at %s', (_name, statement, message) => {
    expect(() => allows(statement, 'orders')).toThrow(message);
  });

  test('a condition of a statement about something else does not matter', () => {
    expect(allows([allow('*'), { Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*', Condition: {} }], 'orders')).toBe(true);
  });
});
