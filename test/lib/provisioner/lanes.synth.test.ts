import { App, Aspects, CfnCondition, CfnResource, Fn, Lazy, Stack, Token } from 'aws-cdk-lib';
import { AuroraIamAuth, DatabaseUser, Privileges, ProvisionerOptions, SqlTransport } from '../../../lib';
import { IRELAND, newApp, newCluster, resourcesOf } from '../support';

let app: App;
let stack: Stack;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Data', { env: IRELAND });
});

const NAMES = Array.from({ length: 10 }, (_, n) => `u${n}`);

function iamAuthOf(provisioner?: ProvisionerOptions, id = 'IamAuth', scope = stack): AuroraIamAuth {
  return new AuroraIamAuth(scope, id, {
    cluster: newCluster(scope, `${id}Cluster`),
    ...(provisioner ? { provisioner } : {}),
  });
}

/** What each user waits for among the others, by name. */
function lanes(of = stack): Record<string, string[]> {
  const resources = Object.entries(resourcesOf(of)).filter(([, { Type }]) => Type.startsWith('Custom::Rds'));
  const names = new Map(
    resources.map(
      ([
        id,
        {
          Properties: { Username, RoleName, Usernames },
        },
      ]) => [id, (Username ?? RoleName ?? (Usernames as string[]).join()) as string],
    ),
  );
  const waits = resources.map(([id, { DependsOn = [] }]): [string, string[]] => [
    names.get(id)!,
    DependsOn.flatMap(other => names.get(other) ?? []),
  ]);
  return Object.fromEntries(waits.filter(([, waitsFor]) => waitsFor.length > 0));
}

describe('users of a stack', () => {
  test.each([
    [4, {}],
    [5, { u4: ['u0'] }],
    [9, { u4: ['u0'], u5: ['u1'], u6: ['u2'], u7: ['u3'], u8: ['u4'] }],
  ])('%i of them are created four at a time', (count, expected) => {
    const iamAuth = iamAuthOf();
    NAMES.slice(0, count).forEach(name => iamAuth.addUser(name));
    expect(lanes()).toEqual(expected);
  });

  test('group roles and lists of users count as well', () => {
    const iamAuth = iamAuthOf();
    const readers = iamAuth.addRole('readers');
    iamAuth.addUsers('team', { usernames: ['ann', 'bob'], privileges: [Privileges.memberOf(readers)] });
    NAMES.slice(0, 4).forEach(name => iamAuth.addUser(name));
    expect(lanes()).toEqual({ 'ann,bob': ['readers'], 'u2': ['readers'], 'u3': ['ann,bob'] });
  });

  test.each([[1, 9], [10, 0], [100, 0]])(
    'concurrentUsers %i: %i of ten wait for another one',
    (concurrentUsers, waiting) => {
      const iamAuth = iamAuthOf({ concurrentUsers });
      NAMES.forEach(name => iamAuth.addUser(name));
      expect(Object.keys(lanes())).toHaveLength(waiting);
    },
  );

  test.each([
    [{ reservedConcurrentExecutions: 1 }, 9],
    [{ reservedConcurrentExecutions: 2 }, 8],
    [{ reservedConcurrentExecutions: 4 }, 6],
    [{ reservedConcurrentExecutions: 20 }, 6],
    [{ reservedConcurrentExecutions: 10, concurrentUsers: 10 }, 0],
    [{ reservedConcurrentExecutions: Token.asNumber(Fn.importValue('Number')) }, 6],
    [{ reservedConcurrentExecutions: Token.asNumber(Fn.importValue('Number')), concurrentUsers: 10 }, 0],
  ])('there are no more at the same time than executions are reserved: with %j, %i of ten wait', (options, waiting) => {
    const iamAuth = iamAuthOf(options);
    NAMES.forEach(name => iamAuth.addUser(name));
    expect(Object.keys(lanes())).toHaveLength(waiting);
  });

  test('fails for fewer executions than users at the same time', () => {
    expect(() => iamAuthOf({ reservedConcurrentExecutions: 9, concurrentUsers: 10 })).toThrow(
      new Error(
        '[Data/IamAuth] reservedConcurrentExecutions 9 is less than concurrentUsers 10: a user without an execution waits in a queue of Lambda '
        + 'while the time of its resource runs; reserve at least 10, or pass concurrentUsers: 9',
      ),
    );
  });

  test.each([0, -1, 1.5, NaN])('fails for %d users at the same time', (concurrentUsers) => {
    expect(() => iamAuthOf({ concurrentUsers })).toThrow(
      new Error(
        `[Data/IamAuth] concurrentUsers ${concurrentUsers} is not a number of users from 1 on; pass one, or leave it out`,
      ),
    );
  });

  test('fails for a number that only the deployment knows', () => {
    expect(() => iamAuthOf({ concurrentUsers: Token.asNumber({ Ref: 'Number' }) })).toThrow(new Error(
      '[Data/IamAuth] concurrentUsers is a token, and dependencies in the template follow from it; pass a number'));
  });

  test('are created four at a time through the Data API', () => {
    const iamAuth = new AuroraIamAuth(stack, 'IamAuth', {
      cluster: newCluster(stack, 'Cluster', { enableDataApi: true }),
      transport: SqlTransport.dataApi(),
    });
    NAMES.slice(0, 5).forEach(name => iamAuth.addUser(name));
    expect(lanes()).toEqual({ u4: ['u0'] });
  });

  test('of each database and stack wait for each other alone', () => {
    const [one, other] = [iamAuthOf(undefined, 'One'), iamAuthOf(undefined, 'Other')];
    NAMES.slice(0, 5).forEach(name => [one.addUser(`one-${name}`), other.addUser(`other-${name}`)]);
    expect(lanes()).toEqual({ 'one-u4': ['one-u0'], 'other-u4': ['other-u0'] });
  });

  test('keep what they wait for anyway, and in the same order', () => {
    const iamAuth = iamAuthOf();
    const [table, other] = ['Table', 'Other'].map(id => new CfnResource(stack, id, { type: 'Test::Resource' }));
    NAMES.slice(0, 5).forEach(name => iamAuth.addUser(name).node.addDependency(table, other));
    const [last] = Object.values(resourcesOf(stack, 'Custom::RdsIamUser')).slice(-1);
    expect(last.DependsOn).toEqual(['Other', 'Table', expect.stringMatching(/^IamAuthu0/)]);
  });

  test('of another stack wait for no resource that is not in their template', () => {
    const migrator = iamAuthOf().addUser('migrator');
    const service = new Stack(app, 'Service', { env: IRELAND });
    const user = new DatabaseUser(service, 'User', {
      iamAuth: stack.node.findChild('IamAuth') as AuroraIamAuth,
      username: 'app',
    });
    user.node.addDependency(migrator);
    expect(Object.values(resourcesOf(service, 'Custom::RdsIamUser')).map(({ DependsOn }) => DependsOn)).toEqual([
      undefined,
    ]);
    expect(service.dependencies).toContain(stack);
  });

  test('are the same at each synthesis, and more at one after more were added', () => {
    const iamAuth = iamAuthOf();
    NAMES.slice(0, 5).forEach(name => iamAuth.addUser(name));
    const [first, second] = [1, 2].map(() => app.synth({ force: true }).getStackByName('Data').template as unknown);
    expect(second).toEqual(first);
    iamAuth.addUser('u5');
    const { Resources } = app.synth({ force: true }).getStackByName('Data').template as {
      Resources: Record<string, { DependsOn?: string[] }>;
    };
    expect(
      Object.entries(Resources)
        .filter(([id]) => /u[45]/.test(id))
        .map(([, { DependsOn }]) => DependsOn),
    ).toEqual([[expect.stringMatching(/u0/)], [expect.stringMatching(/u1/)]]);
  });
});

/** Fails for a cycle, as Template.fromStack does. */
describe('no edge where the app has a path of its own', () => {
  const ways: [string, (first: CfnResource, last: CfnResource) => void][] = [
    ['a dependency', (first, last) => first.addDependency(last)],
    ['a dependency between constructs, through another resource', (first, last) => {
      const migration = new CfnResource(stack, 'Migration', { type: 'Test::Resource' });
      first.node.scope!.node.addDependency(migration);
      migration.node.addDependency(last.node.scope!);
    }],
    ['Ref', (first, last) => between(first, last.ref)],
    ['Fn::GetAtt', (first, last) => between(first, last.getAtt('Any').toString())],
    ['Fn::Sub', (first, last) => between(first, Fn.sub(`a \${${stack.resolve(last.logicalId)}} b`))],
    ['an override', (first, last) => first.addOverride('Metadata.Of', { Ref: stack.resolve(last.logicalId) as string })],
    ['a property of its own', (first, last) => first.addPropertyOverride('Any', last.ref)],
    ['a list of its own', (first, last) => first.addPropertyOverride('Any', Token.asList(last.getAtt('Any')))],
    ['a name that is a token', (first, last) => first.addPropertyOverride('Any', { Ref: last.logicalId })],
    ['an attribute of a name that is a token',
      (first, last) => first.addPropertyOverride('Any', { 'Fn::GetAtt': [last.logicalId, 'Any'] })],
    ['metadata of its own', (first, last) => first.addMetadata('Of', Lazy.any({ produce: () => [last.ref] }))],
    ['DependsOn as an override', (first, last) => first.addOverride('DependsOn', [last.logicalId])],
    ['a value that is known at the end', (first, last) => between(first, Lazy.string({ produce: () => last.ref }))],
    ['an aspect', (first, last) => Aspects.of(app).add({ visit: node => node === stack && first.addDependency(last) })],
  ];

  function between(first: CfnResource, value: string): void {
    first.addDependency(new CfnResource(stack, 'Between', { type: 'Test::Resource', properties: { Value: value } }));
  }

  const resourceOf = (iamAuth: AuroraIamAuth, name: string) =>
    iamAuth.node.findChild(name).node.defaultChild as CfnResource;

  test.each(ways)('by %s', (_, make) => {
    const iamAuth = iamAuthOf();
    NAMES.slice(0, 5).forEach(name => iamAuth.addUser(name));
    // The last one of the template comes first. It would wait for the first one otherwise.
    make(resourceOf(iamAuth, 'u0'), resourceOf(iamAuth, 'u4'));
    const waits = lanes();
    expect(waits.u4).toBeUndefined();
    // In the order of the app, u3 is the fifth.
    expect(Object.keys(waits).filter(name => name !== 'u0')).toEqual(['u3']);
  });

  test('of two databases, whose users wait for each other crosswise', () => {
    const [one, other] = [iamAuthOf({ concurrentUsers: 1 }, 'One'), iamAuthOf({ concurrentUsers: 1 }, 'Other')];
    ['a1', 'a2'].forEach(name => one.addUser(name));
    ['b1', 'b2'].forEach(name => other.addUser(name));
    resourceOf(one, 'a1').addDependency(resourceOf(other, 'b2'));
    resourceOf(other, 'b1').addDependency(resourceOf(one, 'a2'));
    // Its own order alone would make each of them wait for itself: a1, b2, b1, a2, a1.
    expect(lanes()).toEqual({ a1: ['b2'], a2: ['a1'], b1: ['a2', 'b2'] });
  });

  test.each([
    ['and a user waits for it: no edge', 'u2', {}],
    ['and no user waits for it: as elsewhere', undefined, { u4: ['u0'] }],
  ])('there is a resource with a name in it that a macro stands for, %s', (_, waiting, expected) => {
    const iamAuth = iamAuthOf();
    NAMES.slice(0, 5).forEach(name => iamAuth.addUser(name));
    const made = new CfnResource(stack, 'Serverless', {
      type: 'AWS::Serverless::Function', properties: { Role: { 'Fn::GetAtt': ['MadeByAMacro', 'Arn'] } },
    });
    if (waiting !== undefined) {
      resourceOf(iamAuth, waiting).addDependency(made);
    }
    expect(lanes()).toEqual(expected);
  });

  test('for a user that is there under a condition', () => {
    const iamAuth = iamAuthOf();
    NAMES.slice(0, 6).forEach(name => iamAuth.addUser(name));
    resourceOf(iamAuth, 'u0').cfnOptions.condition = new CfnCondition(stack, 'Some', {
      expression: Fn.conditionEquals('a', 'a'),
    });
    expect(lanes()).toEqual({ u5: ['u1'] });
  });
});
