import { PATIENCE_MS } from '../../lambda/provisioner/budget';
import { Change, Target } from '../../lambda/provisioner/core/change';
import { explain, isConflict } from '../../lambda/provisioner/remedies/server';
import { inLogGroup } from '../../lambda/shared/errors';
import { methodIn, ProvisionError, ServerError, ServerErrorFields } from '../../lambda/provisioner/errors';

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

describe('a reason', () => {
  test('names the log group that the function writes to', () => {
    expect(inLogGroup(new ProvisionError('it failed', { mayBeLeft: true }), 'Shop-Logs-1').message).toBe('it failed (log group: Shop-Logs-1)');
    expect(inLogGroup(new ProvisionError('it failed', { mayBeLeft: true }), 'Shop-Logs-1').mayBeLeft).toBe(true);
    expect(inLogGroup(new ProvisionError('it failed'), undefined).message).toBe('it failed');
  });

  test('names it also where it is long itself, and is no longer for that', () => {
    const error = new ProvisionError('x'.repeat(10_000));
    const named = inLogGroup(error, 'l'.repeat(512));
    expect(named.message).toMatch(/x\.\.\. \(log group: l{512}\)$/);
    expect(Buffer.byteLength(JSON.stringify(named.message))).toBeLessThanOrEqual(Buffer.byteLength(JSON.stringify(error.message)));
  });
});

describe('explain', () => {
  const BUSY = 'other sessions change roles at the same time; deploy again when they are done';
  const AVAILABLE = 'check that the database is available';
  const CREATE_ROLE = 'create the role before this deployment, or correct its name';
  const NEEDS_CREATEROLE = 'the admin needs CREATEROLE and, from PostgreSQL 16 on, ADMIN OPTION on roles it did not create';
  const NOT_THE_OWNER = 'only the owner of a database can pass its privileges on: use an admin that is the owner or a member of it';
  const NOT_TO_GRANT = 'the admin may not pass that on: use an admin that owns it, or that may become a member of its owner. If a superuser owns it, as rdsadmin does on RDS, '
    + 'no other admin may: declare the objects that are meant by name, such as onTables, instead of all in the schema, or move this one to a schema of its own';
  const READER = 'the host is a reader, which cannot change roles: use the endpoint of the writer';
  const OF_ROLE = 'raise the connection limit of the admin (ALTER ROLE ... CONNECTION LIMIT), or end sessions of it';
  const OF_DATABASE = 'raise the connection limit of the database (ALTER DATABASE ... CONNECTION LIMIT), or end sessions in it';
  const UNKNOWN = 'the message of the server says why';

  const grantOn = (on: Target, kind: 'grant' | 'revoke' = 'grant'): Change => ({ kind, privileges: ['ALL'], on, roles: ['u'] });
  const DATABASE: Target = { type: 'DATABASE', database: 'shop' };
  const TABLE: Target = { type: 'TABLE', schema: 'app', objects: [{ name: 't' }] };
  const TYPE: Target = { type: 'TYPE', schema: 'app', objects: [{ name: 't' }] };
  const CREATE: Change = { kind: 'createRole', role: 'u', roleKind: 'user' };
  const MEMBER: Change = { kind: 'grantRole', group: 'g', roles: ['u'] };
  const FUTURE: Change = { kind: 'grantFuture', privileges: ['SELECT'], on: { creator: 'c', objects: 'TABLES' }, roles: ['u'] };
  const REASSIGN: Change = { kind: 'reassignOwned', role: 'u', to: 'heir', as: ['u', 'heir'] };

  /** SQLSTATE, message, what else is known, milliseconds to try again, remedy. */
  type Case = [string, string, { fields?: ServerErrorFields; change?: Change; attempted?: string; database?: string }, number, string];

  test.each<Case>([
    ['40001', 'could not serialize access', {}, PATIENCE_MS, BUSY],
    ['40P01', 'deadlock detected', {}, PATIENCE_MS, BUSY],
    ['XX000', 'tuple concurrently updated', {}, PATIENCE_MS, BUSY],
    ['XX000', 'tuple already updated by self', {}, PATIENCE_MS, BUSY],
    ['XX000', 'cache lookup failed', {}, 0, UNKNOWN],
    ['23505', 'duplicate key', { fields: { table: 'pg_authid' } }, PATIENCE_MS, BUSY],
    ['23505', 'duplicate key', { fields: { constraint: 'pg_authid_rolname_index' } }, PATIENCE_MS, BUSY],
    ['23505', 'duplicate key', { fields: { table: 'notes' } }, 0, UNKNOWN],
    ['42710', 'role "u" already exists', { change: CREATE }, PATIENCE_MS, BUSY],
    ['42710', 'role "b" already exists', { change: { kind: 'renameRole', role: 'u', to: 'b' } }, PATIENCE_MS, BUSY],
    ['42710', 'object already exists', {}, 0, UNKNOWN],
    ['42P06', 'schema "own" already exists', { change: { kind: 'createSchema', schema: 'own', role: 'u', as: 'u' } }, PATIENCE_MS, BUSY],
    ['42P06', 'schema "cdk_aurora_iam_auth" already exists', {}, 0, 'a schema cdk_aurora_iam_auth that is not the registry is in the way: rename it'],
    ['42704', 'role with OID 4711 does not exist', { change: MEMBER }, PATIENCE_MS, BUSY],
    ['42704', 'role 4711 was concurrently dropped', {}, PATIENCE_MS, BUSY],
    ['42704', 'role "g" does not exist', { change: MEMBER }, 0, CREATE_ROLE],
    ['42704', 'role "g" does not exist', { change: { kind: 'revokeRole', group: 'g', roles: ['u'] } }, 0, CREATE_ROLE],
    ['42704', 'role "c" does not exist', { change: FUTURE }, 0, CREATE_ROLE],
    ['42704', 'role "heir" does not exist', { change: REASSIGN }, 0, CREATE_ROLE],
    ['42704', 'role "u" does not exist', {}, 0, UNKNOWN],
    ['42704', 'type "app.t" does not exist', { change: grantOn(TYPE) }, PATIENCE_MS, BUSY],
    ['42704', 'type "app.t" does not exist', { change: grantOn(TYPE, 'revoke') }, PATIENCE_MS, BUSY],
    ['42P01', 'relation "app.t" does not exist', { change: grantOn(TABLE) }, PATIENCE_MS, BUSY],
    ['42P01', 'relation "app.t" does not exist', { change: grantOn(TABLE, 'revoke') }, PATIENCE_MS, BUSY],
    ['42883', 'function app.f() does not exist', { change: grantOn(TABLE) }, PATIENCE_MS, BUSY],
    ['42P01', 'relation "x" does not exist', {}, 0, UNKNOWN],
    ['55P03', 'canceling statement due to lock timeout', {}, PATIENCE_MS, 'end the session that holds the lock (pg_stat_activity, pg_blocking_pids) and deploy again'],
    ...['57P01', '57P02', '57P03', '57P05', '25P03', '08006', '08P01'].map((state): Case => [state, 'the database system is starting up', {}, PATIENCE_MS, AVAILABLE]),
    ['53300', 'too many connections for role "postgres"', { fields: { routine: 'InitializeSessionUserId' } }, PATIENCE_MS, OF_ROLE],
    ['53300', 'too many connections for database "stock"', { fields: { routine: 'CheckMyDatabase' } }, PATIENCE_MS, OF_DATABASE],
    ['53300', 'remaining connection slots are reserved', { fields: { routine: 'InitPostgres' } }, PATIENCE_MS, 'free a connection, or raise max_connections'],
    ['53300', 'too many connections for role "postgres"', {}, PATIENCE_MS, OF_ROLE],
    ['53300', 'too many connections for database "stock"', {}, PATIENCE_MS, OF_DATABASE],
    ['53300', 'sorry, too many clients already', {}, PATIENCE_MS, 'free a connection, or raise the limit that is reached: CONNECTION LIMIT of the admin or the database (ALTER ROLE, ALTER DATABASE), or max_connections'],
    ['55000', 'database "shop" is not currently accepting connections', { database: 'shop' }, 0, 'allow connections to it (ALTER DATABASE ... ALLOW_CONNECTIONS true)'],
    ['55000', 'cannot do that now', {}, 0, UNKNOWN],
    ['28P01', 'password authentication failed', {}, 20_000, "the password in the admin's secret is not the one of the database: rotate the secret, or set the admin's password to the secret's"],
    ['28000', 'PAM authentication failed for user "admin"', { fields: { method: 'PAM' } }, 10_000, 'RDS asks a member of rds_iam for a token instead, and the admin is one, itself or through a role it was granted; up to PostgreSQL 14 every user can do that with GRANT <user> TO <admin>. Use AdminCredentials.fromIam(); or sign in as the admin with a token, or as another member of rds_superuser, find that role with SELECT roleid::regrole, member::regrole FROM pg_auth_members, and REVOKE it'],
    ['28000', 'role "admin" is not permitted to log in', { fields: { routine: 'InitializeSessionUserId' } }, 0, 'allow the admin to log in (ALTER ROLE ... LOGIN)'],
    ['28000', 'no pg_hba.conf entry', {}, 0, 'check that the admin may log in (ALTER ROLE ... LOGIN), and that the server lets it in over TLS'],
    ['25006', 'cannot execute CREATE ROLE in a read-only transaction', { change: CREATE }, PATIENCE_MS, READER],
    ['0A000', 'cannot set transaction read-write mode during recovery', { fields: { routine: 'call_bool_check_hook' } }, PATIENCE_MS, READER],
    ['0A000', 'not supported', {}, 0, UNKNOWN],
    ['3D000', 'database "shop" does not exist', { database: 'shop' }, 0, 'create the database before this deployment, or correct its name'],
    ['3D000', 'database "postgres" does not exist', { database: 'postgres' }, 0, 'the provisioner keeps its records in database postgres: create it'],
    ['0LP01', 'role "g" is a member of role "u"', { change: MEMBER }, 0, 'a role cannot be a member of itself: remove one of the two memberships'],
    ['0LP01', 'invalid grant', {}, 0, UNKNOWN],
    ['42501', 'permission denied to grant role "rds_iam"', { change: { kind: 'grantRole', group: 'rds_iam', roles: ['u'] } }, 0, 'sign in as the master user, or as another member of rds_superuser: from PostgreSQL 16 on others may grant rds_iam only WITH ADMIN OPTION on it'],
    ['42501', 'permission denied to revoke role "rds_iam"', { change: { kind: 'revokeRole', group: 'rds_iam', roles: ['u'] } }, 0, 'sign in as the master user, or as another member of rds_superuser: from PostgreSQL 16 on others may grant rds_iam only WITH ADMIN OPTION on it'],
    ['42501', 'permission denied to grant role "g"', { change: MEMBER }, 0, 'give the admin ADMIN OPTION on that role, or use an admin that has it'],
    ['42501', 'permission denied', { change: { kind: 'revokeRole', group: 'g', roles: ['u'] } }, 0, 'give the admin ADMIN OPTION on that role, or use an admin that has it'],
    ...([CREATE, { kind: 'renameRole', role: 'u', to: 'b' }, { kind: 'allowLogin', role: 'u' }, { kind: 'forbidLogin', role: 'u' }, { kind: 'dropRole', role: 'u' }] as Change[])
      .map((change): Case => ['42501', 'permission denied', { change }, 0, NEEDS_CREATEROLE]),
    ['42501', 'permission denied to grant role "owner"', { change: { ...grantOn(TABLE), as: 'owner' } as Change }, 0, 'that role owns it, and the admin must become a member of it for the moment: give the admin ADMIN OPTION on it, '
    + 'or the privilege itself WITH GRANT OPTION, or use an admin that has one of them'],
    ['42501', 'permission denied to grant role "other"', { change: { kind: 'revokeFuture', privileges: ['SELECT'], on: { creator: 'c', objects: 'TABLES' }, roles: ['u'], as: 'c' } }, 0, 'that role owns it, or has granted it, and the admin must become a member of it for the moment: give the admin ADMIN OPTION on it, or use an admin that has it'],
    ['42501', 'must have admin option on role "c"', { change: FUTURE }, 0, 'that role owns it, or has granted it, and the admin must become a member of it for the moment: give the admin ADMIN OPTION on it, or use an admin that has it'],
    ...['42501', '01006', '01007'].map((state): Case => [state, 'no privileges were granted', { change: grantOn(DATABASE) }, 0, NOT_THE_OWNER]),
    ['42501', 'permission denied for database shop', { change: { kind: 'createSchema', schema: 'own', role: 'u', as: 'u' } }, 0, 'the admin needs CREATE on the database'],
    ['42501', 'permission denied for schema app', { change: REASSIGN }, 0, 'the message of the server says what the new owner or the admin lacks'],
    ...['42501', '01006', '01007'].map((state): Case => [state, 'no privileges were granted', { change: grantOn(TABLE) }, 0, NOT_TO_GRANT]),
    ['42703', 'column "n" does not exist', {}, 0, 'create the column before this deployment, or correct its name'],
    ['42601', 'unrecognized privilege type "maintain"', { change: { ...grantOn(TABLE), privileges: ['MAINTAIN', 'SELECT'] } as Change }, 0, 'MAINTAIN is there from PostgreSQL 17 on: leave it out'],
    ['42601', 'syntax error', {}, 0, UNKNOWN],
    ['54000', 'row is too big', { change: grantOn(TABLE) }, 0, 'there is a limit of about 2,400 roles with privileges on one table: give the privileges to a group role, and make the users members of it'],
    ['57014', 'canceling statement due to statement timeout', {}, 0, 'the database took too long; deploy again when it is less busy'],
    ['22012', 'division by zero', {}, 0, UNKNOWN],
  ])('%s %s %j', (sqlState, message, { fields, change, attempted = 'do it', database }, retryUntil, remedy) => {
    const error = explain(new ServerError(message, sqlState, fields), { attempted, change, database });
    expect(error.message).toBe(`cannot ${attempted}: ${message} (SQLSTATE ${sqlState}); ${remedy}`);
    expect(error.retryUntil).toBe(retryUntil);
  });

  test('names what was attempted, message, detail, hint, SQLSTATE and remedy', () => {
    const error = new ServerError('role "x" cannot be dropped because some objects depend on it', '2BP01', { detail: '1 object in database shop', hint: 'look there' });
    expect(explain(error, { attempted: 'do it' }).message).toBe(
      'cannot do it: role "x" cannot be dropped because some objects depend on it. 1 object in database shop. look there (SQLSTATE 2BP01); the message of the server says why');
  });

  test.each([
    ['28000', 'PAM authentication failed for user "admin"', 'its token was refused: check that the role of the provisioner may rds-db:connect as this user, that no service control policy or permissions boundary denies it, and that IAM authentication is on'],
    ['28P01', 'password authentication failed', 'its token was taken for a password: check that it is a member of rds_iam, and that IAM authentication is enabled'],
  ])('%s of an admin with a token is not about a password, and IAM gets some time to know a new policy', (sqlState, message, remedy) => {
    const error = explain(new ServerError(message, sqlState, { method: methodIn(message) }), { attempted: 'sign in', withToken: true });
    expect(error.message).toBe(`cannot sign in: ${message} (SQLSTATE ${sqlState}); ${remedy}`);
    expect(error.retryUntil).toBe(20_000);
  });

  test('permission denied names what the admin needs where that is known', () => {
    expect(explain(new ServerError('permission denied', '42501'), { attempted: 'do it', needs: 'this' }).message).toBe('cannot do it: permission denied (SQLSTATE 42501); the admin needs this');
  });

  test('a connection that breaks is worth another try', () => {
    const error = explain(new Error('Connection terminated unexpectedly'), { attempted: 'do it' });
    expect(error.message).toBe('cannot do it: the connection broke (Connection terminated unexpectedly); check that the database is available');
    expect(error.retryUntil).toBe(PATIENCE_MS);
  });
});

describe('isConflict', () => {
  const explained = (sqlState: string, message: string) => explain(new ServerError(message, sqlState), { attempted: 'do it' });

  test('another session was in the way, and the own one is well', () => {
    expect(isConflict(explained('40001', 'could not serialize access'))).toBe(true);
    expect(isConflict(explained('55P03', 'lock timeout'))).toBe(true);
    expect(isConflict(explained('42704', 'role with OID 1 does not exist'))).toBe(true);
  });

  test('not what is final, and not what ends the session', () => {
    expect(isConflict(explained('42704', 'role "x" does not exist'))).toBe(false);
    expect(isConflict(explained('57P01', 'terminating connection'))).toBe(false);
    expect(isConflict(explain(new Error('Connection terminated'), { attempted: 'do it' }))).toBe(false);
    expect(isConflict(new ProvisionError('x', { retryUntil: 1 }))).toBe(false);
  });
});
