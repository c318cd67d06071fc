import { IdentityPolicies } from '../../rehearsal/iam/identity-policies';
import { Condition, PolicyDocument, PolicyStatement } from '../../rehearsal/iam/policy-document';
import { allow, allowIf, allows, CONNECT, OTHER, user, version } from './policy-questions';

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
    ['two operators', { StringEquals: { 'aws:PrincipalTag/team': 'orders' }, Bool: { 'aws:SecureTransport': 'false' } },
      false],
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
    ['the ARN of the session', { ArnLike: { 'aws:PrincipalArn': 'arn:aws:sts::111122223333:assumed-role/Reader/*' } },
      false],
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
    const keys = (name: string) =>
      name === 'ip'
        ? { value: '203.0.113.7', types: ['IpAddress' as const] }
        : { value: ['a', 'b'], types: ['String' as const] };
    expect(
      new IdentityPolicies([version(allowIf(condition))]).decide({ action: OTHER, resource: user('orders'), keys }),
    ).toBe(expected);
  });

  test('the example in which an Arn operator differs from a String operator', () => {
    const keys = () => ({
      value: 'arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt',
      types: ['String' as const, 'Arn' as const],
    });
    const decide = (operator: string) =>
      new IdentityPolicies([
        version(allowIf({ [operator]: { 'aws:SourceArn': 'arn:aws:someservice:*:111122223333:finance/*' } })),
      ]).decide({ action: OTHER, resource: user('orders'), keys });
    expect([decide('StringLike'), decide('ArnLike'), decide('ArnEquals'), decide('ArnNotLike')]).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  test('a window of time', () => {
    const statement = allow(user('orders'), {
      Action: OTHER,
      Condition: {
        DateGreaterThanEquals: { 'aws:CurrentTime': '2026-03-01T09:00:00Z' },
        DateLessThan: { 'aws:CurrentTime': '2026-03-01T17:00:00Z' },
      },
    });
    const at = (time: string) => allows(statement, 'orders', { action: OTHER, at: new Date(`2026-03-01T${time}Z`) });
    expect([at('08:59:59.999'), at('09:00:00'), at('16:59:59.999'), at('17:00:00')]).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});

describe('throws at', () => {
  test.each<[string, PolicyStatement, string]>([
    ['an unknown effect', allow('*', { Effect: 'allow' }), 'Effect allow is not known'],
    ['an unknown element', { ...allow('*'), Principal: '*' } as PolicyStatement, 'Principal is not known'],
    ['no resource', { Effect: 'Allow', Action: CONNECT }, 'exactly one of'],
    ['an empty list', { Effect: 'Allow', Action: CONNECT, NotResource: [] }, 'none of them empty'],
    ['Action beside NotAction', allow('*', { NotAction: 'x:y' }), 'exactly one of'],
    ['a variable in an action', allow('*', { Action: 'rds-db:${*}' }),
      'action "rds-db:${*}" is neither * nor of the form service:action'],
    ['a resource that is no ARN', allow('orders'), 'resource "orders" is neither * nor an ARN'],
    ['a wildcard for the service', allow('arn:aws:*:eu-west-1:111122223333:dbuser:x/y'),
      'has a wildcard in the place of the service'],
    ['a variable before the fifth colon', allow('arn:aws:rds-db:eu-west-1:${aws:PrincipalAccount}:dbuser:x/y'),
      'before the fifth colon'],
    ['a character that policies cannot have', allow(user('\u0101')), 'a character that IAM does not take'],
    ['an unknown operator', { ...allowIf({ StringSimilar: { 'aws:username': 'x' } }), Action: 'x:y' },
      'condition operator StringSimilar is not known; it must be'],
    ['a set of Null', allowIf({ 'ForAllValues:Null': { 'aws:username': 'true' } }),
      'condition operator ForAllValues:Null is not known'],
    ['NullIfExists', allowIf({ NullIfExists: { 'aws:username': 'true' } }),
      'condition operator NullIfExists is not known'],
    ['BinaryEquals', allowIf({ BinaryEquals: { 'aws:username': 'QQ==' } }),
      'condition operator BinaryEquals is not rehearsed'],
    ['a condition without values', allowIf({ StringEquals: { 'aws:username': [] } }),
      'StringEquals has a key without values'],
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
    ['an unknown variable', allow(user('${aws:SourceIdentity}')),
      'does not know condition key aws:SourceIdentity of this request; it knows aws:CurrentTime'],
    ['the id of a session', allow(user('${aws:userid}')), 'does not know condition key aws:userid'],
    ['a malformed variable', allow(user("${aws:username,'x'}")),
      "policy variable ${aws:username,'x'} has not the form ${key} or ${key, 'default'}"],
    ['an empty variable', allow(user('${}')), 'policy variable ${} has not the form'],
    ['an open variable', allow(user('${aws:username')), 'has no closing brace; write ${$}{'],
    ['a missing variable beside a match', allow([user('orders'), user('${aws:username}')]),
      'no value for ${aws:username}. IAM says that this "might"'],
    ['a missing variable in NotResource', { Effect: 'Deny', Action: '*', NotResource: user('${aws:username}') },
      'no value for ${aws:username}'],
    ['a missing variable in a negated condition',
      allowIf({ StringNotEquals: { 'aws:PrincipalTag/Team': '${aws:username}' } }), 'no value for ${aws:username}'],
    ['a wildcard that would match a colon', allow('arn:aws:rds-db:eu*/orders'), 'put the * at the end of the segment'],
    ['a ? that would match a colon', allow(user('orders').replace(':dbuser:', '?dbuser:')), 'is not documented'],
    ['a key whose value is not known, behind one that does not hold',
      allowIf({ StringEquals: { 'aws:PrincipalTag/Team': 'x' }, Bool: { 'aws:MultiFactorAuthPresent': 'true' } }),
      'Bool on aws:MultiFactorAuthPresent: a rehearsal does not know condition key aws:MultiFactorAuthPresent'],
    ['tags of a resource', allowIf({ StringEquals: { 'aws:ResourceTag/x': 'y' } }),
      'does not know condition key aws:ResourceTag/x'],
    ['tags that CloudFormation adds', allowIf({ Null: { 'aws:PrincipalTag/aws:cloudformation:stack-name': 'true' } }),
      'does not know condition key'],
    ['an operator that a key does not work with',
      allowIf({ DateLessThan: { 'aws:PrincipalTag/Team': '2026-03-01T12:00:00Z' } }),
      'DateLessThan on aws:PrincipalTag/Team: this key works with String operators only'],
    ['a variable with a date', allowIf({ DateLessThan: { 'aws:CurrentTime': '${aws:CurrentTime}' } }),
      'IAM takes them with String and Arn operators only'],
    ['a date alone', allowIf({ DateLessThan: { 'aws:CurrentTime': '2026-03-01' } }),
      '"2026-03-01" is no moment such as 2026-03-01T12:00:00Z'],
    ['a date without zone', allowIf({ DateLessThan: { 'aws:CurrentTime': '2026-03-01T12:00:00' } }), 'is no moment'],
    ['a year or seconds', allowIf({ DateLessThan: { 'aws:CurrentTime': '2026' } }), 'is no moment'],
    ['the 30th of February', allowIf({ DateLessThan: { 'aws:CurrentTime': '2026-02-30T12:00:00Z' } }), 'is no moment'],
    ['hour 24', allowIf({ DateLessThan: { 'aws:CurrentTime': '2026-02-01T24:00:00Z' } }), 'is no moment'],
    ['what is no number', allowIf({ NumericLessThan: { 'aws:EpochTime': '1e9' } }), '"1e9" is no number'],
    ['what is no boolean', allowIf({ Bool: { 'aws:SecureTransport': 'yes' } }), '"yes" is neither true nor false'],
    ['what is no ARN', allowIf({ ArnLike: { 'aws:PrincipalArn': '*' } }), '"*" is no ARN of six parts'],
    ['ForAnyValue with IfExists of a missing key',
      allowIf({ 'ForAnyValue:StringEqualsIfExists': { 'aws:username': 'x' } }), 'leave one of them out'],
  ])('%s', (_name, statement, message) => {
    const action = statement.Action === OTHER ? OTHER : CONNECT;
    expect(() => allows(statement, 'orders', { action })).toThrow(message);
    expect(() => allows([allow('*', { Action: action }), statement], 'orders', { action })).toThrow(
      /^policy statement .* cannot be evaluated: /s,
    );
  });

  test.each(['2001:db8::/32', '10.0.0.0/33', '10.0.0', '10.0.0.256', '10.0.0.01', '10.0.0.0/8/8'])(
    'range %s',
    (range) => {
      const keys = () => ({ value: '203.0.113.7', types: ['IpAddress' as const] });
      expect(() =>
        new IdentityPolicies([version(allowIf({ IpAddress: { ip: range } }))]).decide({
          action: OTHER,
          resource: user('x'),
          keys,
        }),
      ).toThrow(/IPv4/);
    },
  );

  test('a key with several values without a set operator, and as a variable', () => {
    const decide = (statement: PolicyStatement) => () => new IdentityPolicies([version(statement)])
      .decide({ action: OTHER, resource: user('orders'), keys: () => ({ value: ['a', 'b'], types: ['String'] }) });
    expect(decide(allowIf({ StringEquals: { several: 'a' } }))).toThrow('needs ForAllValues or ForAnyValue');
    expect(decide(allow(user('${several}'), { Action: OTHER }))).toThrow('is of a key with several values');
  });
});
