import { CfnParameter, Fn } from 'aws-cdk-lib';
import { masterWithPassword } from '../../../../lib/checks/rules/master-with-password';
import { answer, newStack, resource } from '../support';

const IAM = { MasterUserAuthenticationType: 'iam-db-auth' };
const RULE = 'a master that signs in with IAM has no password, and RDS is reported to refuse the two together';

function ask(properties: Record<string, unknown>, type = 'AWS::RDS::DBCluster') {
  const stack = newStack();
  new CfnParameter(stack, 'Open');
  return answer(masterWithPassword, resource(stack, 'It', type, properties));
}

describe('IamAuth-MasterWithPassword', () => {
  test.each([['none', {}], ['a password', { MasterUserAuthenticationType: 'password', MasterUserPassword: 'p' }]])(
    'is not about a master that signs in with a password: %s',
    (_, properties) => {
      expect(ask(properties)).toBe('NOT_APPLICABLE');
    },
  );

  test('is not about other resources', () => {
    expect(ask({ ...IAM, MasterUserPassword: 'p' }, 'AWS::RDS::DBProxy')).toBe('NOT_APPLICABLE');
  });

  test.each([
    ['none', {}],
    ['not managed', { ManageMasterUserPassword: false }],
    ['left out', { MasterUserPassword: { Ref: 'AWS::NoValue' } }],
  ])('has nothing against a master without a password: %s', (_, properties) => {
    expect(ask({ ...IAM, ...properties })).toBe('COMPLIANT');
  });

  test.each(['AWS::RDS::DBCluster', 'AWS::RDS::DBInstance'])('finds the two together: %s', (type) => {
    for (const [property, value] of [
      ['MasterUserPassword', '{{resolve:secretsmanager:s}}'],
      ['MasterUserPassword', { Ref: 'Open' }],
      ['ManageMasterUserPassword', true],
      ['ManageMasterUserPassword', 'true'],
    ] as const) {
      expect(ask({ ...IAM, [property]: value }, type)).toEqual([
        {
          id: '',
          description: `MasterUserAuthenticationType is iam-db-auth, and ${property} is set: ${RULE}`,
          location: `Properties/${property}`,
        },
      ]);
    }
  });

  test.each([
    ['a type', { MasterUserAuthenticationType: Fn.ref('Open'), MasterUserPassword: 'p' }, 'MasterUserPassword'],
    ['whether it is managed', { ...IAM, ManageMasterUserPassword: Fn.ref('Open') }, 'ManageMasterUserPassword'],
  ])('cannot tell: %s', (_, properties, property) => {
    expect(ask(properties)).toEqual([
      {
        id: 'unknown',
        description: `whether MasterUserAuthenticationType is iam-db-auth together with ${property}, is known at the deployment only: ${RULE}`,
        location: `Properties/${property}`,
      },
    ]);
  });
});
