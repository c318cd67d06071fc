import { CfnParameter, Stack } from 'aws-cdk-lib';
import { DatabaseRole } from '../../lib';
import { newApp, templateOf } from './support';

describe('DatabaseRole.fromRoleName', () => {
  test('creates nothing', () => {
    const stack = new Stack(newApp(), 'Data');
    expect(DatabaseRole.fromRoleName(stack, 'Readers', 'pg_read_all_data').roleName).toBe('pg_read_all_data');
    expect(templateOf(stack).toJSON().Resources).toBeUndefined();
  });

  test('takes a name that only the deployment knows', () => {
    const stack = new Stack(newApp(), 'Data');
    const { valueAsString } = new CfnParameter(stack, 'Role');
    expect(DatabaseRole.fromRoleName(stack, 'Readers', valueAsString).roleName).toBe(valueAsString);
  });

  test('fails for a name that cannot be granted', () => {
    expect(() => DatabaseRole.fromRoleName(new Stack(newApp(), 'Data'), 'Iam', 'rds_iam')).toThrow(new Error(
      '[Data] role name "rds_iam" is not allowed: every user of this library is a member of it already; leave it out',
    ));
  });
});
