import { roleAllows } from '../../rehearsal/cloudformation/role-policies';
import { ResourceState } from '../../rehearsal/cloudformation/template';
import { Principal } from '../../rehearsal/iam/condition-keys';
import { IdentityPolicies, NotEvaluated } from '../../rehearsal/iam/identity-policies';
import { Condition, PolicyDocument, PolicyStatement } from '../../rehearsal/iam/policy-document';

const CONNECT = 'rds-db:connect';
const NOON = new Date('2026-03-01T12:00:00Z');
const ROLE: Principal = { arn: 'arn:aws:iam::111122223333:role/app/Reader', tags: { Team: 'orders', wild: '*', empty: '', dollar: '${aws:username}' } };
const USER: Principal = { arn: 'arn:aws:iam::111122223333:user/staff/jane', tags: {}, userId: 'AIDAEXAMPLE' };

const user = (name: string) => `arn:aws:rds-db:eu-west-1:111122223333:dbuser:cluster-ABC/${name}`;

const allow = (Resource: string | string[], others: Partial<PolicyStatement> = {}) => ({ Effect: 'Allow', Action: CONNECT, Resource, ...others });
/** RDS evaluates no condition of rds-db:connect: what IAM does with conditions is asked of another action. */
const OTHER = 'rds:DescribeDBClusters';
const allowIf = (condition: Condition) => allow('*', { Action: OTHER, Condition: condition });

const version = (Statement: PolicyStatement | PolicyStatement[], Version = '2012-10-17'): PolicyDocument => ({ Version, Statement });

function ask(policies: IdentityPolicies, resource: string, { action = CONNECT, principal = ROLE, at = NOON } = {}) {
  return policies.allows({ action, resource, principal, at });
}

function allows(statement: PolicyStatement | PolicyStatement[], name: string, request: { action?: string; principal?: Principal; at?: Date } = {}) {
  return ask(new IdentityPolicies([version(statement)]), user(name), request);
}

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
    expect(allows({ Effect: 'Allow', Action: CONNECT, NotResource: [user('x'), user('orders')] }, 'orders')).toBe(false);
  });

  test('an explicit Deny wins, wherever it stands', () => {
    const deny = { Effect: 'Deny', Action: '*', Resource: user('orders') };
    expect(allows([deny, allow('*')], 'orders')).toBe(false);
    expect(allows([allow('*'), deny], 'orders')).toBe(false);
    expect(allows([allow('*'), deny], 'bills')).toBe(true);
    expect(ask(new IdentityPolicies([version(allow('*')), version(deny)]), user('orders'))).toBe(false);
  });

  test('a boundary allows nothing by itself, and nothing goes beyond it', () => {
    const bounded = (boundary: PolicyStatement[], own = [allow('*')]) => (name: string) => ask(new IdentityPolicies([version(own)], version(boundary)), user(name));
    expect(bounded([allow(user('orders'))])('orders')).toBe(true);
    expect(bounded([allow(user('orders'))])('bills')).toBe(false);
    expect(bounded([])('orders')).toBe(false);
    expect(bounded([allow('*')], [])('orders')).toBe(false);
    expect(bounded([allow('*'), { Effect: 'Deny', Action: '*', Resource: user('orders') }])('orders')).toBe(false);
  });

  test('a statement about something else may have conditions that a rehearsal does not know', () => {
    const other = { Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*', Condition: { StringEquals: { 'kms:ViaService': 'x' } } };
    expect(allows([allow('*'), other], 'orders')).toBe(true);
    expect(allows(allow(user('bills'), { Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }), 'orders')).toBe(false);
  });
});

describe('RDS evaluates no condition of rds-db:connect', () => {
  const REFUSED = 'not evaluated by RDS: refused; a statement about rds-db:connect has a Condition, of which IAM database '
    + 'authentication supports no key: narrow the resource instead';
  const HOLDS: Condition = { StringEquals: { 'aws:PrincipalTag/team': 'orders' } };

  test.each<[string, Condition]>([
    ['that holds', HOLDS],
    ['that does not hold', { StringEquals: { 'aws:PrincipalTag/team': 'bills' } }],
    ['on the time', { DateGreaterThan: { 'aws:CurrentTime': '2026-01-01T00:00:00Z' } }],
    ['that other evaluators take for true', { Bool: { 'aws:SecureTransport': true } }],
    ['on a key that AWS lists as not supported', { IpAddress: { 'aws:SourceIp': '0.0.0.0/0' } }],
    ['on a key that a rehearsal does not know', { Bool: { 'aws:MultiFactorAuthPresent': 'true' } }],
  ])('a statement with a condition %s lets nobody in', (_name, condition) => {
    expect(() => allows(allow(user('orders'), { Condition: condition }), 'orders')).toThrow(new NotEvaluated(REFUSED));
  });

  test.each([['all actions', '*'], ['all actions of the service', 'rds-db:*'], ['the action in another case', 'RDS-DB:CONNECT']])('as a statement about %s', (_name, Action) => {
    expect(() => allows(allow('*', { Action, Condition: HOLDS }), 'orders')).toThrow(new NotEvaluated(REFUSED));
    expect(() => allows(allow('*', { Action, Condition: HOLDS }), 'orders', { action: 'RDS-DB:Connect' })).toThrow(new NotEvaluated(REFUSED));
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
    expect(allows([allow('*', { Condition: HOLDS }), { Effect: 'Deny', Action: '*', Resource: '*' }], 'orders')).toBe(false);
  });
});

describe('conditions', () => {
  test.each<[string, Condition, boolean]>([
    ['StringEquals', { StringEquals: { 'aws:PrincipalTag/team': 'orders' } }, true],
    ['StringEquals in another case', { StringEquals: { 'aws:PrincipalTag/team': 'Orders' } }, false],
    ['StringEquals has no wildcard', { StringEquals: { 'aws:PrincipalTag/team': 'ord*' } }, false],
    ['StringEquals, one of several', { StringEquals: { 'aws:PrincipalTag/team': ['bills', 'orders'] } }, true],
    ['StringEquals of a missing key', { StringEquals: { 'aws:PrincipalTag/none': '' } }, false],
    ['StringNotEquals of a missing key', { StringNotEquals: { 'aws:PrincipalTag/none': 'x' } }, true],
    ['StringNotEquals, none of several', { StringNotEquals: { 'aws:PrincipalTag/team': ['bills', 'orders'] } }, false],
    ['StringEqualsIgnoreCase', { StringEqualsIgnoreCase: { 'aws:PrincipalTag/team': 'ORDERS' } }, true],
    ['StringNotEqualsIgnoreCase', { StringNotEqualsIgnoreCase: { 'aws:PrincipalTag/team': 'ORDERS' } }, false],
    ['StringLike', { StringLike: { 'aws:PrincipalTag/team': 'o?d*' } }, true],
    ['StringLike with an escape', { StringLike: { 'aws:PrincipalTag/team': 'o${*}' } }, false],
    ['StringLike with a variable', { StringLike: { 'aws:PrincipalTag/team': '${aws:PrincipalTag/Team}' } }, true],
    ['StringNotLike', { StringNotLike: { 'aws:PrincipalTag/team': 'b*' } }, true],
    ['StringEqualsIfExists of a missing key', { StringEqualsIfExists: { 'aws:PrincipalTag/none': 'x' } }, true],
    ['StringEqualsIfExists of a key that is there', { StringEqualsIfExists: { 'aws:PrincipalTag/team': 'x' } }, false],
    ['two keys', { StringEquals: { 'aws:PrincipalTag/team': 'orders', 'aws:PrincipalAccount': 'x' } }, false],
    ['two operators', { StringEquals: { 'aws:PrincipalTag/team': 'orders' }, Bool: { 'aws:SecureTransport': 'false' } }, false],
    ['Bool', { Bool: { 'aws:SecureTransport': true } }, true],
    ['NumericLessThan', { NumericLessThan: { 'aws:EpochTime': 1772366401 } }, true],
    ['NumericGreaterThanEquals', { NumericGreaterThanEquals: { 'aws:EpochTime': '1772366400' } }, true],
    ['NumericNotEquals', { NumericNotEquals: { 'aws:EpochTime': '1772366400.0' } }, false],
    ['DateLessThan, a second before', { DateLessThan: { 'aws:CurrentTime': '2026-03-01T12:00:01Z' } }, true],
    ['DateLessThan, at that second', { DateLessThan: { 'aws:CurrentTime': '2026-03-01T12:00:00Z' } }, false],
    ['DateLessThanEquals, at that second', { DateLessThanEquals: { 'aws:CurrentTime': '2026-03-01T12:00:00Z' } }, true],
    ['DateGreaterThan in another zone', { DateGreaterThan: { 'aws:CurrentTime': '2026-03-01T13:59:59+02:00' } }, true],
    ['DateGreaterThanEquals in seconds', { DateGreaterThanEquals: { 'aws:CurrentTime': '1772366400' } }, true],
    ['DateEquals without seconds', { DateEquals: { 'aws:EpochTime': '2026-03-01T12:00Z' } }, true],
    ['DateNotEquals', { DateNotEquals: { 'aws:CurrentTime': '2026-03-01T12:00:00Z' } }, false],
    ['Null of a key that is there', { Null: { 'aws:PrincipalTag/team': 'true' } }, false],
    ['Null of an empty tag', { Null: { 'aws:PrincipalTag/empty': 'false' } }, true],
    ['Null of a missing key', { Null: { 'aws:username': 'true' } }, true],
    ['ArnEquals with a wildcard', { ArnEquals: { 'aws:PrincipalArn': 'arn:aws:iam::111122223333:role/*' } }, true],
    ['ArnLike across parts', { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam:*:role/app/Reader:' } }, false],
    ['ArnNotLike', { ArnNotLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:role/app/R?ader' } }, false],
    ['the ARN of the session', { ArnLike: { 'aws:PrincipalArn': 'arn:aws:sts::111122223333:assumed-role/Reader/*' } }, false],
    ['the type of principal', { StringEquals: { 'aws:PrincipalType': 'AssumedRole' } }, true],
    ['the Region of the resource', { StringEquals: { 'aws:RequestedRegion': 'eu-west-1' } }, true],
    ['ForAllValues of a missing key', { 'ForAllValues:StringEquals': { 'aws:PrincipalTag/none': 'x' } }, true],
    ['ForAllValues of an empty value', { 'ForAllValues:StringEquals': { 'aws:PrincipalTag/empty': 'x' } }, true],
    ['ForAnyValue of a missing key', { 'ForAnyValue:StringNotEquals': { 'aws:PrincipalTag/none': 'x' } }, false],
    ['ForAnyValue', { 'ForAnyValue:StringLike': { 'aws:PrincipalTag/team': ['x', 'o*'] } }, true],
  ])('%s', (_name, condition, expected) => {
    expect(allows(allowIf(condition), 'orders', { action: OTHER })).toBe(expected);
  });

  test.each<[string, Condition, boolean]>([
    ['within', { IpAddress: { ip: '203.0.113.0/24' } }, true],
    ['outside', { IpAddress: { ip: ['203.0.114.0/24', '10.0.0.0/8'] } }, false],
    ['one alone', { IpAddress: { ip: '203.0.113.7' } }, true],
    ['all there are', { IpAddress: { ip: '0.0.0.0/0' } }, true],
    ['not within', { NotIpAddress: { ip: '203.0.113.0/24' } }, false],
    ['of several values one in a set', { 'ForAnyValue:StringNotEquals': { several: ['a', 'c'] } }, true],
    ['of several values all in a set', { 'ForAllValues:StringEquals': { several: ['a', 'c'] } }, false],
  ])('of keys that a rehearsal has no value for: %s', (_name, condition, expected) => {
    const keys = (name: string) => name === 'ip' ? { value: '203.0.113.7', types: ['IpAddress' as const] } : { value: ['a', 'b'], types: ['String' as const] };
    expect(new IdentityPolicies([version(allowIf(condition))]).decide({ action: OTHER, resource: user('orders'), keys })).toBe(expected);
  });

  test('the example in which an Arn operator differs from a String operator', () => {
    const keys = () => ({ value: 'arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt', types: ['String' as const, 'Arn' as const] });
    const decide = (operator: string) => new IdentityPolicies([version(allowIf({ [operator]: { 'aws:SourceArn': 'arn:aws:someservice:*:111122223333:finance/*' } }))])
      .decide({ action: OTHER, resource: user('orders'), keys });
    expect([decide('StringLike'), decide('ArnLike'), decide('ArnEquals'), decide('ArnNotLike')]).toEqual([true, false, false, true]);
  });

  test('a window of time', () => {
    const statement = allow(user('orders'), {
      Action: OTHER,
      Condition: { DateGreaterThanEquals: { 'aws:CurrentTime': '2026-03-01T09:00:00Z' }, DateLessThan: { 'aws:CurrentTime': '2026-03-01T17:00:00Z' } },
    });
    const at = (time: string) => allows(statement, 'orders', { action: OTHER, at: new Date(`2026-03-01T${time}Z`) });
    expect([at('08:59:59.999'), at('09:00:00'), at('16:59:59.999'), at('17:00:00')]).toEqual([false, true, true, false]);
  });
});

describe('throws at', () => {
  test.each<[string, PolicyStatement, string]>([
    ['an unknown effect', allow('*', { Effect: 'allow' }), 'Effect allow is not known'],
    ['an unknown element', { ...allow('*'), Principal: '*' } as PolicyStatement, 'Principal is not known'],
    ['no resource', { Effect: 'Allow', Action: CONNECT }, 'exactly one of'],
    ['an empty list', { Effect: 'Allow', Action: CONNECT, NotResource: [] }, 'none of them empty'],
    ['Action beside NotAction', allow('*', { NotAction: 'x:y' }), 'exactly one of'],
    ['a variable in an action', allow('*', { Action: 'rds-db:${*}' }), 'action "rds-db:${*}" is neither * nor of the form service:action'],
    ['a resource that is no ARN', allow('orders'), 'resource "orders" is neither * nor an ARN'],
    ['a wildcard for the service', allow('arn:aws:*:eu-west-1:111122223333:dbuser:x/y'), 'has a wildcard in the place of the service'],
    ['a variable before the fifth colon', allow('arn:aws:rds-db:eu-west-1:${aws:PrincipalAccount}:dbuser:x/y'), 'before the fifth colon'],
    ['a character that policies cannot have', allow(user('\u0101')), 'a character that IAM does not take'],
    ['an unknown operator', { ...allowIf({ StringSimilar: { 'aws:username': 'x' } }), Action: 'x:y' }, 'condition operator StringSimilar is not known; it must be'],
    ['a set of Null', allowIf({ 'ForAllValues:Null': { 'aws:username': 'true' } }), 'condition operator ForAllValues:Null is not known'],
    ['NullIfExists', allowIf({ NullIfExists: { 'aws:username': 'true' } }), 'condition operator NullIfExists is not known'],
    ['BinaryEquals', allowIf({ BinaryEquals: { 'aws:username': 'QQ==' } }), 'condition operator BinaryEquals is not rehearsed'],
    ['a condition without values', allowIf({ StringEquals: { 'aws:username': [] } }), 'StringEquals has a key without values'],
  ])('%s, before anything is asked', (_name, statement, message) => {
    expect(() => new IdentityPolicies([version(statement)])).toThrow(message);
  });

  test.each<[string, PolicyDocument, string]>([
    ['an unknown version', version([], '2012-10-18'), 'Version 2012-10-18 is not known, only 2012-10-17 and 2008-10-17'],
    ['an Id', { ...version([]), Id: 'x' } as PolicyDocument, 'Id is not known in an identity-based policy'],
  ])('%s', (_name, document, message) => {
    expect(() => new IdentityPolicies([], document)).toThrow(message);
  });

  test.each<[string, PolicyStatement, string]>([
    ['an unknown variable', allow(user('${aws:SourceIdentity}')), 'does not know condition key aws:SourceIdentity of this request; it knows aws:CurrentTime'],
    ['the id of a session', allow(user('${aws:userid}')), 'does not know condition key aws:userid'],
    ['a malformed variable', allow(user("${aws:username,'x'}")), "policy variable ${aws:username,'x'} has not the form ${key} or ${key, 'default'}"],
    ['an empty variable', allow(user('${}')), 'policy variable ${} has not the form'],
    ['an open variable', allow(user('${aws:username')), 'has no closing brace; write ${$}{'],
    ['a missing variable beside a match', allow([user('orders'), user('${aws:username}')]), 'no value for ${aws:username}. IAM says that this "might"'],
    ['a missing variable in NotResource', { Effect: 'Deny', Action: '*', NotResource: user('${aws:username}') }, 'no value for ${aws:username}'],
    ['a missing variable in a negated condition', allowIf({ StringNotEquals: { 'aws:PrincipalTag/Team': '${aws:username}' } }), 'no value for ${aws:username}'],
    ['a wildcard that would match a colon', allow('arn:aws:rds-db:eu*/orders'), 'put the * at the end of the segment'],
    ['a ? that would match a colon', allow(user('orders').replace(':dbuser:', '?dbuser:')), 'is not documented'],
    ['a key that nobody can answer, behind one that does not hold',
      allowIf({ StringEquals: { 'aws:PrincipalTag/Team': 'x' }, Bool: { 'aws:MultiFactorAuthPresent': 'true' } }),
      'Bool on aws:MultiFactorAuthPresent: a rehearsal does not know condition key aws:MultiFactorAuthPresent'],
    ['tags of a resource', allowIf({ StringEquals: { 'aws:ResourceTag/x': 'y' } }), 'does not know condition key aws:ResourceTag/x'],
    ['tags that CloudFormation adds', allowIf({ Null: { 'aws:PrincipalTag/aws:cloudformation:stack-name': 'true' } }), 'does not know condition key'],
    ['an operator that a key does not work with', allowIf({ DateLessThan: { 'aws:PrincipalTag/Team': '2026-03-01T12:00:00Z' } }),
      'DateLessThan on aws:PrincipalTag/Team: this key works with String operators only'],
    ['a variable with a date', allowIf({ DateLessThan: { 'aws:CurrentTime': '${aws:CurrentTime}' } }), 'IAM takes them with String and Arn operators only'],
    ['a date alone', allowIf({ DateLessThan: { 'aws:CurrentTime': '2026-03-01' } }), '"2026-03-01" is no moment such as 2026-03-01T12:00:00Z'],
    ['a date without zone', allowIf({ DateLessThan: { 'aws:CurrentTime': '2026-03-01T12:00:00' } }), 'is no moment'],
    ['a year or seconds', allowIf({ DateLessThan: { 'aws:CurrentTime': '2026' } }), 'is no moment'],
    ['the 30th of February', allowIf({ DateLessThan: { 'aws:CurrentTime': '2026-02-30T12:00:00Z' } }), 'is no moment'],
    ['hour 24', allowIf({ DateLessThan: { 'aws:CurrentTime': '2026-02-01T24:00:00Z' } }), 'is no moment'],
    ['what is no number', allowIf({ NumericLessThan: { 'aws:EpochTime': '1e9' } }), '"1e9" is no number'],
    ['what is no boolean', allowIf({ Bool: { 'aws:SecureTransport': 'yes' } }), '"yes" is neither true nor false'],
    ['what is no ARN', allowIf({ ArnLike: { 'aws:PrincipalArn': '*' } }), '"*" is no ARN of six parts'],
    ['ForAnyValue with IfExists of a missing key', allowIf({ 'ForAnyValue:StringEqualsIfExists': { 'aws:username': 'x' } }), 'leave one of them out'],
  ])('%s', (_name, statement, message) => {
    const action = statement.Action === OTHER ? OTHER : CONNECT;
    expect(() => allows(statement, 'orders', { action })).toThrow(message);
    expect(() => allows([allow('*', { Action: action }), statement], 'orders', { action })).toThrow(/^policy statement .* cannot be evaluated: /s);
  });

  test.each(['2001:db8::/32', '10.0.0.0/33', '10.0.0', '10.0.0.256', '10.0.0.01', '10.0.0.0/8/8'])('range %s', (range) => {
    const keys = () => ({ value: '203.0.113.7', types: ['IpAddress' as const] });
    expect(() => new IdentityPolicies([version(allowIf({ IpAddress: { ip: range } }))]).decide({ action: OTHER, resource: user('x'), keys })).toThrow(/IPv4/);
  });

  test('a key with several values without a set operator, and as a variable', () => {
    const decide = (statement: PolicyStatement) => () => new IdentityPolicies([version(statement)])
      .decide({ action: OTHER, resource: user('orders'), keys: () => ({ value: ['a', 'b'], types: ['String'] }) });
    expect(decide(allowIf({ StringEquals: { several: 'a' } }))).toThrow('needs ForAllValues or ForAnyValue');
    expect(decide(allow(user('${several}'), { Action: OTHER }))).toThrow('is of a key with several values');
  });
});

describe('roleAllows', () => {
  const state = (type: string, physicalId: string, properties: Record<string, unknown>, attributes = {}): ResourceState =>
    ({ logicalId: 'X', type, physicalId, properties, attributes, definition: { Type: type } });
  const role = (properties = {}) => state('AWS::IAM::Role', 'Reader', properties, { Arn: ROLE.arn });
  const policy = (document: PolicyDocument) => state('AWS::IAM::Policy', 'Policy', { Roles: ['Reader'], PolicyDocument: document });
  const managed = (arn: string, document: PolicyDocument) => state('AWS::IAM::ManagedPolicy', arn, { PolicyDocument: document });
  const request = (name: string, at = NOON) => ({ action: CONNECT, resource: user(name), at });

  test('tags of the role', () => {
    const own = policy(version(allow(user('${aws:PrincipalTag/team}'))));
    expect(roleAllows(role({ Tags: [{ Key: 'Team', Value: 'orders' }] }), [own], request('orders'))).toBe(true);
    expect(roleAllows(role(), [own], request('orders'))).toBe(false);
  });

  test('time', () => {
    const own = policy(version(allowIf({ DateLessThan: { 'aws:CurrentTime': '2026-03-01T12:00:01Z' } })));
    expect(roleAllows(role(), [own], { ...request('orders'), action: OTHER })).toBe(true);
    expect(roleAllows(role(), [own], { ...request('orders', new Date('2026-03-01T12:00:01Z')), action: OTHER })).toBe(false);
  });

  test('permissions boundary', () => {
    const existing = [policy(version(allow('*'))), managed('arn:aws:iam::111122223333:policy/Limit', version(allow(user('orders'))))];
    const bounded = role({ PermissionsBoundary: 'arn:aws:iam::111122223333:policy/Limit' });
    expect(roleAllows(bounded, existing, request('orders'))).toBe(true);
    expect(roleAllows(bounded, existing, request('bills'))).toBe(false);
  });

  test('fails for a boundary that is in no rehearsed stack', () => {
    const bounded = role({ PermissionsBoundary: 'arn:aws:iam::111122223333:policy/Limit' });
    expect(() => roleAllows(bounded, [], request('orders'))).toThrow('managed policy arn:aws:iam::111122223333:policy/Limit is in no rehearsed stack');
  });
});
