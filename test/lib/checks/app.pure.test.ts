import { App, Validations } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { Acknowledgements } from '../../../lib/checks/acknowledgements';
import type { ConstructMetadata } from '../../../lib/checks/app/cloud-assembly';
import { SynthesizedApp, type TemplateFile } from '../../../lib/checks/app/synthesized-app';
import type { Resource, TemplateBody } from '../../../lib/checks/app/template';
import { itemsOf, jsonIn, keyOf, mayBeUnset, partsOf, settingOf, shown, textOf, textsOf } from '../../../lib/checks/app/value';
import { reportOf } from '../../../lib/checks/report';
import type { Finding, Rule } from '../../../lib/checks/rule';
import { connectWildcard } from '../../../lib/checks/rules/connect-wildcard';
import { provisionerInvocable } from '../../../lib/checks/rules/provisioner-invocable';
import { masterSecretReadable } from '../../../lib/checks/rules/master-secret-readable';

const NONE = new Acknowledgements(new Map());
const file = (body: TemplateBody, name = 'Data', { environment = 'aws://111111111111/eu-west-1', folder = '/cdk.out' } = {}): TemplateFile =>
  ({ file: `${folder}/${name}.template.json`, stack: { name, environment, folder }, body });
const resources = (all: object) => ({ Resources: all as NonNullable<TemplateBody['Resources']> });
const WIDE = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'rds-db:connect', Resource: '*' }] };
const OPEN = { Ref: 'Open' };

/** The ids of findings, where they are, and the identities that are in them. */
function found(all: object, rule: Rule = connectWildcard): string[] {
  const { violations } = reportOf(new SynthesizedApp([file(resources(all))]), [rule], NONE);
  return violations.map(({ ruleName, violatingResources: [{ resourceLogicalId, locations }] }) => `${ruleName.replace(/^IamAuth-\w+/, '')} ${resourceLogicalId} ${locations.join().replace('Properties/', '')}`);
}

describe('a policy is found', () => {
  const statement = 'PolicyDocument/Statement/0';
  test.each<[string, object, string[]]>([
    ['in a role, a user and a group', Object.fromEntries(['Role', 'User', 'Group'].map(kind => [kind, { Type: `AWS::IAM::${kind}`, Properties: { Policies: [{ PolicyName: 'p', PolicyDocument: WIDE }] } }])),
      ['Role', 'User', 'Group'].map(kind => `[*] ${kind} Policies/0/${statement}`)],
    ['in policies that are attached', Object.fromEntries(['Policy', 'ManagedPolicy', 'RolePolicy', 'UserPolicy', 'GroupPolicy'].map(kind => [kind, { Type: `AWS::IAM::${kind}`, Properties: { PolicyDocument: WIDE } }])),
      ['Policy', 'ManagedPolicy', 'RolePolicy', 'UserPolicy', 'GroupPolicy'].map(kind => `[*] ${kind} ${statement}`)],
    ['in a permission set', { Set: { Type: 'AWS::SSO::PermissionSet', Properties: { InlinePolicy: JSON.stringify(WIDE) } } }, ['[*] Set InlinePolicy/Statement/0']],
    ['in a permission set that is not there', { Set: { Type: 'AWS::SSO::PermissionSet', Properties: {} } }, []],
    ['of AWS, by a role', { Role: { Type: 'AWS::IAM::Role', Properties: { ManagedPolicyArns: [{ 'Fn::Sub': 'arn:${AWS::Partition}:iam::aws:policy/AdministratorAccess' }] } } }, ['[AdministratorAccess] Role ManagedPolicyArns']],
    ['of AWS, by a permission set', { Set: { Type: 'AWS::SSO::PermissionSet', Properties: { ManagedPolicies: ['arn:aws:iam::aws:policy/PowerUserAccess'] } } }, ['[PowerUserAccess] Set ManagedPolicies']],
    ['of AWS that allows other actions', { Role: { Type: 'AWS::IAM::Role', Properties: { ManagedPolicyArns: ['arn:aws:iam::aws:policy/AmazonRDSFullAccess', 'arn:aws:iam::aws:policy/ReadOnlyAccess'] } } }, []],
    ['of a parameter', { Role: { Type: 'AWS::IAM::Role', Properties: { ManagedPolicyArns: [OPEN] } } }, ['[unknown-<Open>] Role ManagedPolicyArns']],
    ['of another app, of which nothing is known', { Role: { Type: 'AWS::IAM::Role', Properties: { ManagedPolicyArns: ['arn:aws:iam::111111111111:policy/theirs'] } } }, []],
    ['in both branches', { Role: { Type: 'AWS::IAM::Role', Properties: { Policies: [{ 'Fn::If': ['C', { PolicyDocument: WIDE }, { PolicyDocument: { 'Fn::If': ['D', WIDE, { Ref: 'AWS::NoValue' }] } }] }] } } },
      [`[*] Role Policies/0/${statement}`]],
    ['in a function of AWS SAM', { F: { Type: 'AWS::Serverless::Function', Properties: { Policies: [WIDE, 'AdministratorAccess', { S3ReadPolicy: { BucketName: 'b' } }] } } },
      ['[*] F Policies/0/Statement/0', '[AdministratorAccess] F Policies/1']],
    ['in a function of AWS SAM that has a role', { F: { Type: 'AWS::Serverless::Function', Properties: { Role: 'arn:aws:iam::1:role/r', Policies: WIDE } } }, []],
    ['in a stack whose template is not here', { Nested: { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL: 'https://x' } }, Set: { Type: 'AWS::CloudFormation::StackSet', Properties: { TemplateBody: OPEN } } },
      ['[unknown-template] Nested TemplateURL', '[unknown-template] Set TemplateBody']],
    ['in a custom resource', { Custom: { Type: 'Custom::AWS', Properties: { Create: JSON.stringify({ action: 'putRolePolicy', parameters: { PolicyDocument: JSON.stringify(WIDE) } }) } } },
      ['[*] Custom Create/parameters/PolicyDocument/Statement/0']],
    ['in a custom resource, as a document of a parameter', { Custom: { Type: 'AWS::CloudFormation::CustomResource', Properties: { policyDocument: OPEN } } }, ['[unknown-document] Custom policyDocument']],
    ['in a custom resource, by its ARN', { Custom: { Type: 'Custom::AWS', Properties: { Items: [{ PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' }] } } }, ['[AdministratorAccess] Custom Items/0/PolicyArn']],
    ['in a custom resource, but not one of who may assume a role', { Custom: { Type: 'Custom::AWS', Properties: { AssumeRolePolicyDocument: WIDE } } }, []],
    ['in a custom resource, but not one of a bucket', { Custom: { Type: 'Custom::AWS', Properties: { PolicyDocument: { Statement: [{ ...WIDE.Statement[0], Principal: '*' }, { ...WIDE.Statement[0], NotPrincipal: '*' }] } } } }, []],
    ...['ManagedPolicyArn', 'managedPolicyArns', 'PolicyArn'].map((name): [string, object, string[]] =>
      [`in a custom resource, by ${name}`, { Custom: { Type: 'Custom::AWS', Properties: { [name]: ['arn:aws:iam::aws:policy/AdministratorAccess'] } } }, [`[AdministratorAccess] Custom ${name}/0`]]),
    ...['ThePolicyArn', 'PolicyArnOld'].map((name): [string, object, string[]] =>
      [`in a custom resource, but not by ${name}`, { Custom: { Type: 'Custom::AWS', Properties: { [name]: 'arn:aws:iam::aws:policy/AdministratorAccess' } } }, []]),
    ...['MyPolicyDocument', 'PolicyDocuments'].map((name): [string, object, string[]] =>
      [`in a custom resource, but not in ${name}, of which nothing is known`, { Custom: { Type: 'Custom::AWS', Properties: { [name]: OPEN } } }, []]),
    ...['NewAssumeRolePolicyDocument', 'AssumeRolePolicyDocuments', 'Anything'].map((name): [string, object, string[]] =>
      [`in a custom resource, in ${name} that has statements`, { Custom: { Type: 'Custom::AWS', Properties: { [name]: WIDE } } }, [`[*] Custom ${name}/Statement/0`]]),
    ['in a custom resource, in the second of a list', { Custom: { Type: 'Custom::AWS', Properties: { InlinePolicies: ['text', 5, WIDE] } } }, ['[*] Custom InlinePolicies/2/Statement/0']],
    ['in a custom resource, but not of this library', { Custom: { Type: 'Custom::RdsIamUser', Properties: { PolicyDocument: WIDE } } }, []],
    ['in nothing else', { Bucket: { Type: 'AWS::S3::BucketPolicy', Properties: { PolicyDocument: WIDE } } }, []],
  ])('%s', (_, all, expected) => {
    expect(found(all)).toEqual(expected);
  });

  test('with each identity that has it attached, by its ARN, by its name or as one of the account', () => {
    const secret = { Type: 'AWS::SecretsManager::Secret', Properties: {} };
    const cluster = { Type: 'AWS::RDS::DBCluster', Properties: { Engine: 'aurora-postgresql', MasterUserPassword: { 'Fn::Sub': '{{resolve:secretsmanager:${Secret}}}' } } };
    const user = { Type: 'AWS::IAM::UserPolicy', Properties: { UserName: 'x', PolicyDocument: { Statement: { Effect: 'Allow', Action: 'rds-db:connect', Resource: { 'Fn::Sub': 'arn:aws:rds-db:eu-west-1:1:dbuser:${Cluster.DBClusterResourceId}/ada' } } } } };
    const policy = { Type: 'AWS::IAM::ManagedPolicy', Properties: { ManagedPolicyName: 'reading', Groups: ['team'], PolicyDocument: { Statement: { Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: { Ref: 'Secret' } } } } };
    const app = new SynthesizedApp([file(resources({
      Secret: secret, Cluster: cluster, User: user, Policy: policy,
      ByReference: { Type: 'AWS::IAM::Role', Properties: { ManagedPolicyArns: [{ Ref: 'Policy' }] } },
      ByArn: { Type: 'AWS::IAM::User', Properties: { ManagedPolicyArns: ['arn:aws:iam::111111111111:policy/path/reading'] } },
      ByName: { Type: 'AWS::SSO::PermissionSet', Properties: { CustomerManagedPolicyReferences: [{ Name: 'reading' }] } },
      Team: { Type: 'AWS::IAM::Group', Properties: { GroupName: 'team' } },
      Other: { Type: 'AWS::IAM::Role', Properties: { ManagedPolicyArns: ['arn:aws:iam::111111111111:policy/other'] } },
    }))]);
    const [{ description }] = reportOf(app, [masterSecretReadable], NONE).violations;
    expect(description.split(' may read')[0]).toBe('Team, ByReference, ByArn, ByName');
  });

  test('as a policy template of AWS SAM', () => {
    const handler = { Type: 'AWS::Lambda::Function', Properties: { FunctionName: 'create', Environment: { Variables: { DATABASE_RESOURCE_ID: 'x' } } } };
    const user = { Type: 'Custom::RdsIamUser', Properties: { ServiceToken: { 'Fn::GetAtt': ['Handler', 'Arn'] } } };
    const sam = (policy: unknown) => found({ Handler: handler, User: user, F: { Type: 'AWS::Serverless::Function', Properties: { Policies: [policy] } } }, provisionerInvocable);
    expect(sam({ LambdaInvokePolicy: { FunctionName: { Ref: 'Handler' } } })).toEqual(['[<Handler>] F Policies/0/Statement/0']);
    expect(sam({ LambdaInvokePolicy: { FunctionName: 'create' } })).toEqual(['[<Handler>] F Policies/0/Statement/0']);
    expect([sam({ LambdaInvokePolicy: { FunctionName: 'others' } }), sam({ DynamoDBReadPolicy: {} }), sam('AWSLambda_ReadOnlyAccess')]).toEqual([[], [], []]);
    expect(sam(OPEN)).toEqual(['[unknown-<Open>] F Policies/0']);
  });
});

describe('a report', () => {
  const rule = (findings: Finding[], more: Partial<Rule> = {}): Rule => ({ id: 'Rule', remedy: 'do it', source: 'https://x', check: ({ logicalId }) => logicalId === 'It' ? findings : 'COMPLIANT', ...more });
  const It = { Type: 'Custom::It', Properties: {} };
  const finding: Finding = { what: 'a b', problem: 'is bad', location: 'Properties/X' };
  const idOf = (what: string | undefined, unknown?: boolean) => reportOf(new SynthesizedApp([file(resources({ It }))]), [rule([{ ...finding, what, unknown }])], NONE).violations[0].ruleName;
  const report = (findings: Finding[], more: Partial<Rule> = {}) => reportOf(new SynthesizedApp([file(resources({ It }))]), [rule(findings, more)], NONE);

  test('has what was found, where, and what to do', () => {
    expect(report([finding])).toEqual({
      success: false,
      violations: [{
        ruleName: 'Rule[a-b]', description: 'is bad', severity: 'error', fix: 'do it', ruleMetadata: { source: 'https://x' },
        violatingResources: [{ resourceLogicalId: 'It', templatePath: '/cdk.out/Data.template.json', locations: ['Properties/X'] }],
      }],
    });
    expect(report([])).toEqual({ success: true, violations: [] });
  });

  test('fails for what is wrong, and warns of what cannot be told', () => {
    const severities = (...args: Parameters<typeof report>) => [report(...args).success, ...report(...args).violations.map(({ severity, description }) => `${severity}: ${description}`)];
    expect(severities([{ ...finding, unknown: true }])).toEqual([true, 'warning: cannot be told at synthesis: is bad']);
    expect(severities([finding], { isWarning: true })).toEqual([true, 'warning: is bad']);
    expect(severities([finding, { ...finding, unknown: true }])).toEqual([false, 'error: is bad', 'warning: cannot be told at synthesis: is bad']);
  });

  test('has the first of what is said of one thing', () => {
    expect(report([finding, { ...finding, problem: 'is worse' }, { ...finding, what: 'c' }]).violations.map(({ ruleName, description }) => [ruleName, description])).toEqual([['Rule[a-b]', 'is bad'], ['Rule[c]', 'is bad']]);
  });

  test.each<[string | undefined, boolean | undefined, string]>([
    [undefined, undefined, 'Rule'], [undefined, true, 'Rule[unknown]'], ['x', true, 'Rule[unknown-x]'], ['a::b:c', undefined, 'Rule[a:b:c]'], ['${a}[b](c)', undefined, 'Rule[${a}[b](c)]'],
    ['a{b', undefined, 'Rule[a_b]'], ['a)b', undefined, 'Rule[a_b]'], ['(a]', undefined, 'Rule[_a_]'], ['([)]', undefined, 'Rule[____]'],
  ])('has an id that CDK can acknowledge: %s, %s', (what, unknown, id) => {
    expect(idOf(what, unknown)).toBe(id);
  });

  test('names the stack set whose template has the resource', () => {
    const set = (properties: object) => ({ Set: { Type: 'AWS::CloudFormation::StackSet', Properties: properties } });
    const policy = { Policy: { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: WIDE } } };
    const [{ ruleName, description, violatingResources }] = reportOf(new SynthesizedApp([file(resources(set({ TemplateBody: JSON.stringify({ Resources: policy }) })))]), [connectWildcard], NONE).violations;
    expect([ruleName, description.split(',')[0], violatingResources]).toEqual(['IamAuth-ConnectWildcard[Policy-*]', 'Policy in the template of this stack set: rds-db:connect is allowed on *', [{
      resourceLogicalId: 'Set', templatePath: '/cdk.out/Data.template.json', locations: ['Properties/TemplateBody/Policy/Properties/PolicyDocument/Statement/0'],
    }]]);
    const inFile = reportOf(new SynthesizedApp([file(resources(set({ TemplateURL: 'x' })))], () => file(resources(policy), 'Asset')), [connectWildcard], NONE).violations[0];
    expect(inFile.violatingResources[0].locations).toEqual(['Properties/TemplateURL/Policy/Properties/PolicyDocument/Statement/0']);
    expect(found(set({ TemplateBody: '{}' }))).toEqual(['[unknown-template] Set TemplateBody']);
  });

  describe('leaves out what is acknowledged', () => {
    const KEY = Validations.ACKNOWLEDGED_RULES_METADATA_KEY;
    const metadata = (entries: ConstructMetadata) => new Acknowledgements(new Map([['/cdk.out/Data.template.json', entries]]));
    const logicalId = (id: string) => ({ type: 'aws:cdk:logicalId', data: id });
    const acknowledged = (...ids: string[]) => ({ type: KEY, data: Object.fromEntries(ids.map(id => [id, 'reason'])) });
    const isLeft = (acknowledgements: Acknowledgements, more: object = {}) => reportOf(new SynthesizedApp([file(resources({ It: { ...It, ...more } }))]), [rule([finding])], acknowledgements).violations.length === 1;
    test.each<[string, ConstructMetadata, boolean]>([
      ['on the construct', { '/Data/It/Resource': [logicalId('It'), acknowledged('Rule[a-b]')] }, false],
      ['on one around it', { '/Data/It/Resource': [logicalId('It')], '/Data': [acknowledged('Rule[a-b]')] }, false],
      ['with the source that CDK puts in front', { '/Data/It/Resource': [logicalId('It'), acknowledged('Annotation::Rule[a-b]')] }, false],
      ['but not another id', { '/Data/It/Resource': [logicalId('It'), acknowledged('Rule', 'Rule[a-b]c')] }, true],
      ['but not on a construct beside it', { '/Data/It/Resource': [logicalId('It')], '/Data/Other': [acknowledged('Rule[a-b]')] }, true],
      ['but not on one whose name begins so', { '/Data/It/Resource': [logicalId('It')], '/Data/I': [acknowledged('Rule[a-b]')] }, true],
      ['but not by metadata of another kind', { '/Data/It/Resource': [logicalId('It'), { type: 'aws:cdk:warning', data: { 'Rule[a-b]': 'x' } }] }, true],
    ])('%s', (_, entries, expected) => {
      expect(isLeft(metadata(entries))).toBe(expected);
    });

    test('by the path that the resource has itself', () => {
      expect(isLeft(metadata({ '/Data/There': [acknowledged('Rule[a-b]')] }), { Metadata: { 'aws:cdk:path': 'Data/There/Resource' } })).toBe(false);
    });

    test('by the construct itself, where CDK hands it over', () => {
      const has = (path: string, id: string, root: Construct) => new Acknowledgements(new Map(), root).has(id, { metadata: { 'aws:cdk:path': path } } as unknown as Resource);
      const [one, whole] = [new App(), new App()];
      Validations.of(new Construct(one, 'Data')).acknowledge({ id: 'Rule[a]', reason: 'meant' });
      Validations.of(whole).acknowledge({ id: 'Rule[a]', reason: 'meant' });
      expect([has('Data/It', 'Rule[a]', one), has('Data', 'Rule[a]', one), has('Database/It', 'Rule[a]', one), has('Data/It', 'Rule[b]', one), has('Data/It', 'Rule[a]', whole)]).toEqual([true, true, false, false, true]);
    });

    test('but not by a logical id that is no text, or a text that is no logical id', () => {
      expect(isLeft(metadata({ '/Data/Other': [{ type: 'aws:cdk:info', data: 'It' }, { type: 'aws:cdk:logicalId', data: 5 }, acknowledged('Rule[a-b]')] }))).toBe(true);
    });

    test('in a nested stack, which has logical ids of its own', () => {
      const nested = { Nested: { Type: 'AWS::CloudFormation::Stack', Properties: {} } };
      const app = () => new SynthesizedApp([file(resources({ It, ...nested }))], () => file(resources({ It }), 'Inner'));
      const outer = { '/Data/Nested/It/Resource': [logicalId('It')], '/Data/Nested.NestedStack/Nested.NestedStackResource': [logicalId('Nested')], '/Data/It/Resource': [logicalId('It')] };
      const left = (more: ConstructMetadata) => reportOf(app(), [rule([finding])], metadata({ ...outer, ...more })).violations.map(({ violatingResources: [{ templatePath }] }) => templatePath!.replace(/.*\//, ''));
      expect(left({})).toEqual(['Data.template.json', 'Inner.template.json']);
      expect(left({ '/Data/Nested': [acknowledged('Rule[a-b]')] })).toEqual(['Data.template.json']);
      expect(left({ '/Data/It': [acknowledged('Rule[a-b]')] })).toEqual(['Inner.template.json']);
    });
  });
});

describe('a value', () => {
  const app = new SynthesizedApp([
    file({
      ...resources({
        Holder: { Type: 'Custom::Holder', Properties: {} }, Cluster: { Type: 'AWS::RDS::DBCluster', Properties: {} },
        Reader: { Type: 'Custom::CrossRegionExportReader', Properties: {} }, Nested: { Type: 'AWS::CloudFormation::Stack', Properties: { Parameters: { Given: { Ref: 'Cluster' } } } },
      }),
    }),
    file({ ...resources({ Writer: { Type: 'Custom::CrossRegionExportWriter', Properties: { WriterProps: { exports: { '/cdk/x': { Ref: 'There' } } } } }, There: { Type: 'AWS::RDS::DBCluster', Properties: {} } }) }, 'Far', { environment: 'aws://111111111111/us-east-1' }),
  ], ({ logicalId }) => logicalId === 'Nested' ? file({ ...resources({ Inside: { Type: 'AWS::IAM::Role', Properties: {} } }), Outputs: { Out: { Value: { Ref: 'Inside' } } } }, 'Inner') : undefined);
  const templateOf = (logicalId: string) => app.resources.find(resource => resource.logicalId === logicalId)!.template;
  const here = templateOf('Holder');
  const read = (value: unknown, template = here) => shown(partsOf(value, template));

  test('of another template is followed there', () => {
    expect(read({ 'Fn::GetAtt': ['Nested', 'Outputs.Out'] })).toBe('<Inside>');
    expect(read({ 'Fn::GetAtt': ['Nested', 'Outputs.Other'] })).toBe('<Nested.Outputs.Other>');
    expect([read({ Ref: 'Given' }, templateOf('Inside')), read({ Ref: 'NotGiven' }, templateOf('Inside')), read({ Ref: 'Given' })]).toEqual(['<Cluster>', '<NotGiven>', '<Given>']);
    expect([read({ 'Fn::GetAtt': ['Cluster', 'Value'] }), read({ 'Fn::GetAtt': ['Cluster', '/cdk/x'] }), read({ 'Fn::Sub': '${Cluster.Endpoint.Port}' })]).toEqual(['<Cluster.Value>', '<Cluster./cdk/x>', '<Cluster.Endpoint.Port>']);
    expect([read({ 'Fn::GetAtt': ['Reader', '/cdk/x'] }), read({ 'Fn::GetAtt': ['Reader', '/cdk/y'] })]).toEqual(['<There>', '<Reader./cdk/y>']);
  });

  test.each<[unknown, string]>([
    [undefined, '<nothing>'], [true, 'true'], [{ 'Fn::Sub': 'a${!b}c' }, 'a${b}c'], [{ 'Fn::Sub': ['${Cluster}', null] }, '<Cluster>'], [{ 'Fn::Select': [5, ['a']] }, '<Fn::Select>'], [{ 'Fn::Select': [0, 'a'] }, '<Fn::Select>'],
    [{ 'Fn::Select': [1, { 'Fn::Split': ['-', { 'Fn::GetAtt': ['Cluster', 'Arn'] }] }] }, '<Fn::Select>'], [{ 'Fn::Select': [9, { 'Fn::Split': ['-', 'a-b'] }] }, '<Fn::Select>'],
    [{ 'Fn::Join': ['', ['a', '', 'b']] }, 'ab'], [{ Ref: 'Cluster', more: 1 }, '<Ref>'], [{ 'Fn::Join': 'x' }, '<Fn::Join>'],
  ])('%j is %s', (value, expected) => {
    expect(read(value)).toBe(expected);
  });

  test('is the same value wherever it is referred to, and another one in another template', () => {
    const key = (value: unknown, template = here) => keyOf(partsOf(value, template));
    expect(key({ 'Fn::Join': ['', ['a', { Ref: 'Cluster' }]] })).toBe(key({ 'Fn::Sub': 'a${Cluster}' }));
    expect(new Set([key({ Ref: 'Cluster' }), key({ Ref: 'There' }, templateOf('There')), key({ 'Fn::GetAtt': ['Cluster', 'Arn'] }), key({ Ref: 'Open' }), key({ Ref: 'Open' }, templateOf('There')), key({ Ref: 'Other' }), key('Cluster'), key({ Ref: 'AWS::Region' })]).size).toBe(8);
    expect([textOf(partsOf('a', here)), textOf(partsOf({ Ref: 'Open' }, here))]).toEqual(['a', undefined]);
  });

  test('is left out in no branch, in one or in all', () => {
    const none = { Ref: 'AWS::NoValue' };
    expect([undefined, none, 'a', { 'Fn::If': ['C', 'a', none] }, { 'Fn::If': ['C', 'a', { 'Fn::If': ['D', none, 'b'] }] }, { 'Fn::If': ['C', 'a', 'b'] }, { 'Fn::If': OPEN }].map(mayBeUnset)).toEqual([true, true, false, true, true, false, false]);
    expect([settingOf(none, here).state, itemsOf([none, 'a', { 'Fn::If': ['C', ['b', 'c'], none] }])]).toEqual(['unset', ['a', 'b', 'c']]);
  });

  test('that is a list may be a text with commas, or one that is split', () => {
    const list = (value: unknown) => textsOf(value, here).map(shown);
    expect([list(['a,b', 'c']), list({ 'Fn::Split': [',', 'a,b'] }), list({ 'Fn::Split': ['-', { 'Fn::Sub': 'a-${Cluster}-b' }] }), list({ Ref: 'Open' }), list({ 'Fn::Split': ['', 'a,b'] }), list({ 'Fn::Sub': 'a,b' })])
      .toEqual([['a,b', 'c'], ['a', 'b'], ['a', '<Cluster>', 'b'], ['<Open>'], ['a,b'], ['a,b']]);
    expect(textsOf({ Ref: 'Given' }, templateOf('Inside')).map(shown)).toEqual(['<Cluster>']);
  });

  test('that is JSON is read, with what only the deployment knows within', () => {
    const within = jsonIn({ 'Fn::Sub': '{"a":["x-${Cluster}","y"],"b":1}' }, here) as { a: unknown[]; b: number };
    expect([read(within.a[0]), within.a[1], within.b, JSON.stringify(within)]).toEqual(['x-<Cluster>', 'y', 1, '{"a":["x-<Cluster>","y"],"b":1}']);
    expect([jsonIn('no JSON', here), jsonIn({ a: 1 }, here), jsonIn({ 'Fn::ToJsonString': { a: 1 } }, here), jsonIn({ 'Fn::Join': ['', ['{"a":', '1}']] }, here), jsonIn(OPEN, here)])
      .toEqual([undefined, { a: 1 }, { a: 1 }, { a: 1 }, undefined]);
  });
});
