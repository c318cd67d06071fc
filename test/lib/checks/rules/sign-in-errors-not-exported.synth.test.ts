import { CfnParameter, Fn } from 'aws-cdk-lib';
import { signInErrorsNotExported } from '../../../../lib/checks/rules/sign-in-errors-not-exported';
import { answer, newStack, resource } from '../support';

const [CLUSTER, INSTANCE] = ['AWS::RDS::DBCluster', 'AWS::RDS::DBInstance'];
const ON = { Engine: 'aurora-postgresql', EnableIAMDatabaseAuthentication: true };
const LOG = 'iam-db-auth-error is the log that names the cause and the caller of a refused sign-in';

const ask = (type: string, properties: Record<string, unknown>) => {
  const stack = newStack();
  new CfnParameter(stack, 'Open');
  return answer(signInErrorsNotExported, resource(stack, 'It', type, properties));
};

describe('IamAuth-SignInErrorsNotExported', () => {
  test('is a warning', () => {
    expect(signInErrorsNotExported.isWarning).toBe(true);
  });

  test.each([
    ['another engine', CLUSTER, { ...ON, Engine: 'aurora-mysql' }],
    ['an engine of the deployment', CLUSTER, { ...ON, Engine: Fn.ref('Open') }],
    ['a database without IAM authentication', CLUSTER, { Engine: 'aurora-postgresql' }],
    ['a member of a cluster', INSTANCE, { ...ON, DBClusterIdentifier: 'shop' }],
    ['another resource', 'AWS::RDS::DBProxy', ON],
  ])('is not about %s', (_, type, properties) => {
    expect(ask(type, properties)).toBe('NOT_APPLICABLE');
  });

  test.each([
    ['a cluster', CLUSTER, ['iam-db-auth-error']],
    ['an instance, among others', INSTANCE, ['postgresql', 'iam-db-auth-error']],
    ['beside one of the deployment', CLUSTER, [Fn.ref('Open'), 'iam-db-auth-error']],
  ])('has nothing against a database that exports it: %s', (_, type, logs) => {
    expect(ask(type, { ...ON, EnableCloudwatchLogsExports: logs })).toBe('COMPLIANT');
  });

  test.each([
    ['nothing', undefined],
    ['no list', []],
    ['other logs', ['postgresql']],
  ])('finds a database that exports %s', (_, logs) => {
    expect(ask(CLUSTER, { ...ON, EnableCloudwatchLogsExports: logs })).toEqual([{
      id: '',
      description: `EnableCloudwatchLogsExports has no iam-db-auth-error, and ${LOG}`,
      location: 'Properties/EnableCloudwatchLogsExports',
    }]);
  });

  test.each([
    ['all of it', Fn.split(',', Fn.ref('Open')), /^EnableCloudwatchLogsExports is <Fn::Split>, and iam-db/],
    ['a part', ['postgresql', Fn.ref('Open')], /^EnableCloudwatchLogsExports has .*Open.*, and iam-db/],
  ])('cannot tell what only the deployment knows: %s', (_, logs, description) => {
    expect(ask(CLUSTER, { ...ON, EnableCloudwatchLogsExports: logs })).toEqual([
      expect.objectContaining({ description: expect.stringMatching(description) as string }),
    ]);
  });
});
