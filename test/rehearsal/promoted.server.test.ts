import { newResourceId } from '../../rehearsal/cloudformation/database-properties';
import { ResourceState } from '../../rehearsal/cloudformation/template';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { execute } from '../../rehearsal/sign-in';
import { firstOf, full } from '../full';
import { synthesized } from './synthesized';

const APP = 'test/rehearsal/fixtures/promoted-app.ts';
const REFUSED = (username: string) => `refused: 28000 PAM authentication failed for user "${username}"`;

/** What CloudFormation gives for the resource id after a switchover is documented nowhere. */
describe.each(firstOf(1, ['the one of now', 'the one of before']))(
  'a cluster that another one is promoted in the place of, where Fn::GetAtt gives %s',
  (given) => {
    const green = newResourceId('cluster');
    let rehearsal: Rehearsal;
    beforeAll(async () => {
      rehearsal = await Rehearsal.start();
      expect(await rehearsal.deploy(await synthesized(APP, { green }), 'Shop')).toMatchObject({
        status: 'CREATE_COMPLETE',
      });
    });
    afterAll(() => rehearsal.close());

    const resource = (type: string, id = ''): ResourceState =>
      rehearsal.resources('Shop').find(each => each.type === type && each.logicalId.startsWith(id))!;
    const cluster = () => resource('AWS::RDS::DBCluster');
    const as = (role: string, username: string, sql = 'SELECT current_user') => {
      const server = rehearsal.database(cluster());
      return execute(
        server,
        {
          username,
          password: server.token('', username, {
            credentials: rehearsal.credentialsOf(resource('AWS::IAM::Role', role)),
          }),
          database: 'shop',
        },
        sql,
      );
    };

    test('before: who has its id gets in, whether or not with the other one', async () => {
      expect(await as('Both', 'orders', 'CREATE TABLE things AS SELECT 7 AS id')).toEqual([]);
      expect(await as('One', 'orders')).toEqual([{ current_user: 'orders' }]);
    });

    test('after the switchover: who has both ids gets in at the same endpoint, and who has one does not', async () => {
      const { host } = rehearsal.database(cluster());
      await rehearsal.switchOver(cluster(), green);
      expect(rehearsal.database(cluster())).toMatchObject({ host, resourceId: green });
      expect(await as('Both', 'orders', 'SELECT id FROM things')).toEqual([{ id: 7 }]);
      expect(await as('One', 'orders')).toBe(REFUSED('orders'));
    });

    full.test('and a deployment goes on with the users that are there', async () => {
      if (given === 'the one of now') {
        Object.assign(cluster().attributes, { DBClusterResourceId: green });
      }
      expect(await rehearsal.deploy(await synthesized(APP, { green, later: '' }), 'Shop')).toMatchObject({
        status: 'UPDATE_COMPLETE',
      });
      expect(await as('Later', 'later')).toEqual([{ current_user: 'later' }]);
      expect(await as('Both', 'orders', 'SELECT id FROM things')).toEqual([{ id: 7 }]);
      expect(await as('One', 'orders')).toEqual(
        given === 'the one of now' ? [{ current_user: 'orders' }] : REFUSED('orders'),
      );
      expect(await rehearsal.destroy('Shop')).toMatchObject({ status: 'DELETE_COMPLETE' });
    });
  },
);
