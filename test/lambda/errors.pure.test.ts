import { explain } from '../../lambda/provisioner/database-error';
import { ProvisionError, ServerError } from '../../lambda/provisioner/errors';

describe('ProvisionError', () => {
  test.each([
    ['plain', 'x'.repeat(10_000)], ['quotes', '"'.repeat(10_000)], ['control characters', '\u0001'.repeat(10_000)], ['wide characters', '\u{1F600}'.repeat(5_000)],
  ])('a long message of %s leaves room for the rest of an answer of 4,096 bytes', (_, message) => {
    const error = new ProvisionError(message);
    const answer = {
      Status: 'FAILED',
      Reason: `${error.message}\n\nLogs: /aws/lambda/${'f'.repeat(64)}\n`,
      StackId: `arn:aws-us-gov:cloudformation:us-gov-west-1:123456789012:stack/${'s'.repeat(128)}/00000000-0000-0000-0000-000000000000`,
      RequestId: '00000000-0000-0000-0000-000000000000',
      LogicalResourceId: 'l'.repeat(255),
      PhysicalResourceId: `cluster-${'C'.repeat(26)}/${'%C3%BF'.repeat(31)}/${'l'.repeat(255)}`,
    };
    expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThan(4096);
    expect(error.message).toMatch(/\.\.\.$/);
    expect(Buffer.byteLength(JSON.stringify(error.message))).toBeGreaterThan(1900);
  });

  test('is one line, stack included', () => {
    const error = new ProvisionError('a\n  b\tc ');
    expect(error.message).toBe('a b c');
    expect(error.stack).toBe('ProvisionError: a b c');
  });
});

describe('explain', () => {
  const attempt = { attempted: 'do it' };

  test.each<[string, ServerError, boolean]>([
    ['serialization failure', new ServerError('could not serialize access', '40001'), true],
    ['deadlock', new ServerError('deadlock detected', '40P01'), true],
    ['concurrent update of a tuple', new ServerError('tuple concurrently updated', 'XX000'), true],
    ['another internal error', new ServerError('cache lookup failed', 'XX000'), false],
    ['duplicate in the catalog', new ServerError('duplicate key', '23505', { table: 'pg_authid' }), true],
    ['duplicate by constraint in the catalog', new ServerError('duplicate key', '23505', { constraint: 'pg_authid_rolname_index' }), true],
    ['duplicate elsewhere', new ServerError('duplicate key', '23505', { table: 'notes' }), false],
    ['grantee dropped meanwhile', new ServerError('role with OID 1 does not exist', '42704'), true],
    ['role missing', new ServerError('role "x" does not exist', '42704'), false],
    ['starting up', new ServerError('the database system is starting up', '57P03'), true],
    ['connection failure', new ServerError('connection failure', '08006'), true],
    ['permission denied', new ServerError('permission denied', '42501'), false],
    ['unknown', new ServerError('division by zero', '22012'), false],
  ])('whether to try again: %s', (_, error, retried) => {
    expect(explain(error, attempt).retryUntil > 0).toBe(retried);
  });

  test('names what was attempted, message, detail, hint, SQLSTATE and remedy', () => {
    const error = new ServerError('role "x" cannot be dropped because some objects depend on it', '2BP01', { detail: '1 object in database shop', hint: 'look there' });
    expect(explain(error, attempt).message).toBe(
      'cannot do it: role "x" cannot be dropped because some objects depend on it. 1 object in database shop. look there (SQLSTATE 2BP01); the message of the server says why');
  });

  test('a user that another session creates at the same time is looked at again', () => {
    const error = new ServerError('role "x" already exists', '42710');
    expect(explain(error, { attempted: 'create', change: { kind: 'createUser', username: 'x' } }).retryUntil).toBeGreaterThan(0);
  });

  test('permission denied names what the admin needs', () => {
    expect(explain(new ServerError('permission denied', '42501'), { attempted: 'do it', needs: 'this' }).message).toBe('cannot do it: permission denied (SQLSTATE 42501); the admin needs this');
  });

  test('a circular membership', () => {
    const error = new ServerError('role "a" is a member of role "b"', '0LP01');
    expect(explain(error, { attempted: 'grant', change: { kind: 'grantRole', username: 'b', role: 'a' } }).message).toBe(
      'cannot grant: role "a" is a member of role "b" (SQLSTATE 0LP01); a role cannot be a member of itself: remove one of the two memberships');
  });

  test('a reader', () => {
    expect(explain(new ServerError('cannot execute CREATE ROLE in a read-only transaction', '25006'), attempt).message).toContain('use the endpoint of the writer');
    expect(explain(new ServerError('cannot set transaction read-write mode during recovery', '0A000'), attempt).message).toContain('use the endpoint of the writer');
  });

  test('a connection that breaks is worth another try', () => {
    const error = explain(new Error('Connection terminated unexpectedly'), attempt);
    expect(error.message).toBe('cannot do it: the connection broke (Connection terminated unexpectedly); check that the database is available');
    expect(error.retryUntil).toBeGreaterThan(0);
  });
});
