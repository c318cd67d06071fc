import { roleAllows } from '../../rehearsal/cloudformation/role-policies';
import { ResourceState } from '../../rehearsal/cloudformation/template';
import { Principal } from '../../rehearsal/iam/condition-keys';
import { IdentityPolicies, NotEvaluated } from '../../rehearsal/iam/identity-policies';
import { Condition, PolicyDocument, PolicyStatement } from '../../rehearsal/iam/policy-document';
import { allow, allowIf, allows, ask, CONNECT, NOON, OTHER, ROLE, user, version } from './policy-questions';

const USER: Principal = { arn: 'arn:aws:iam::111122223333:user/staff/jane', tags: {}, userId: 'AIDAEXAMPLE' };

describe('IdentityPolicies', () => {
  test('deny by default', () => {
    expect(ask(new IdentityPolicies([]), user('orders'))).toBe(false);
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
    ['$ alone', 'a$b', 'a$b', true],
    ['* for a requested *', 'a*', 'a*', true],
    ['a requested * is no wildcard', 'orders', '*', false],
    ['characters of regular expressions', 'a.b+(c)|[d]\\^', 'a.b+(c)|[d]\\^', true],
    ['a full stop is one', 'a.b', 'axb', false],
    ['a line feed', 'a*b', 'a\nb', true],
    ['a variable', '${aws:PrincipalTag/Team}', 'orders', true],
    ['a variable with another value', '${aws:PrincipalTag/Team}', 'bills', false],
    ['a variable amid text', 'app_${aws:PrincipalTag/Team}_*', 'app_orders_ro', true],
    ['a variable in another case', '${AWS:principaltag/team}', 'orders', true],
    ['a value with * is no wildcard', '${aws:PrincipalTag/wild}', 'orders', false],
    ['a value with * is itself', '${aws:PrincipalTag/wild}', '*', true],
    ['a value with ${} is no variable', '${aws:PrincipalTag/dollar}', '${aws:username}', true],
    ['an empty value', 'a${aws:PrincipalTag/empty}', 'a', true],
    ['a missing variable', '${aws:PrincipalTag/none}', 'orders', false],
    ['a missing variable is not empty', 'a${aws:PrincipalTag/none}', 'a', false],
    ['a missing variable is not its text', '${aws:PrincipalTag/none}', '${aws:PrincipalTag/none}', false],
    ['a default that is needed', "${aws:PrincipalTag/none, 'guest'}", 'guest', true],
    ['a default that is not needed', "${aws:PrincipalTag/Team, 'guest'}", 'guest', false],
    ['a default for an empty value', "a${aws:PrincipalTag/empty, 'guest'}", 'aguest', false],
    ['a default with * is no wildcard', "${aws:PrincipalTag/none, '*'}", 'orders', false],
    ['the account of the principal', '${aws:PrincipalAccount}', '111122223333', true],
    ['the ARN of the principal', '${aws:PrincipalArn}', ROLE.arn, true],
    ['the time', '${aws:CurrentTime}', '2026-03-01T12:00:00Z', true],
    ['the name of a user, for a role', '${aws:username}', 'Reader', false],
  ])('resource: %s', (_name, pattern, name, expected) => {
    expect(allows(allow(user(pattern)), name)).toBe(expected);
  });

  test.each<[string, string, boolean]>([
    ['another cluster', user('orders').replace('ABC', 'DEF'), false],
    ['any cluster', 'arn:aws:rds-db:eu-west-1:111122223333:dbuser:*/orders', true],
    ['any Region and account', 'arn:aws:rds-db:*:*:dbuser:cluster-ABC/orders', true],
    ['any partition', 'arn:*:rds-db:eu-west-1:111122223333:dbuser:cluster-ABC/orders', true],
    ['a * at the end of an early segment', 'arn:aws:rds-db:*', true],
    ['another account', user('orders').replace('111122223333', '444455556666'), false],
    ['without the dbuser segment', 'arn:aws:rds-db:eu-west-1:111122223333:cluster-ABC/orders', false],
    ['an instance', 'arn:aws:rds-db:eu-west-1:111122223333:dbuser:db-ABC/orders', false],
  ])('resource ARN: %s', (_name, pattern, expected) => {
    expect(allows(allow(pattern), 'orders')).toBe(expected);
  });

  test('the name of a user', () => {
    expect(allows(allow(user('${aws:username}')), 'jane', { principal: USER })).toBe(true);
    expect(allows(allow(user('${aws:userid}')), 'AIDAEXAMPLE', { principal: USER })).toBe(true);
  });

  test.each<[string, { Version?: string }]>([
    ['version 2008-10-17', { Version: '2008-10-17' }],
    ['a document without version', {}],
  ])('in %s nothing is a variable', (_name, document) => {
    const policies = (resource: string) => new IdentityPolicies([{ ...document, Statement: allow(user(resource)) }]);
    expect(ask(policies('${*}'), user('${anything}'))).toBe(true);
    expect(ask(policies('${*}'), user('*'))).toBe(false);
    expect(ask(policies('${aws:PrincipalTag/Team}'), user('orders'))).toBe(false);
    expect(ask(policies('${aws:PrincipalTag/Team}'), user('${aws:PrincipalTag/Team}'))).toBe(true);
  });

  test.each<[string, string, boolean]>([
    ['in another case', 'RDS-DB:Connect', true],
    ['with a wildcard', 'rds-db:*', true],
    ['all', '*', true],
    ['all of all services', '*:*', true],
    ['with one character left open', 'rds-db:connec?', true],
    ['of another service', 'rds:connect', false],
  ])('action: %s', (_name, Action, expected) => {
    expect(allows(allow('*', { Action }), 'orders')).toBe(expected);
  });

  test('several documents, statements, actions and resources', () => {
    const policies = new IdentityPolicies([
      { Statement: { Effect: 'Allow', Action: ['a:b', CONNECT], Resource: [user('bills'), user('orders')] } },
      { Statement: [{ Effect: 'Allow', Action: 'c:d', Resource: '*' }] },
    ]);
    expect(ask(policies, user('orders'))).toBe(true);
    expect(ask(policies, 'x', { action: 'c:d' })).toBe(true);
    expect(ask(policies, 'x', { action: 'a:b' })).toBe(false);
  });

  test('NotAction and NotResource', () => {
    expect(allows({ Effect: 'Allow', NotAction: 'iam:*', Resource: '*' }, 'orders')).toBe(true);
    expect(allows({ Effect: 'Allow', NotAction: 'rds-db:*', Resource: '*' }, 'orders')).toBe(false);
    expect(allows({ Effect: 'Allow', Action: CONNECT, NotResource: user('bills') }, 'orders')).toBe(true);
    expect(allows({ Effect: 'Allow', Action: CONNECT, NotResource: [user('x'), user('orders')] }, 'orders')).toBe(
      false,
    );
  });

  test('an explicit Deny wins, wherever it stands', () => {
    const deny = { Effect: 'Deny', Action: '*', Resource: user('orders') };
    expect(allows([deny, allow('*')], 'orders')).toBe(false);
    expect(allows([allow('*'), deny], 'orders')).toBe(false);
    expect(allows([allow('*'), deny], 'bills')).toBe(true);
    expect(ask(new IdentityPolicies([version(allow('*')), version(deny)]), user('orders'))).toBe(false);
  });

  test('a boundary allows nothing by itself, and nothing goes beyond it', () => {
    const bounded
      = (boundary: PolicyStatement[], own = [allow('*')]) =>
        (name: string) =>
          ask(new IdentityPolicies([version(own)], version(boundary)), user(name));
    expect(bounded([allow(user('orders'))])('orders')).toBe(true);
    expect(bounded([allow(user('orders'))])('bills')).toBe(false);
    expect(bounded([])('orders')).toBe(false);
    expect(bounded([allow('*')], [])('orders')).toBe(false);
    expect(bounded([allow('*'), { Effect: 'Deny', Action: '*', Resource: user('orders') }])('orders')).toBe(false);
  });

  test('a statement about something else may have conditions that a rehearsal does not know', () => {
    const other = {
      Effect: 'Allow',
      Action: 'kms:Decrypt',
      Resource: '*',
      Condition: { StringEquals: { 'kms:ViaService': 'x' } },
    };
    expect(allows([allow('*'), other], 'orders')).toBe(true);
    expect(allows(allow(user('bills'), { Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }), 'orders')).toBe(
      false,
    );
  });
});

describe('RDS evaluates no condition of rds-db:connect', () => {
  const REFUSED
    = 'not evaluated by RDS: refused; a statement about rds-db:connect has a Condition, of which IAM database '
      + 'authentication supports no key: narrow the resource instead';
  const HOLDS: Condition = { StringEquals: { 'aws:PrincipalTag/team': 'orders' } };

  test.each<[string, Condition]>([
    ['that holds', HOLDS],
    ['that does not hold', { StringEquals: { 'aws:PrincipalTag/team': 'bills' } }],
    ['on the time', { DateGreaterThan: { 'aws:CurrentTime': '2026-01-01T00:00:00Z' } }],
    ['that other evaluators take for true', { Bool: { 'aws:SecureTransport': true } }],
    ['on a key that AWS lists as not supported', { IpAddress: { 'aws:SourceIp': '0.0.0.0/0' } }],
    ['on a key that a rehearsal does not know', { Bool: { 'aws:MultiFactorAuthPresent': 'true' } }],
  ])('a statement with a condition %s allows no sign-in', (_name, condition) => {
    expect(() => allows(allow(user('orders'), { Condition: condition }), 'orders')).toThrow(new NotEvaluated(REFUSED));
  });

  test.each([
    ['all actions', '*'],
    ['all actions of the service', 'rds-db:*'],
    ['the action in another case', 'RDS-DB:CONNECT'],
  ])('as a statement about %s', (_name, Action) => {
    expect(() => allows(allow('*', { Action, Condition: HOLDS }), 'orders')).toThrow(new NotEvaluated(REFUSED));
    expect(() => allows(allow('*', { Action, Condition: HOLDS }), 'orders', { action: 'RDS-DB:Connect' })).toThrow(
      new NotEvaluated(REFUSED),
    );
  });

  test('a statement without one lets in beside it, and an empty condition is none', () => {
    expect(allows([allow('*', { Condition: HOLDS }), allow(user('orders'))], 'orders')).toBe(true);
    expect(allows(allow('*', { Condition: {} }), 'orders')).toBe(true);
  });

  test('a Deny with one refuses, whether it holds or not', () => {
    const deny = (condition: Condition) => ({ Effect: 'Deny', Action: '*', Resource: '*', Condition: condition });
    for (const condition of [HOLDS, { StringEquals: { 'aws:PrincipalTag/team': 'bills' } }]) {
      expect(() => allows([allow('*'), deny(condition)], 'orders')).toThrow(new NotEvaluated(REFUSED));
    }
  });

  test('nor one in a permissions boundary', () => {
    const bounded = new IdentityPolicies([version(allow('*'))], version(allow('*', { Condition: HOLDS })));
    expect(() => ask(bounded, user('orders'))).toThrow(new NotEvaluated(REFUSED));
  });

  test('who is refused anyway is refused for that reason', () => {
    expect(allows(allow(user('bills'), { Condition: HOLDS }), 'orders')).toBe(false);
    expect(allows([allow('*', { Condition: HOLDS }), { Effect: 'Deny', Action: '*', Resource: '*' }], 'orders')).toBe(
      false,
    );
  });
});

describe('roleAllows', () => {
  const state = (
    type: string,
    physicalId: string,
    properties: Record<string, unknown>,
    attributes = {},
  ): ResourceState => ({ logicalId: 'X', type, physicalId, properties, attributes, definition: { Type: type } });
  const role = (properties = {}) => state('AWS::IAM::Role', 'Reader', properties, { Arn: ROLE.arn });
  const policy = (document: PolicyDocument) =>
    state('AWS::IAM::Policy', 'Policy', { Roles: ['Reader'], PolicyDocument: document });
  const managed = (arn: string, document: PolicyDocument) =>
    state('AWS::IAM::ManagedPolicy', arn, { PolicyDocument: document });
  const request = (name: string, at = NOON) => ({ action: CONNECT, resource: user(name), at });

  test('tags of the role', () => {
    const own = policy(version(allow(user('${aws:PrincipalTag/team}'))));
    expect(roleAllows(role({ Tags: [{ Key: 'Team', Value: 'orders' }] }), [own], request('orders'))).toBe(true);
    expect(roleAllows(role(), [own], request('orders'))).toBe(false);
  });

  test('time', () => {
    const own = policy(version(allowIf({ DateLessThan: { 'aws:CurrentTime': '2026-03-01T12:00:01Z' } })));
    expect(roleAllows(role(), [own], { ...request('orders'), action: OTHER })).toBe(true);
    expect(roleAllows(role(), [own], { ...request('orders', new Date('2026-03-01T12:00:01Z')), action: OTHER })).toBe(
      false,
    );
  });

  test('permissions boundary', () => {
    const existing = [
      policy(version(allow('*'))),
      managed('arn:aws:iam::111122223333:policy/Limit', version(allow(user('orders')))),
    ];
    const bounded = role({ PermissionsBoundary: 'arn:aws:iam::111122223333:policy/Limit' });
    expect(roleAllows(bounded, existing, request('orders'))).toBe(true);
    expect(roleAllows(bounded, existing, request('bills'))).toBe(false);
  });

  test('fails for a boundary that is in no rehearsed stack', () => {
    const bounded = role({ PermissionsBoundary: 'arn:aws:iam::111122223333:policy/Limit' });
    expect(() => roleAllows(bounded, [], request('orders'))).toThrow(
      'managed policy arn:aws:iam::111122223333:policy/Limit is in no rehearsed stack',
    );
  });
});
