import { CfnParameter, CfnResource, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import {
  AuroraIamAuth,
  DatabaseUser,
  DatabaseUserAttributes,
  DatabaseUserGrants,
  IDatabaseUser,
  InstanceIamAuth,
  Privileges,
} from '../../lib';
import { IRELAND, newApp, newCluster, newInstance, resourcesOf } from './support';

let stack: Stack;
beforeEach(() => {
  stack = new Stack(newApp(), 'Data', { env: IRELAND });
});

const newRole = (id: string) => new iam.Role(stack, id, { assumedBy: new iam.AccountRootPrincipal() });
const statements = () =>
  Object.entries(resourcesOf(stack, 'AWS::IAM::Policy'))
    .filter(([id]) => /^[ABC]Default/.test(id))
    .map(([, { Properties }]) => (Properties.PolicyDocument as { Statement: object[] }).Statement);
const imported = (
  attributes: object = { clusterEndpointAddress: 'shop.cluster-1.eu-west-1.rds.amazonaws.com', port: 6543 },
) =>
  rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Shared', {
    clusterIdentifier: 'shop',
    clusterResourceIdentifier: 'cluster-ABCDEFGHIJKL01234',
    ...attributes,
  });

describe('DatabaseUser.fromUsername', () => {
  test.each<[string, () => { created: IDatabaseUser; attributes: Partial<DatabaseUserAttributes> }]>([
    ['iamAuth', () => {
      const iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) });
      return { created: iamAuth.addUser('orders'), attributes: { iamAuth } };
    }],
    ['cluster', () => {
      const cluster = newCluster(stack);
      return { created: new AuroraIamAuth(stack, 'IamAuth', { cluster }).addUser('orders'), attributes: { cluster } };
    }],
    ['instance', () => {
      const instance = newInstance(stack);
      return {
        created: new InstanceIamAuth(stack, 'IamAuth', { instance }).addUser('orders'),
        attributes: { instance },
      };
    }],
  ])('has the grants of a user that this app creates, and creates nothing: %s', (_, make) => {
    const { created, attributes } = make();
    created.grantConnect(newRole('A'));
    const resources = () => stack.node.findAll().filter(each => CfnResource.isCfnResource(each)).length;
    const before = resources();
    const user = DatabaseUser.fromUsername(stack, 'Orders', { username: 'orders', ...attributes });
    expect(resources()).toBe(before);
    expect([user.username, user.roleName, user.database]).toEqual(['orders', 'orders', 'shop']);
    user.grantConnect(newRole('B'));
    DatabaseUserGrants.fromUser(user).connect(newRole('C'));
    const [a, b, c] = statements();
    expect([b, c]).toEqual([a, a]);
    const { PGHOST, PGPORT, ...others } = created.connectionEnvironment({ region: true });
    expect(user.connectionEnvironment({ region: true })).toMatchObject(others);
    expect(stack.resolve(user.connectionEnvironment().PGHOST)).toEqual(stack.resolve(PGHOST));
    expect(PGPORT).toBeDefined();
  });

  test('has what an app that only connects needs of an imported cluster', () => {
    const user = DatabaseUser.fromUsername(stack, 'Orders', {
      username: 'orders',
      cluster: imported(),
      database: 'shop',
    });
    expect(user.connectionEnvironment()).toEqual({
      PGHOST: 'shop.cluster-1.eu-west-1.rds.amazonaws.com',
      PGPORT: '6543',
      PGUSER: 'orders',
      PGDATABASE: 'shop',
      PGSSLMODE: 'verify-full',
    });
    expect(user.psqlCommand()).toContain(
      " --hostname shop.cluster-1.eu-west-1.rds.amazonaws.com --port 6543 --region eu-west-1 --username='orders'",
    );
    user.grantConnect(newRole('A'));
    expect(statements()).toMatchObject([[{ Action: 'rds-db:connect' }]]);
    expect(Object.keys(resourcesOf(stack)).filter(id => !/^A/.test(id))).toEqual([]);
  });

  test('connects to postgres where no database is known', () => {
    expect(DatabaseUser.fromUsername(stack, 'Orders', { username: 'orders', cluster: imported() }).database).toBe(
      'postgres',
    );
  });

  test('is a role that others refer to', () => {
    const iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) });
    const migrator = DatabaseUser.fromUsername(stack, 'Migrator', { username: 'migrator', iamAuth });
    iamAuth.addUser('orders', {
      privileges: [Privileges.readOnly({ database: 'shop', objectsCreatedBy: [migrator] })],
    });
    expect(JSON.stringify(resourcesOf(stack, 'Custom::RdsIamUser'))).toContain('"FutureObjects":{"migrator":');
  });

  test.each<[string, () => Partial<DatabaseUserAttributes>, string]>([
    ['nothing', () => ({}),
      'the database of the user is given by nothing, and a user is in one database server; pass one of iamAuth, cluster and instance'],
    ['two databases', () => ({ cluster: imported(), instance: newInstance(stack) }),
      'the database of the user is given by cluster and instance, and a user is in one database server; pass one of iamAuth, cluster and instance'],
    ['a name that is none', () => ({ cluster: imported(), username: 'a/b' }),
      'username "a/b" is not allowed: it contains / or :, which separate the parts of the rds-db:connect resource; use another separator, such as . or -'],
    ['a token', () => ({ cluster: imported(), username: new CfnParameter(stack, 'Username').valueAsString }),
      'username is a token, and a * in it would let the grantee sign in as every user; give the username itself'],
  ])('fails for %s', (_, attributes, message) => {
    expect(() => DatabaseUser.fromUsername(stack, 'Orders', { username: 'orders', ...attributes() })).toThrow(
      new Error(`[Data/Orders] ${message}`),
    );
  });

  test('fails for a cluster that was imported without its endpoint', () => {
    expect(() => DatabaseUser.fromUsername(stack, 'Orders', { username: 'orders', cluster: imported({}) })).toThrow(
      new Error(
        '[Data/Shared] the database was imported without its endpoint, which clients connect to; give clusterEndpointAddress and port where it is imported',
      ),
    );
  });
});

test('users of a list are there by name, sorted', () => {
  const team = new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) }).addUsers('Team', {
    usernames: ['grace', 'ada'],
  });
  expect(team.usernames).toEqual(['ada', 'grace']);
  expect(team.users).toEqual([team.user('ada'), team.user('grace')]);
});
