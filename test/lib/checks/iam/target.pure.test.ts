import { SynthesizedApp } from '../../../../lib/checks/app/synthesized-app';
import type { Resource } from '../../../../lib/checks/app/template';
import { partsOf } from '../../../../lib/checks/app/value';
import { databaseTarget, functionTarget, secretTarget } from '../../../../lib/checks/databases/targets';
import { reachOfResource, Target } from '../../../../lib/checks/iam/target';

const RESOURCES = {
  Function: { Type: 'AWS::Lambda::Function', Properties: {} },
  Named: { Type: 'AWS::Lambda::Function', Properties: { FunctionName: 'create-users' } },
  Open: { Type: 'AWS::Lambda::Function', Properties: { FunctionName: { Ref: 'Parameter' } } },
  Other: { Type: 'AWS::Lambda::Function', Properties: {} },
  Cluster: { Type: 'AWS::RDS::DBCluster', Properties: { DBClusterIdentifier: 'Shop' } },
  Instance: { Type: 'AWS::RDS::DBInstance', Properties: {} },
  Secret: { Type: 'AWS::SecretsManager::Secret', Properties: {} },
  NamedSecret: { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 'shop/admin' } },
  Attachment: { Type: 'AWS::SecretsManager::SecretTargetAttachment', Properties: { SecretId: { Ref: 'Secret' } } },
  Custom: { Type: 'Custom::Thing', Properties: {} },
};
const APP = new SynthesizedApp([
  {
    file: '/cdk.out/Shop.template.json',
    stack: { name: 'Shop', environment: 'aws://1/eu-west-1', folder: '/cdk.out' },
    body: { Resources: RESOURCES },
  },
]);
const find = (logicalId: keyof typeof RESOURCES): Resource =>
  APP.resources.find(resource => resource.logicalId === logicalId)!;
const [CONTEXT] = APP.resources.map(({ template }) => template);
const ask = (target: Target, pattern: unknown) => {
  const { is, isNamed } = reachOfResource(partsOf(pattern, CONTEXT), true, target);
  return `${is ?? 'unknown'}${isNamed ? ', by name' : ''}`;
};

const LAMBDA = 'arn:aws:lambda:eu-west-1:1';
const arn = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });
const joined = (...items: unknown[]) => ({ 'Fn::Join': ['', items] });

describe('a function', () => {
  test.each<[unknown, string]>([
    [arn('Function'), 'true, by name'],
    [joined(arn('Function'), ':*'), 'true, by name'],
    [joined(arn('Function'), '*'), 'true, by name'],
    [joined(arn('Function'), ':$LATEST'), 'true, by name'],
    [joined(arn('Function'), ':live'), 'unknown, by name'],
    [{ 'Fn::Sub': `${LAMBDA}:function:\${Function}` }, 'true, by name'],
    [{ 'Fn::Sub': 'arn:aws:lambda:${Parameter}:1:function:${Function}' }, 'true, by name'],
    [arn('Other'), 'false'],
    [joined(arn('Other'), '*'), 'false'],
    [{ Ref: 'Custom' }, 'unknown'],
    [{ Ref: 'Parameter' }, 'unknown'],
    [{ 'Fn::Sub': `${LAMBDA}:function:\${Parameter}` }, 'unknown'],
    ['*', 'true'],
    ['arn:*', 'true'],
    ['arn:aws:lambda*', 'true'],
    ['arn:*:function:*', 'true'],
    ['arn:aws:lambda:*:*:function:*', 'true'],
    ['arn:aws:lambda:*:*:*', 'true'],
    ['arn:?*', 'true'],
    ['*:function:Shop*', 'true'],
    [`${LAMBDA}:function:Shop-*`, 'true'],
    [`${LAMBDA}:function:Shop-F*`, 'true'],
    [`${LAMBDA}:function:Shop-Function-????????????`, 'unknown'],
    [`${LAMBDA}:function:*-AbC`, 'unknown'],
    ['*-abc', 'unknown'],
    [`${LAMBDA}:function:Shop-Orders*`, 'false'],
    [`${LAMBDA}:function:orders-*`, 'false'],
    [`${LAMBDA}:FUNCTION:*`, 'false'],
    [`${LAMBDA}:layer:*`, 'false'],
    ['arn:aws:s3:::*', 'false'],
  ])('whose name CloudFormation makes: %j is about it: %s', (pattern, expected) => {
    expect(ask(functionTarget(find('Function')), pattern)).toBe(expected);
  });

  test.each<[unknown, string]>([
    [`${LAMBDA}:function:create-users`, 'true, by name'],
    [`${LAMBDA}:function:create-users:*`, 'true, by name'],
    [`${LAMBDA}:function:create-*`, 'true'],
    [`${LAMBDA}:function:create-user?`, 'true'],
    [`${LAMBDA}:function:Create-Users`, 'false'],
    [`${LAMBDA}:function:create-user`, 'false'],
  ])('with a name: %j is about it: %s', (pattern, expected) => {
    expect(ask(functionTarget(find('Named')), pattern)).toBe(expected);
  });

  test('with a name that only the deployment knows may be meant by any', () => {
    expect(ask(functionTarget(find('Open')), `${LAMBDA}:function:orders`)).toBe('unknown');
  });
});

describe('a database', () => {
  test.each<[keyof typeof RESOURCES, unknown, string]>([
    ['Cluster', { 'Fn::GetAtt': ['Cluster', 'DBClusterArn'] }, 'true, by name'],
    ['Cluster', 'arn:aws:rds:eu-west-1:1:cluster:shop', 'true, by name'],
    ['Cluster', { 'Fn::Sub': 'arn:aws:rds:eu-west-1:1:cluster:${Cluster}' }, 'true, by name'],
    ['Cluster', 'arn:aws:rds:*:*:cluster:*', 'true'],
    ['Cluster', 'arn:aws:rds:*:*:*sho?', 'true'],
    ['Cluster', 'arn:aws:rds:eu-west-1:1:db:*', 'false'],
    ['Cluster', 'arn:aws:rds:eu-west-1:1:cluster:other', 'false'],
    ['Instance', { 'Fn::GetAtt': ['Instance', 'DBInstanceArn'] }, 'true, by name'],
    ['Instance', 'arn:aws:rds:*:*:db:*', 'true'],
    ['Instance', 'arn:aws:rds:*:*:db:shop-*', 'true'],
    ['Instance', 'arn:aws:rds:*:*:cluster:*', 'false'],
  ])('%s: %j is about it: %s', (id, pattern, expected) => {
    expect(ask(databaseTarget(find(id)), pattern)).toBe(expected);
  });
});

describe('a secret', () => {
  const own = secretTarget([{ kind: 'attribute', resource: find('Secret'), attribute: 'Ref' }], '<Secret>');
  test.each<[unknown, string]>([
    [{ Ref: 'Secret' }, 'true, by name'],
    [{ Ref: 'Attachment' }, 'true, by name'],
    [joined({ Ref: 'Secret' }, '-??????'), 'true, by name'],
    [{ Ref: 'NamedSecret' }, 'false'],
    ['*', 'true'],
    ['arn:*:secret:*', 'true'],
    ['arn:aws:secretsmanager:*-??????', 'true'],
    ['*secret*', 'true'],
    ['arn:aws:secretsmanager:*:*:secret:shop/*', 'false'],
    ['arn:aws:secretsmanager:*:*:secret:Secret*', 'unknown'],
    ['arn:aws:ssm:*', 'false'],
  ])('whose name CloudFormation makes: %j is about it: %s', (pattern, expected) => {
    expect(ask(own, pattern)).toBe(expected);
  });

  const named = secretTarget([{ kind: 'attribute', resource: find('NamedSecret'), attribute: 'Ref' }], '<NamedSecret>');
  test.each<[unknown, string]>([
    ['arn:aws:secretsmanager:eu-west-1:1:secret:shop/admin', 'true, by name'],
    ['arn:aws:secretsmanager:eu-west-1:1:secret:shop/admin-??????', 'true, by name'],
    ['arn:aws:secretsmanager:*:*:*:shop/*', 'true'],
    ['*/admin-??????', 'true'],
    ['arn:aws:secretsmanager:eu-west-1:1:secret:shop/admin-a1B2c3', 'unknown, by name'],
    ['arn:aws:secretsmanager:eu-west-1:1:secret:shop/adm', 'false'],
    ['arn:aws:secretsmanager:eu-west-1:1:secret:SHOP/*', 'false'],
  ])('with a name: %j is about it: %s', (pattern, expected) => {
    expect(ask(named, pattern)).toBe(expected);
  });

  test('is that of the database, where RDS manages it', () => {
    const managed = secretTarget(
      [{ kind: 'attribute', resource: find('Cluster'), attribute: 'MasterUserSecret.SecretArn' }],
      '<Cluster>',
    );
    expect(ask(managed, { 'Fn::GetAtt': ['Cluster', 'MasterUserSecret.SecretArn'] })).toBe('true, by name');
    expect(ask(managed, 'arn:aws:secretsmanager:*:*:secret:rds!cluster-*')).toBe('unknown');
    expect(ask(managed, 'arn:aws:secretsmanager:*:*:secret:rds*')).toBe('true');
  });
});
