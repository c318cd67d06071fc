import { AssemblyStack } from '../../../rehearsal/cloudformation/cloud-assembly';
import { accessDiff } from '../../../rehearsal/diff/access-diff';
import { declaredAccess } from '../../../rehearsal/diff/declared-access';
import { linesOfDiff } from '../../../rehearsal/diff/diff-text';

type Template = AssemblyStack['template'];

const ID = { 'Fn::GetAtt': ['Cluster', 'DBClusterResourceId'] };
const arnOf = (username: unknown) => ({ 'Fn::Join': ['', ['arn:aws:rds-db:*:*:dbuser:', ID, '/', username]] });
const signsIn = (Resource: unknown, Condition?: string) => ({
  Type: 'AWS::IAM::Policy',
  ...(Condition === undefined ? {} : { Condition }),
  Properties: {
    Roles: ['app'],
    PolicyDocument: { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 'rds-db:connect', Resource } },
  },
});
const stackOf = (Resources: object, others: Partial<Template>, region?: string): AssemblyStack => ({
  id: 'App', name: 'App', templateBytes: 0, dependencies: [], parameters: {}, nested: {}, account: '1', region,
  template: { ...others, Resources: { Cluster: { Type: 'AWS::RDS::DBCluster' }, ...Resources } },
});

/** How one template differs from another, without where and who. */
function changes(before: AssemblyStack, after: AssemblyStack): string[] {
  const [was, is] = [before, after].map(stack => declaredAccess([stack]));
  return linesOfDiff(accessDiff(was, is)).map(
    ({ sign, text }) =>
      `${sign} ${text
        .replace('App/Cluster: IAM role app: signs in as ', '')
        .replace(', a user that the app does not create there', '')}`,
  );
}

describe('a value of a mapping', () => {
  const of = (
    users: object,
    { key = 'eu', region }: { key?: unknown; region?: string } = {},
    property: unknown = 'user',
  ) => {
    const found = { 'Fn::FindInMap': ['Users', key, property] };
    return stackOf(
      { Policy: signsIn(property === 'arns' ? found : arnOf(found)) },
      { Mappings: { Users: users as never } },
      region,
    );
  };

  test('is what the mapping has', () => {
    expect(changes(of({ eu: { user: 'ada' } }), of({ eu: { user: 'grace' } }))).toEqual(['+ grace', '- ada']);
    expect(
      changes(of({ eu: { user: 'ada' } }), of({ eu: { user: 'ada', other: 'grace' }, us: { user: 'grace' } })),
    ).toEqual([]);
  });

  test('is that of the Region of the stack', () => {
    const byRegion = { key: { Ref: 'AWS::Region' }, region: 'eu-west-1' };
    const [ada, grace] = ['ada', 'grace'].map(user => ({ 'eu-west-1': { user } }));
    expect(changes(of(ada, byRegion), of(grace, byRegion))).toEqual(['+ grace', '- ada']);
    expect(changes(of(ada, byRegion), of({ ...ada, 'us-east-1': { user: 'grace' } }, byRegion))).toEqual([]);
  });

  test('is a list', () => {
    const arns = (...users: string[]) =>
      of({ eu: { arns: users.map(user => `arn:aws:rds-db:*:*:dbuser:cluster-B/${user}`) } }, {}, 'arns');
    expect(changes(arns('ada'), arns('ada', 'grace'))).toEqual([expect.stringContaining('grace')]);
  });

  test('that only the deployment chooses is another one as soon as the mapping is another one', () => {
    const open = { key: { Ref: 'Key' } };
    const [ada, grace] = ['ada', 'grace'].map(user => of({ eu: { user } }, open));
    expect(changes(ada, ada)).toEqual([]);
    expect(changes(ada, grace)).toEqual([expect.stringMatching(/^\+.*grace/), expect.stringMatching(/^-.*ada/)]);
  });
});

describe('what a condition depends on', () => {
  const of = (Conditions: Record<string, unknown>) => stackOf({ Policy: signsIn(arnOf('ada'), 'C') }, { Conditions });
  const never = { 'Fn::Equals': ['a', 'b'] };
  const always = { 'Fn::Equals': ['a', 'a'] };

  test('is said, and compared', () => {
    const perhaps = (definition: unknown) =>
      `ada (perhaps: only under condition C (${JSON.stringify(definition)}) of stack App)`;
    expect(changes(of({ C: never }), of({ C: never }))).toEqual([]);
    expect(changes(of({ C: never }), of({ C: always }))).toEqual([`+ ${perhaps(always)}`, `- ${perhaps(never)}`]);
  });

  test('may be another condition, or a mapping', () => {
    expect(
      changes(
        of({ C: { 'Fn::Not': [{ Condition: 'D' }] }, D: always }),
        of({ C: { 'Fn::Not': [{ Condition: 'D' }] }, D: never }),
      ),
    ).toHaveLength(2);
    expect(
      changes(
        of({ C: { 'Fn::Not': [{ Condition: 'D' }] }, D: always, E: never }),
        of({ C: { 'Fn::Not': [{ Condition: 'D' }] }, D: always }),
      ),
    ).toEqual([]);
    expect(
      changes(of({ C: { 'Fn::Not': [{ Condition: 'C' }] } }), of({ C: { 'Fn::Not': [{ Condition: 'C' }] } })),
    ).toEqual([]);
  });

  test.each([
    ['in a list', [{ 'Fn::If': ['C', arnOf('ada'), arnOf('grace')] }]],
    ['in a part of a text', arnOf({ 'Fn::If': ['C', 'ada', 'grace'] })],
  ])('of a branch %s', (_, resource) => {
    const [one, another] = [never, always].map(C => stackOf({ Policy: signsIn(resource) }, { Conditions: { C } }));
    expect(changes(one, one)).toEqual([]);
    expect(changes(one, another).length).toBeGreaterThan(1);
  });
});
