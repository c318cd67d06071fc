import { ResourceState } from '../../rehearsal/cloudformation/template';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { signIn } from '../../rehearsal/sign-in';
import { full } from '../full';
import { synthesized } from './synthesized';

full.test(
  'users are created with a secret that RDS manages, which no other principal may read and which rotates meanwhile',
  async () => {
    const rehearsal = await Rehearsal.start();
    try {
      expect(
        await rehearsal.deploy(await synthesized('test/rehearsal/fixtures/managed-secret-app.ts'), 'Shop'),
      ).toMatchObject({ status: 'CREATE_COMPLETE' });
      const resource = (type: string, id = ''): ResourceState =>
        rehearsal.resources('Shop').find(each => each.type === type && each.logicalId.startsWith(id))!;
      const cluster = resource('AWS::RDS::DBCluster');
      const server = rehearsal.database(cluster);
      const token = server.token('', 'orders', {
        credentials: rehearsal.credentialsOf(resource('AWS::IAM::Role', 'Orders')),
      });
      expect(await signIn(server, { username: 'orders', password: token, database: 'shop' })).toBe(
        'signed in as orders',
      );
      expect(server.master.username).toBe('chief');
      const secret = cluster.attributes['MasterUserSecret.SecretArn'] as string;
      const mayRead = (id: string) =>
        rehearsal.allows(
          resource('AWS::IAM::Role', id).attributes.Arn as string,
          'secretsmanager:GetSecretValue',
          secret,
        );
      expect([
        mayRead('IamAuthProvisionerHandlerRole'),
        mayRead('IamAuthProvisionerFrameworkRole'),
        mayRead('Orders'),
      ]).toEqual([true, false, false]);

      // While it rotates, an update reads it again until it has the new password.
      const again = await synthesized('test/rehearsal/fixtures/managed-secret-app.ts', { reapply: 'rotated' });
      const rotated = rehearsal.rotateMasterSecret(cluster, 5_000);
      expect(await rehearsal.deploy(again, 'Shop')).toMatchObject({ status: 'UPDATE_COMPLETE' });
      await rotated;
      expect(rehearsal.logs.map(({ text }) => text).join('')).toMatch(/"notice":"trying again".*SQLSTATE 28P01/);
      expect(await rehearsal.destroy('Shop')).toMatchObject({ status: 'DELETE_COMPLETE' });
    } finally {
      await rehearsal.close();
    }
  },
);
