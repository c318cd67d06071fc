import { ResourceDefinition } from '../../../rehearsal/cloudformation/template';
import { accessDiff } from '../../../rehearsal/diff/access-diff';
import { declaredAccess } from '../../../rehearsal/diff/declared-access';
import { linesOfDiff } from '../../../rehearsal/diff/diff-text';

type Resources = Record<string, ResourceDefinition>;

const ID = { 'Fn::GetAtt': ['Cluster', 'DBClusterResourceId'] };
const user = (Username: string) => ({
  Type: 'Custom::RdsIamUser',
  Properties: { Database: { ResourceId: ID }, Username },
});
const connect = (username: string, Effect = 'Allow') => ({
  Effect, Action: 'rds-db:connect', Resource: { 'Fn::Join': ['', ['arn:aws:rds-db:*:*:dbuser:', ID, `/${username}`]] },
});
const BY_TAG = connect('${aws:PrincipalTag/db}');
const role = (Properties: object): Resources => ({ Role: { Type: 'AWS::IAM::Role', Properties: { ...Properties } } });
const policy = (...Statement: object[]): Resources => ({
  Policy: {
    Type: 'AWS::IAM::Policy',
    Properties: { Roles: [{ Ref: 'Role' }], PolicyDocument: { Version: '2012-10-17', Statement } },
  },
});

function changes(before: Resources, after: Resources): string[] {
  const [was, is] = [before, after].map(resources =>
    declaredAccess([
      {
        id: 'App',
        name: 'App',
        templateBytes: 0,
        dependencies: [],
        parameters: {},
        nested: {},
        account: '1',
        region: 'eu-west-1',
        template: {
          Resources: { Cluster: { Type: 'AWS::RDS::DBCluster' }, Ada: user('ada'), Grace: user('grace'), ...resources },
        },
      },
    ]),
  );
  return linesOfDiff(accessDiff(was, is)).map(
    ({ sign, text }) => `${sign} ${text.replaceAll('App/', '').replace('Cluster: IAM role ', '')}`,
  );
}

describe('a role that signs in as the user in its tag', () => {
  const tagged = (Value: unknown, Key = 'db', statement: object = BY_TAG) => ({
    ...role({ Tags: [{ Key, Value }] }),
    ...policy(statement),
  });

  test('signs in as another user if the app gives it another tag', () => {
    expect(changes(tagged('ada'), tagged('grace'))).toEqual(['+ Role: signs in as grace', '- Role: signs in as ada']);
    expect(changes(tagged('ada', 'DB'), tagged('ada', 'db'))).toEqual([]);
    expect(changes(tagged('ada', 'other'), tagged('grace', 'other'))).toEqual([]);
    expect(
      changes(
        tagged('ada', 'db', connect('x${aws:PrincipalTag/db}')),
        tagged('grace', 'db', connect('x${aws:PrincipalTag/db}')),
      ),
    ).toEqual([]);
  });

  test('does so perhaps if the tag is in a branch', () => {
    const branch = {
      ...role({ Tags: [{ 'Fn::If': ['C', { Key: 'db', Value: 'grace' }, { Ref: 'AWS::NoValue' }] }] }),
      ...policy(BY_TAG),
    };
    expect(changes({ ...role({}), ...policy(BY_TAG) }, branch)).toEqual([
      '+ Role: signs in as grace (perhaps: only under condition C)',
    ]);
  });

  const trusting = (Action: unknown, statement = BY_TAG, more: object = {}) => ({
    ...role({
      AssumeRolePolicyDocument: { Statement: [{ Effect: 'Allow', Principal: { AWS: '2' }, Action, ...more }] },
    }),
    ...policy(statement),
  });

  test('lets others say the user if they may tag its sessions', () => {
    const text = 'principal 2: may say by a tag as whom Role signs in';
    expect(changes(trusting('sts:AssumeRole'), trusting(['sts:AssumeRole', 'sts:TagSession']))).toEqual([`+ ${text}`]);
    expect(changes(trusting('sts:AssumeRole'), trusting('sts:*'))).toEqual([`+ ${text}`]);
    expect(
      changes(
        trusting('sts:*', BY_TAG, { Condition: { Bool: { a: 'true' } } }),
        trusting('sts:AssumeRole', BY_TAG, { Condition: { Bool: { a: 'true' } } }),
      ),
    ).toEqual([`- ${text}, under the conditions {"Bool":{"a":"true"}}`]);
    expect(changes(trusting('sts:AssumeRole', connect('ada')), trusting('sts:*', connect('ada')))).toEqual([]);
  });
});

describe('a trust policy', () => {
  const trusting = (...Statement: object[]) => ({
    ...role({ AssumeRolePolicyDocument: { Statement } }),
    ...policy(connect('ada')),
  });
  const allow = (Action: unknown, Effect = 'Allow') => ({ Effect, Principal: { AWS: '2' }, Action });

  test.each([
    ['sts:AssumeRole', true],
    ['STS:assumerole*', true],
    [['sts:SetSourceIdentity', 'sts:AssumeRoleWithWebIdentity'], true],
    ['*', true],
    ['sts:TagSession', false],
    ['sts:SetSourceIdentity', false],
    ['sts:SetContext', false],
  ])('lets a principal assume the role by its action: %s', (action, isAssuming) => {
    expect(changes(trusting(allow('sts:TagSession')), trusting(allow(action)))).toEqual(
      isAssuming ? ['+ principal 2: may assume Role'] : [],
    );
  });

  test('that denies something else does not restrict who may', () => {
    expect(changes(trusting(), trusting(allow('sts:AssumeRole'), allow('sts:TagSession', 'Deny')))).toEqual([
      '+ principal 2: may assume Role',
    ]);
  });

  test('is not decided where its action is known to the deployment alone', () => {
    expect(changes(trusting(), trusting(allow({ Ref: 'Action' })))).toEqual([
      '+ principal 2: may assume Role (perhaps: the Action in the trust policy is known to the deployment alone)',
    ]);
  });
});

describe('a policy variable', () => {
  test('in a Deny statement may refuse a user, and does not refuse each', () => {
    expect(changes({}, { ...role({}), ...policy(connect('ada'), connect('${aws:PrincipalTag/db}', 'Deny')) })).toEqual([
      '+ Role: signs in as ada (perhaps: a Deny statement may refuse it)',
    ]);
    expect(changes({}, { ...role({}), ...policy(connect('ada'), connect('*', 'Deny')) })).toEqual([]);
  });

  test('in a permissions boundary may allow a user, and does not allow each', () => {
    const Bound = {
      Type: 'AWS::IAM::ManagedPolicy',
      Properties: { PolicyDocument: { Version: '2012-10-17', Statement: BY_TAG } },
    };
    expect(
      changes({ Bound }, { Bound, ...role({ PermissionsBoundary: { Ref: 'Bound' } }), ...policy(connect('ada')) }),
    ).toEqual(['+ Role: signs in as ada (perhaps: its permissions boundary may refuse it)']);
  });
});

test('a text is split where it has the delimiter, and not within what only the deployment knows', () => {
  const select = (index: number, text: object) => connectTo({ 'Fn::Select': [index, { 'Fn::Split': ['-', text] }] });
  const connectTo = (username: object) => ({
    ...connect(''),
    Resource: { 'Fn::Join': ['', ['arn:aws:rds-db:*:*:dbuser:', ID, '/', username]] },
  });
  expect(changes({}, { ...role({}), ...policy(select(1, { 'Fn::Sub': 'x-ada-${My-Parameter}' })) })).toEqual([
    '+ Role: signs in as ada',
  ]);
  expect(changes({}, { ...role({}), ...policy(select(1, { 'Fn::Sub': 'x-${My-Parameter}-y' })) })).toEqual([
    '+ Role: signs in as ${App.My-Parameter}, a user that the app does not create there',
  ]);
});
