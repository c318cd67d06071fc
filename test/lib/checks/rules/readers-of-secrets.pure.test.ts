import { SynthesizedApp } from '../../../../lib/checks/app/synthesized-app';
import type { TemplateBody } from '../../../../lib/checks/app/template';
import type { Rule } from '../../../../lib/checks/rule';
import { masterPasswordModifiable } from '../../../../lib/checks/rules/master-password-modifiable';
import { masterSecretReadable } from '../../../../lib/checks/rules/master-secret-readable';

const roleWith = (...statements: object[]) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: {
      Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }],
    },
    Policies: [{ PolicyName: 'p', PolicyDocument: { Version: '2012-10-17', Statement: statements } }],
  },
});
const READS = { Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: { Ref: 'Secret' } };
const arnOf = (name: string) => ({ 'Fn::GetAtt': [name, 'Arn'] });
const rotatedBy = (RotationLambdaARN: object) => ({
  Type: 'AWS::SecretsManager::RotationSchedule',
  Properties: { SecretId: { Ref: 'Secret' }, RotationLambdaARN },
});
const runsWith = (Type: string, property: string, role: unknown = arnOf('Role')) => ({
  Type,
  Properties: { [property]: role },
});

/** A secret that a function rotates, of a cluster in which users sign in with IAM. */
const BASE = {
  Secret: { Type: 'AWS::SecretsManager::Secret' },
  Cluster: {
    Type: 'AWS::RDS::DBCluster',
    Properties: {
      Engine: 'aurora-postgresql',
      MasterUserPassword: { 'Fn::Sub': '{{resolve:secretsmanager:${Secret}:SecretString:password::}}' },
    },
  },
  User: roleWith({
    Effect: 'Allow',
    Action: 'rds-db:connect',
    Resource: { 'Fn::Sub': 'arn:aws:rds-db:eu-west-1:1:dbuser:${Cluster.DBClusterResourceId}/ada' },
  }),
  Role: roleWith(READS),
  Rotation: runsWith('AWS::Lambda::Function', 'Role'),
  Schedule: rotatedBy(arnOf('Rotation')),
};

/** The resources at which a rule finds something. */
function findingsOf(rule: Rule, others: object): string[] {
  const body = { Resources: { ...BASE, ...others } } as TemplateBody;
  const app = new SynthesizedApp([
    {
      file: '/cdk.out/Data.template.json',
      stack: { name: 'Data', environment: 'aws://1/eu-west-1', folder: '/cdk.out' },
      body,
    },
  ]);
  return app.resources
    .filter(resource => Array.isArray(rule.check(resource)) && rule.check(resource).length > 0)
    .map(({ logicalId }) => logicalId);
}

const readers = (others: object) => findingsOf(masterSecretReadable, others);

describe('the role of a function that rotates the secret', () => {
  test('reads it', () => {
    expect(readers({})).toEqual([]);
  });

  test.each([
    ['a function', runsWith('AWS::Lambda::Function', 'Role')],
    [
      'a function in a branch',
      runsWith('AWS::Lambda::Function', 'Role', { 'Fn::If': ['C', arnOf('Role'), arnOf('User')] }),
    ],
    ['a function of AWS SAM', runsWith('AWS::Serverless::Function', 'Role')],
    ['a task', runsWith('AWS::ECS::TaskDefinition', 'TaskRoleArn')],
    ['an EC2 instance', runsWith('AWS::IAM::InstanceProfile', 'Roles', [{ Ref: 'Role' }])],
    ['a build', runsWith('AWS::CodeBuild::Project', 'ServiceRole')],
    ['a job', runsWith('AWS::Glue::Job', 'Role')],
  ])('is found if %s runs with it as well', (_, Workload) => {
    expect(readers({ Workload })).toEqual(['Role']);
  });

  test('reads it also if two such functions share it', () => {
    expect(
      readers({ Other: runsWith('AWS::Lambda::Function', 'Role'), OtherSchedule: rotatedBy(arnOf('Other')) }),
    ).toEqual([]);
  });

  test('reads it also if the schedule names an alias or a version', () => {
    const Version = runsWith('AWS::Lambda::Version', 'FunctionName', { Ref: 'Rotation' });
    const Alias = runsWith('AWS::Lambda::Alias', 'FunctionName', arnOf('Rotation'));
    expect(readers({ Version, Schedule: rotatedBy({ Ref: 'Version' }) })).toEqual([]);
    expect(readers({ Alias, Schedule: rotatedBy({ Ref: 'Alias' }) })).toEqual([]);
  });

  test('reads it also if AWS SAM makes it', () => {
    const Rotation = { Type: 'AWS::Serverless::Function', Properties: { Policies: [{ Statement: [READS] }] } };
    expect(readers({ Role: roleWith(), Rotation })).toEqual([]);
    expect(readers({ Role: roleWith(), Rotation, Schedule: rotatedBy(arnOf('Another')) })).toEqual(['Rotation']);
  });
});

describe('a part of an ARN that is split at its colons', () => {
  const item = (index: number, of: object) => ({ 'Fn::Select': [index, { 'Fn::Split': [':', of] }] });
  const named = (service: string, kind: string, name: object) => ({
    'Fn::Join': [
      '',
      [`arn:aws:${service}:`, { Ref: 'AWS::Region' }, ':', item(4, { Ref: 'Secret' }), `:${kind}:`, name],
    ],
  });
  const readsIt = (name: object) =>
    readers({ Workload: roleWith({ ...READS, Resource: named('secretsmanager', 'secret', name) }) });

  test('names the secret', () => {
    const Attachment = {
      Type: 'AWS::SecretsManager::SecretTargetAttachment',
      Properties: { SecretId: { Ref: 'Secret' } },
    };
    expect(readsIt(item(6, { Ref: 'Secret' }))).toEqual(['Workload']);
    expect(
      readers({
        Attachment,
        Workload: roleWith({ ...READS, Resource: named('secretsmanager', 'secret', item(6, { Ref: 'Attachment' })) }),
      }),
    ).toEqual(['Workload']);
    expect(readsIt(item(6, { Ref: 'Other' }))).toEqual(['Workload']);
    expect(
      readers({
        Other: { Type: 'AWS::SecretsManager::Secret' },
        Workload: roleWith({ ...READS, Resource: named('secretsmanager', 'secret', item(6, { Ref: 'Other' })) }),
      }),
    ).toEqual([]);
  });

  test('names the cluster', () => {
    const modifies = (name: object) => {
      const Workload = roleWith({
        Effect: 'Allow',
        Action: 'rds:ModifyDBCluster',
        Resource: named('rds', 'cluster', name),
      });
      return findingsOf(masterPasswordModifiable, { Workload });
    };
    expect(modifies(item(6, { 'Fn::GetAtt': ['Cluster', 'DBClusterArn'] }))).toEqual(['Workload']);
    expect(modifies(item(6, { 'Fn::GetAtt': ['Secret', 'Id'] }))).toEqual([]);
  });
});
