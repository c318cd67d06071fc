import { Account, StackFacts } from '../../cli/deployed/account';
import { sqlLines } from '../../cli/deployed/change-text';
import { DeployedStack } from '../../cli/deployed/deployed-stack';
import { NotPossible } from '../../cli/deployed/not-possible';
import { parseTemplate } from '../../cli/deployed/parse-template';
import { compareStacks, DatabaseDrift } from '../../cli/drift/compare-stacks';
import { jsonText } from '../../cli/json-text';
import { jsonOfDrift, textOfDrift } from '../../cli/drift/drift-text';
import { driftOptionsOf } from '../../cli/drift/options';
import { planOptionsOf } from '../../cli/plan/options';
import { markdownOfPlan, textOfPlan } from '../../cli/plan/plan-text';
import { planStacks, ResourceResult, StackPlan } from '../../cli/plan/plan-stacks';
import { PlannedResource, resourcesOf } from '../../cli/plan/stack-events';
import { AssemblyStack } from '../../rehearsal/cloudformation/cloud-assembly';
import { ResourceDefinition, Template } from '../../rehearsal/cloudformation/template';

const HANDLER: ResourceDefinition = {
  Type: 'AWS::Lambda::Function',
  Properties: { Environment: { Variables: { DATABASE_RESOURCE_ID: 'cluster-1' } } },
};
const FRAMEWORK: ResourceDefinition = {
  Type: 'AWS::Lambda::Function',
  Properties: { Environment: { Variables: { USER_ON_EVENT_FUNCTION_ARN: { 'Fn::GetAtt': ['Handler', 'Arn'] } } } },
};

function user(
  username: unknown,
  others: Partial<ResourceDefinition> = {},
  properties: object = {},
): ResourceDefinition {
  return {
    Type: 'Custom::RdsIamUser',
    Properties: {
      ServiceToken: { 'Fn::GetAtt': ['Framework', 'Arn'] },
      Database: { ResourceId: 'cluster-1' },
      Username: username,
      ...properties,
    },
    ...others,
  };
}

function templateOf(resources: Template['Resources'], Parameters: Template['Parameters'] = {}): Template {
  return { Parameters, Resources: { Handler: HANDLER, Framework: FRAMEWORK, ...resources } };
}

function deployedOf(template: Template, parameters: Record<string, string> = {}): DeployedStack {
  const facts: StackFacts = {
    name: 'Shop',
    id: 'arn:aws:cloudformation:eu-central-1:111122223333:stack/Shop/1',
    partition: 'aws',
    account: '111122223333',
    region: 'eu-central-1',
    status: 'UPDATE_COMPLETE',
    parameters: new Map(Object.entries(parameters)),
    outputs: new Map(),
  };
  return {
    facts,
    template,
    resources: new Map(
      Object.entries(template.Resources).map(([id, { Type: type }]) => [id, { type, physicalId: `physical-${id}` }]),
    ),
    nested: new Map(),
  };
}

/** What a deployment would do to the roles of one stack. */
function between(
  before: Template | undefined,
  after: Template,
  parameters?: Record<string,
    string>,
  given: Record<string,
    string> = {},
): PlannedResource[] {
  const next = {
    id: 'Shop',
    name: 'Shop',
    template: after,
    templateBytes: 0,
    dependencies: [],
    parameters: {},
    nested: {},
  } satisfies AssemblyStack;
  return resourcesOf({
    name: 'Shop', deployed: before && deployedOf(before, parameters), next, given: new Map(
      Object.entries(given).map(([name, value]) => [name, { value }]),
    ), isNested: false,
  });
}

const shown = (resources: PlannedResource[]) =>
  resources.map(({ action, logicalId, outcome }) => [
    action,
    logicalId,
    outcome.kind === 'event'
      ? (outcome.event.ResourceProperties as { Username: string }).Username
      : outcome.kind === 'problem'
        ? `problem: ${outcome.problem}`
        : `not planned: ${outcome.reason}`,
  ]);

describe('what a deployment sends', () => {
  test('creations and changes come in the order of dependencies, removals after them in the reverse order', () => {
    const before = templateOf(
      { Old: user('old'), Older: user('older', { DependsOn: 'Old' }), Kept: user('kept'), Changed: user('changed') },
    );
    const after = templateOf({
      First: user('first', { DependsOn: ['Second'] }),
      Second: user('second'),
      Kept: user('kept'),
      Changed: user('changed', {}, { MemberOf: ['g'] }),
    });
    expect(shown(between(before, after))).toEqual([
      ['create', 'Second', 'second'],
      ['create', 'First', 'first'],
      ['update', 'Changed', 'changed'],
      ['delete', 'Older', 'older'],
      ['delete', 'Old', 'old'],
    ]);
    expect(between(before, after).map(({ outcome }) => outcome.kind === 'event' && outcome.handler)).toEqual(
      Array(5).fill('Handler'),
    );
  });

  const named = (value: unknown) => templateOf(
    { User: user(value), Role: { Type: 'AWS::IAM::Role', Properties: {} } },
    { Suffix: { Type: 'String', Default: 'default' } },
  );
  test.each<[string, unknown, Record<string, string>, Record<string, string>, string]>([
    ['the default of a parameter', { Ref: 'Suffix' }, {}, {}, 'default'],
    ['the value that a parameter has', { 'Fn::Join': ['-', ['a', { Ref: 'Suffix' }]] }, { Suffix: 'kept' }, {}, 'a-kept'],
    ['the value that is given', { 'Fn::Sub': '${AWS::StackName}-${Suffix}' }, { Suffix: 'kept' }, { Suffix: 'given' },
      'Shop-given'],
    ['the physical id of a resource', { Ref: 'Role' }, {}, {}, 'physical-Role'],
    [
      'an attribute',
      { 'Fn::GetAtt': ['Role', 'RoleId'] },
      {},
      {},
      'not planned: Username.Fn::GetAtt: attribute RoleId of resource Role is known to CloudFormation alone',
    ],
    [
      'an export',
      { 'Fn::ImportValue': 'x' },
      {},
      {},
      'not planned: Username.Fn::ImportValue: export x is read by CloudFormation during the deployment',
    ],
    [
      'a reference to Systems Manager',
      '{{resolve:ssm:name}}',
      {},
      {},
      'not planned: {{resolve:ssm:name}} is read by CloudFormation during the deployment',
    ],
    [
      'a parameter that is hidden',
      { Ref: 'Suffix' },
      { Suffix: '****' },
      {},
      'not planned: Username.Ref: the value of parameter Suffix is not shown by CloudFormation',
    ],
  ])('%s', (_, value, parameters, given, expected) => {
    const before = templateOf({ Role: named(value).Resources.Role }, named(value).Parameters);
    expect(shown(between(before, named(value), parameters, given))).toEqual([['create', 'User', expected]]);
  });

  test('the name of a resource that may be replaced is not guessed', () => {
    const withRole = (Properties: Record<string, unknown>, Type = 'AWS::IAM::Role') => ({ Role: { Type, Properties } });
    const plan = (was: Template['Resources'], is: Template['Resources']) => shown(
      between(templateOf(was), templateOf({ ...is, User: user({ Ref: 'Role' }) })),
    );
    const changed = [
      ['create', 'User',
        'not planned: Username.Ref: resource Role is changed by the deployment, which may give it another name'],
    ];
    expect(plan(withRole({ Description: 'a' }), withRole({ Description: 'b' }))).toEqual([
      ['create', 'User', 'physical-Role'],
    ]);
    expect(plan(withRole({ RoleName: 'a' }), withRole({ RoleName: 'b' }))).toEqual(changed);
    expect(plan(withRole({ Any: 'a' }, 'Custom::Other'), withRole({ Any: 'b' }, 'Custom::Other'))).toEqual(changed);
    expect(plan({}, withRole({}))).toEqual(
      [['create', 'User', 'not planned: Username.Ref: resource Role is created by the deployment, which gives it a name']],
    );
  });

  test('what is not known is no change where nothing changes that it depends on', () => {
    const template = (id: string) => templateOf(
      { User: user({ 'Fn::GetAtt': ['Role', 'RoleId'] }), Role: { Type: 'Custom::Other', Properties: { id } } },
    );
    expect(between(template('a'), template('a'))).toEqual([]);
    expect(shown(between(template('a'), template('b')))).toEqual([
      ['update', 'User', expect.stringContaining('not planned: ')],
    ]);
  });

  test.each<[string, Template | undefined, Template, string]>([
    [
      'a stack that is not deployed',
      undefined,
      templateOf({ User: user('a') }),
      'not planned: its stack is not deployed in this account and Region: there is no provisioner that could plan it',
    ],
    [
      'a new provisioner',
      { Resources: {} },
      templateOf({ User: user('a') }),
      'not planned: its provisioner is created by the deployment: nothing can be planned before it exists',
    ],
    [
      'another database',
      templateOf({}),
      templateOf(
        { User: user('a'),
          Handler: { ...HANDLER, Properties: { Environment: { Variables: { DATABASE_RESOURCE_ID: 'cluster-2' } } } } },
      ),
      'not planned: its provisioner is for another database after the deployment: nothing can be planned there before',
    ],
    [
      'another type',
      templateOf({ User: { ...user('a'), Type: 'Custom::RdsGroupRole' } }),
      templateOf({ User: user('a') }),
      'problem: it is a Custom::RdsGroupRole and would become a Custom::RdsIamUser, and CloudFormation changes no type; give the construct another id',
    ],
    [
      'another service token',
      templateOf({ User: user('a') }),
      templateOf({ User: user('a', {}, { ServiceToken: { 'Fn::GetAtt': ['Handler', 'Arn'] } }) }),
      'problem: its provisioner would become another one, and CloudFormation refuses to modify a ServiceToken; give the construct another id',
    ],
  ])('%s', (_, before, after, expected) => {
    expect(shown(between(before, after))).toEqual([[before?.Resources.User ? 'update' : 'create', 'User', expected]]);
  });
});

describe('the texts of a plan', () => {
  const result = (others: Partial<ResourceResult>): ResourceResult => (
    { logicalId: 'User', name: 'User', type: 'Custom::RdsIamUser', action: 'update', changes: [], notes: [], ...others }
  );
  const planOf = (...resources: ResourceResult[]): StackPlan => ({
    stack: 'Shop',
    underWay: [],
    resources,
    impossible: [],
  });

  test('nothing to do is said', () => {
    expect(textOfPlan([planOf(result({}))])).toBe(
      'Stack Shop\n\nNothing to do.\n\n0 creations, 0 changes, 0 removals: 0 statements.\n',
    );
    expect(textOfPlan([])).toBe('No stack has users or group roles of cdk-aurora-iam-auth.\n');
  });

  test('names are no lines of their own, and no Markdown', () => {
    const hostile = 'a"\n````\n# Nothing to do.\n@team\u202e';
    const text = markdownOfPlan(
      [
        planOf(
          result({
            name: hostile,
            changes: [
              { database: 'x', change: `create user ${hostile}`, roles: [hostile], sql: [`CREATE USER "${hostile}"`] },
            ],
            problem: hostile,
          }),
        ),
      ],
    );
    const [fence] = /^`+(?=sql$)/m.exec(text)!;
    expect(text.split('\n').filter(line => line.startsWith(fence))).toEqual([`${fence}sql`, fence]);
    expect(text.split('\n').filter(line => line.startsWith('# '))).toEqual(['# Database changes']);
    expect(text).not.toContain('\u202e');
    expect(
      sqlLines([{ database: 'x', change: 'y', roles: ['u'], sql: ['A\nB'] }], [{ notice: 'kept', username: 'u' }]),
    ).toEqual(['-- in x: y', 'A', '        B;', '-- note: kept (username: u)']);
  });

  test.each([
    'a\n',
    '\u001b[2J',
    '\u009b2J',
    '\u202e',
    '\u2028',
    '<script>',
    '```\n# x',
    '~~~',
    '| x |',
    '[x](javascript:x)',
    '@team',
    '\r- [x] y',
  ])('are safe with %j as any name', (hostile) => {
    const change = { database: hostile, change: hostile, roles: [hostile], sql: [`GRANT "${hostile}" TO x`] };
    const plans: StackPlan[] = [{
      stack: hostile, account: hostile, region: hostile, underWay: [hostile], impossible: [hostile],
      resources: [
        result({
          name: hostile,
          logicalId: hostile,
          changes: [change],
          notes: [{ notice: hostile, [hostile]: hostile }],
          problem: hostile,
          notPlanned: hostile,
        }),
      ],
    }];
    const drift: DatabaseDrift = {
      stack: hostile,
      stackId: hostile,
      account: hostile,
      region: hostile,
      resourceId: hostile,
      admin: hostile,
      version: 170000,
      underWay: hostile,
      driftedRoles: 1,
      resources: [{ name: hostile, logicalId: hostile, names: [hostile], changes: [change], problem: hostile }],
      undeclared: [
        {
          role: hostile,
          canLogin: true,
          withToken: null,
          isSuperuser: true,
          createsRoles: true,
          validUntil: hostile,
          isAdmin: false,
        },
      ],
    };
    const markdown = markdownOfPlan(plans);
    const texts = [textOfPlan(plans), markdown, textOfDrift({ databases: [drift], impossible: [hostile] })];
    for (const text of [...texts, jsonOfDrift({ databases: [drift], impossible: [] }, new Date(0)), jsonText(plans)]) {
      expect(text.replaceAll('\n', '')).not.toMatch(/\p{C}|\p{Zl}|\p{Zp}/u);
    }
    // What follows a line break in a name is further in than any line of ours.
    const later = hostile.split('\n').slice(1).join('');
    expect(texts.flatMap(text => text.split('\n')).filter(line => later !== '' && line.startsWith(later))).toEqual([]);
    const outside = markdown.replace(/^```sql\n[^]*?\n```$/gm, '').replaceAll(/`[^`\n]+`/g, '');
    expect(outside).not.toMatch(/<|\]\(|^(```|~~~|- |\|)|@team/m);
    expect(outside.split('\n').filter(line => line.startsWith('# '))).toEqual(['# Database changes']);
  });

  test('a deployment under way, and what is not possible', () => {
    const text = textOfPlan([
      { ...planOf(), underWay: ['the stack is in UPDATE_IN_PROGRESS'], impossible: ['no alias'] },
    ]);
    expect(text).toContain('A deployment is under way (the stack is in UPDATE_IN_PROGRESS)');
    expect(text).toContain('Not possible: no alias');
    expect(text).not.toContain('Nothing to do.');
  });
});

describe('templates as they were uploaded', () => {
  test('JSON, and YAML without short forms', () => {
    const template = { Resources: { User: user('yes') } };
    expect(parseTemplate(JSON.stringify(template), 'Shop')).toEqual(template);
    expect(
      parseTemplate(
        'Resources:\n  Role:\n    Type: AWS::IAM::Role\n    Properties:\n      RoleName:\n        Ref: Name\n', 'Shop',
      ),
    ).toEqual({ Resources: { Role: { Type: 'AWS::IAM::Role', Properties: { RoleName: { Ref: 'Name' } } } } });
    expect(
      () => parseTemplate('Resources:\n  Role:\n    Type: !Ref Name\n', 'Shop'),
    ).toThrow('the template of stack Shop is not read: Unresolved tag: !Ref');
  });
});

describe('options', () => {
  test('are refused with the reason', () => {
    expect(() => planOptionsOf([])).toThrow('expected one folder that cdk synth has written, not none');
    expect(() => planOptionsOf(['a', 'b'])).toThrow('expected one folder that cdk synth has written, not a b');
    expect(() => planOptionsOf(['a', '--json', '--markdown'])).toThrow(
      '--json and --markdown are two formats; pass one of them',
    );
    expect(() => planOptionsOf(['a', '--parameter', 'x'])).toThrow('--parameter x is not of the form key=value');
    expect(() => driftOptionsOf([])).toThrow('name stacks, or a folder that cdk synth has written');
    expect(() => driftOptionsOf(['a', '--expect', 'x'])).toThrow('--expect x is for --all');
    expect(driftOptionsOf(['a', '--fail-on-undeclared'])).toMatchObject({ all: true });
    expect(planOptionsOf(['--help'])).toBeUndefined();
  });
});

describe('what is not possible', () => {
  /** An account with one deployed stack. */
  function accountOf(
    template: Template,
    invoke: Account['invoke'] = () => Promise.reject(new NotPossible('refused')),
  ): Account {
    const { facts, resources } = deployedOf(template);
    return {
      id: () => Promise.resolve('111122223333'),
      stack: name => Promise.resolve(name === 'Shop' ? facts : undefined),
      template: () => Promise.resolve(template),
      resources: () => Promise.resolve(new Map(resources)),
      invoke,
    };
  }
  const next: AssemblyStack = {
    id: 'Shop',
    name: 'Shop',
    template: templateOf({ User: user('a') }),
    templateBytes: 0,
    dependencies: [],
    parameters: {},
    nested: {},
  };
  const alias = (Name: string) => ({
    Alias: { Type: 'AWS::Lambda::Alias', Properties: { Name, FunctionName: { Ref: 'Handler' } } },
  });
  const reasons = async (account: Account, stack = next) =>
    (
      await planStacks(account, { stacks: [stack], parametersOf: () => ({}), isWanted: () => true })
    ).flatMap(({ impossible }) => impossible);

  test('without an alias, another account, and an error of the function', async () => {
    await expect(reasons(accountOf(templateOf({})))).resolves.toEqual([
      'the provisioner Handler of the deployed stack Shop has no alias "plan"; call iamAuth.grantPlan(...) with the role that plans, and deploy the stack once',
    ]);
    await expect(reasons(accountOf(templateOf(alias('drift'))))).resolves.toEqual([
      expect.stringContaining('has no alias "plan"'),
    ]);
    await expect(reasons(accountOf(templateOf(alias('plan'))))).resolves.toEqual(['refused']);
    await expect(reasons(accountOf(templateOf({})), { ...next, account: '444455556666' })).resolves.toEqual([
      'it is in account 444455556666, and the credentials are of account 111122223333; use those of account 444455556666',
    ]);
  });

  test('each provisioner is asked once, with its events in their order', async () => {
    const asked: unknown[] = [];
    const account = accountOf(templateOf(alias('plan')), (arn, event) => {
      asked.push([
        arn,
        (event as { resources: { LogicalResourceId: string }[] }).resources.map(each => each.LogicalResourceId),
      ]);
      return Promise.resolve({ server: { admin: 'postgres', version: 170000 }, resources: [] });
    });
    await expect(
      reasons(account, { ...next, template: templateOf({ B: user('b', { DependsOn: 'A' }), A: user('a') }) }),
    ).resolves.toEqual([]);
    expect(asked).toEqual([['physical-Alias', ['A', 'B']]]);
  });

  test('a comparison of a stack without the alias, without roles, or that is not deployed', async () => {
    const compare = async (template: Template, name = 'Shop') => (
      await compareStacks(accountOf(template), [{ name }], { only: [], undeclared: false, expected: [] })
    ).impossible;
    await expect(compare(templateOf({ User: user('a') }))).resolves.toEqual([
      'stack Shop: its provisioner Handler has no alias "drift"; call iamAuth.grantDrift(...) with the role that compares, and deploy the stack once',
    ]);
    await expect(compare({ Resources: {} })).resolves.toEqual(
      ['stack Shop: it has no users or group roles of cdk-aurora-iam-auth; name the stack that declares them'],
    );
    await expect(compare(templateOf({}), 'Other')).resolves.toEqual(
      ['stack Other: it is not deployed, or in another account or Region than the credentials; pass --region'],
    );
  });
});
