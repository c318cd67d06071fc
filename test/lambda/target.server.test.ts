import dns from 'node:dns/promises';
import { adminWithToken } from '../../lambda/provisioner/transport/credentials';
import { Transport } from '../../lambda/provisioner/transport/session';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { DataApiEndpoint } from '../rehearsal/data-api-endpoint';
import { firstOf } from '../full';
import { dataApiOf, throughDataApi } from './over-data-api';
import {
  failure,
  setups,
  signInWithToken,
  snapshot,
  Stack,
  StackOptions,
  throughConnections,
  trust,
  users,
} from './stack';

const USER = { username: 'orders' };
const OTHER = 'cluster-OTHER';

/** What an event is about is compared with the deployment before anything else, in each way to the database. */
describe.each(setups('16, RDS-like'))('the target of an event on PostgreSQL $name', (setup) => {
  let server: AuroraLikeServer;
  let endpoint: DataApiEndpoint;
  const environment = process.env;
  beforeAll(async () => {
    server = await AuroraLikeServer.start({ ...setup, databases: ['shop'], authorize: () => true });
    trust(server.caCertificate);
    endpoint = await dataApiOf(server);
    const { accessKeyId, secretAccessKey, sessionToken } = server.issueCredentials('provisioner');
    process.env = {
      ...environment,
      AWS_REGION: server.region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken,
    };
  });
  afterAll(async () => {
    process.env = environment;
    await server.stop();
  });

  describe.each(firstOf(1, ['a password', 'a token', 'the Data API']))('with %s', (way) => {
    let reads: number;
    let resolved: jest.SpyInstance;
    let before: unknown;
    beforeAll(async () => {
      await server.setMasterWithToken(way === 'a token');
      before = await snapshot(server);
    });
    afterAll(async () => {
      await expect(snapshot(server)).resolves.toEqual(before);
      await server.setMasterWithToken(false);
    });
    beforeEach(() => {
      reads = 0;
      endpoint.calls.length = 0;
      resolved = jest.spyOn(dns, 'lookup');
    });
    afterEach(() => resolved.mockRestore());

    /** A provisioner of the server, whatever the events say. */
    function stackOf(options: StackOptions = {}): Stack {
      const admin = () => way === 'a token' ? adminWithToken('postgres', server.host, server.port) : server.master;
      const transport = way === 'the Data API' ? throughDataApi(server) : throughConnections(server, { admin });
      const counted: Transport = (budget, log, purpose) => {
        reads++;
        return transport(budget, log, purpose);
      };
      return new Stack(server, {
        ...options,
        deployment: { resourceId: server.resourceId, transport: counted, ...options.deployment },
      });
    }

    function expectNothingWasAsked(): void {
      expect({ reads, calls: endpoint.calls.length, resolved: resolved.mock.calls.length }).toEqual({
        reads: 0,
        calls: 0,
        resolved: 0,
      });
    }

    test.each(['Create', 'Update'] as const)(
      'a %s for another database is refused before anything is asked',
      async (RequestType) => {
        const stack = stackOf({ resourceId: OTHER });
        expect(
          await failure(
            stack.send({ RequestType, LogicalResourceId: 'A', PhysicalResourceId: `${OTHER}/orders/A` }, USER),
          ),
        ).toBe(
          `Database.ResourceId "${OTHER}" is not allowed: this provisioner manages users of ${server.resourceId} only; declare the user with the AuroraIamAuth or InstanceIamAuth of its database`,
        );
        expectNothingWasAsked();
      },
    );

    test.each(['Create', 'Update', 'Delete'] as const)(
      'a %s of another stack is refused before anything is asked, of another database too',
      async (RequestType) => {
        const stackId = 'arn:aws:cloudformation:eu-central-1:123456789012:stack/own/1';
        for (const resourceId of [server.resourceId, OTHER]) {
          const stack = stackOf({ resourceId, deployment: { stackId } });
          expect(
            await failure(
              stack.send({ RequestType, LogicalResourceId: 'A', PhysicalResourceId: `${resourceId}/orders/A` }, USER),
            ),
          ).toBe(
            `StackId "${stack.stackId}" is not allowed: this provisioner serves the resources of ${stackId} only; declare the user in the app; each stack with users gets a provisioner of its own`,
          );
        }
        expectNothingWasAsked();
      },
    );

    test('an event that says where the database is is refused, and nothing is sent there', async () => {
      const Database = { ResourceId: server.resourceId, Host: '127.0.0.1', Port: '443' };
      expect(
        await failure(
          stackOf().send(
            {
              ResourceProperties: {
                ServiceToken: 't',
                Database,
                Username: 'orders',
                OnRemoval: { Action: 'DROP_OR_DISABLE' },
              },
            },
            USER,
          ),
        ),
      ).toBe('property "Host" is not allowed: Database has only ResourceId; remove it, or update the provisioner');
      expectNothingWasAsked();
    });

    test('a Delete of a former database succeeds, asks nothing, and says that its roles stay', async () => {
      const stack = stackOf({ resourceId: OTHER });
      for (const physicalId of [`${OTHER}/orders/A`, 'shop-A-1ABCDEFGHIJKL']) {
        await expect(
          stack.send({ RequestType: 'Delete', LogicalResourceId: 'A', PhysicalResourceId: physicalId }, USER),
        ).resolves.toEqual({ PhysicalResourceId: physicalId });
        expect(stack.log.splice(0)).toEqual([{
          notice: 'nothing to remove', requestId: 'invocation', action: 'Delete', logicalId: 'A',
          reason: `${OTHER} is not the database of this provisioner any more: its roles stay as they are, and what this app allows is about ${server.resourceId}`,
        }]);
      }
      expectNothingWasAsked();
    });

    test('a cluster that is replaced: users are made in the new one, and the clean-up leaves them alone', async () => {
      const before = stackOf({ resourceId: OTHER, deployment: { resourceId: OTHER } });
      const { PhysicalResourceId: former } = await before.create('A', USER);
      expect(former).toBe(`${OTHER}/orders/A`);
      // The environment of the function is updated first.
      const now = stackOf();
      const { PhysicalResourceId: current } = await now.update('A', USER, former);
      expect(current).toBe(`${server.resourceId}/orders/A`);
      await stackOf({ resourceId: OTHER }).delete('A', USER, former);
      await expect(signInWithToken(server, 'orders')).resolves.toBe('orders');
      await now.delete('A', USER, current);
      expect(await users(server)).toEqual([]);
    });

    test('a replacement that is rolled back: the old database is as it was, and the clean-up of the new one asks nothing', async () => {
      const old = stackOf();
      const { PhysicalResourceId: physicalId } = await old.create('A', USER);
      reads = 0;
      // Environment and events are the old ones again; then CloudFormation deletes what it had made in the new
      // database.
      await expect(old.update('A', USER, `${OTHER}/orders/A`)).resolves.toEqual({ PhysicalResourceId: physicalId });
      expect(reads).toBe(1);
      await stackOf({ resourceId: OTHER }).delete('A', USER, `${OTHER}/orders/A`);
      expect(reads).toBe(1);
      await expect(signInWithToken(server, 'orders')).resolves.toBe('orders');
      await old.delete('A', USER, physicalId);
    });

    test('a creation that failed or was cancelled is taken back under the id that CloudFormation made up', async () => {
      const stack = stackOf();
      await stack.create('A', USER);
      await stack.delete('A', USER, 'shop-A-1ABCDEFGHIJKL');
      expect(await users(server)).toEqual([]);
    });

    test('an update of an endpoint or port that comes all the same changes nothing', async () => {
      const stack = stackOf();
      await stack.create('A', USER);
      stack.takeChanges();
      await stack.update('A', USER);
      expect(stack.takeChanges()).toEqual([]);
      await stack.delete('A', USER);
    });
  });
});
