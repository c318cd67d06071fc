import { writeFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { ResourceState } from '../../rehearsal/cloudformation/template';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { RunFolder } from '../../rehearsal/run-folder';
import { execute } from '../../rehearsal/sign-in';
import { full } from '../full';
import { synthesized } from './synthesized';

const APP = 'test/rehearsal/fixtures/express-app.ts';

describe('a cluster with express configuration', () => {
  let rehearsal: Rehearsal;
  beforeEach(async () => {
    rehearsal = await Rehearsal.start();
  });
  afterEach(() => rehearsal.close());

  const resource = (type: string, id = ''): ResourceState =>
    rehearsal.resources('Express').find(each => each.type === type && each.logicalId.startsWith(id))!;
  const server = () => rehearsal.database(resource('AWS::RDS::DBCluster'));
  const as = (role: string, username: string, sql = 'SELECT current_user') => {
    const credentials = rehearsal.credentialsOf(resource('AWS::IAM::Role', role));
    return execute(
      server(),
      { username, password: server().token('', username, { credentials }), database: 'postgres' },
      sql,
    );
  };

  full.test('gets users without a VPC, a secret or a framework, with the authorities of Amazon alone', async () => {
    expect(await rehearsal.deploy(await synthesized(APP), 'Express')).toMatchObject({ status: 'CREATE_COMPLETE' });
    expect(await as('Orders', 'orders', 'CREATE TABLE things AS SELECT 7 AS id')).toEqual([]);
    expect(await as('Other', 'orders')).toBe('refused: 28000 PAM authentication failed for user "orders"');
    expect(await as('Orders', 'postgres')).toBe('refused: 28000 PAM authentication failed for user "postgres"');

    // The master's role goes on: it is a member of rds_iam on purpose, and has no password.
    expect(await rehearsal.deploy(await synthesized(APP, { more: 'true' }), 'Express')).toMatchObject({
      status: 'UPDATE_COMPLETE',
    });
    expect(await as('More', 'more')).toEqual([{ current_user: 'more' }]);
    expect(await as('Orders', 'orders', 'SELECT id FROM things')).toEqual([{ id: 7 }]);
    expect(await rehearsal.destroy('Express')).toMatchObject({ status: 'DELETE_COMPLETE' });
  });

  full.test('is not trusted with other authorities, and the reason says so', async () => {
    const cas = `${RunFolder.open().newPath('others')}.pem`;
    writeFileSync(cas, rootCertificates[0]);
    const { status, reason } = await rehearsal.deploy(await synthesized(APP, { cas }), 'Express');
    expect(status).toBe('ROLLBACK_COMPLETE');
    expect(reason).toContain("the server's certificate is not trusted");
  });
});
