import { Stack, Stage } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as rds from 'aws-cdk-lib/aws-rds';
import {
  AdminCredentials,
  AuroraIamAuth,
  AuroraIamAuthProps,
  ColumnPrivilege,
  DatabaseRole,
  DatabaseUser,
  Privileges,
  SqlTransport,
} from '../../lib';
import { acknowledge, answer, Case } from './case';
import { IRELAND, newCluster, vpcOf } from './support';

const other = ({ stack }: Case, props: Partial<AuroraIamAuthProps>) =>
  new AuroraIamAuth(stack, 'A', { cluster: newCluster(stack, 'Other'), ...props });
const readOnly = (...schemas: string[]) => Privileges.readOnly({ database: 'shop', schemas, objectsCreatedBy: [] });

describe('names that are read as others', () => {
  test.each<[string, (one: Case) => unknown, string]>([
    ['a username in quotes', ({ iamAuth }) => iamAuth.addUser('"Orders"'),
      'username "\\"Orders\\"" is in quotes that are part of the name, so that it is another name than the one that is read; correct it, or acknowledge'],
    ['a schema in quotes', ({ iamAuth }) => iamAuth.addUser('a', { privileges: [readOnly('"Shop"')] }),
      'schema name "\\"Shop\\"" is in quotes that are part of the name, so that it is another name than the one that is read; correct it, or acknowledge'],
    ['a schema of the search path, as PostgreSQL shows it',
      ({ iamAuth }) => iamAuth.addUser('a', { searchPath: ['"$user"', 'public'] }),
      'schema name "\\"$user\\"" is in quotes that are part of the name, so that it is another name than the one that is read; correct it, or acknowledge'],
    ['two schemas in one', ({ iamAuth }) => iamAuth.addUser('a', { searchPath: ['shop, public'] }),
      'schema name "shop, public" has a comma that is part of the name; make each schema an item of searchPath, or acknowledge'],
    ['a star for all schemas', ({ iamAuth }) => iamAuth.addUser('a', { privileges: [readOnly('*')] }),
      'schema name "*" stands for one of that name, and for no other; name each of those that are meant, or acknowledge'],
    ['users that differ in upper case', ({ iamAuth }) => [iamAuth.addUser('Orders'), iamAuth.addUser('orders')],
      'role name "orders" and "Orders", which S/IamAuth/Orders creates, are the same but for upper case, and two roles; correct one of them, or acknowledge'],
  ])('%s', (_, work, expected) => {
    const one = new Case();
    expect(answer(one.app, () => work(one))).toBe(expected + acknowledge('unclearName'));
  });

  test('nothing to say of quotes and commas inside, and of a star as a user', () => {
    const one = new Case();
    expect(answer(one.app, () => one.iamAuth.addUser('*', {
      username: 'it\'s', searchPath: ['$user', 'Public'], privileges: [readOnly('a "b" c', 'a,b')],
    }))).toBe('');
  });

  test('a star for all columns is refused, with the privilege that is meant', () => {
    expect(() =>
      Privileges.onColumns({
        database: 'shop',
        schema: 'public',
        table: 'orders',
        columns: ['*'],
        privileges: [ColumnPrivilege.SELECT],
      }),
    ).toThrow(
      'column name "*" is not allowed: it would stand for all columns of the table; grant on the table itself (Privileges.onTables)',
    );
  });
});

describe('the import of a role that the app creates', () => {
  const imported = ({ stack }: Case) => DatabaseRole.fromRoleName(stack, 'Import', 'readers');
  const warning = (creator: string) =>
    `role name "readers" is of an import, and ${creator} creates that role, so that the deployment may come before it; `
    + 'pass that construct in place of the import, or acknowledge'
    + acknowledge('roleOfApp');

  test.each<[string, (one: Case) => unknown]>([
    ['to be a member of, before it is created', (one) => {
      one.iamAuth.addUser('a', { privileges: [Privileges.memberOf(imported(one))] });
      one.iamAuth.addRole('readers');
    }],
    ['as the creator of tables', (one) => {
      one.iamAuth.addRole('readers');
      one.iamAuth.addUser('a', {
        privileges: [Privileges.readOnly({ database: 'shop', objectsCreatedBy: [imported(one)] })],
      });
    }],
  ])('%s', (_, work) => {
    const one = new Case();
    expect(answer(one.app, () => work(one))).toBe(warning('S/IamAuth/readers'));
  });

  test('from another stack', () => {
    const one = new Case();
    const { iamAuth } = one;
    const stack = new Stack(one.app, 'T', { env: IRELAND });
    expect(
      answer(one.app, () => [
        new DatabaseRole(stack, 'Readers', { iamAuth, roleName: 'readers' }),
        iamAuth.addUser('a', { privileges: [Privileges.memberOf(imported(one))] }),
      ]),
    ).toBe(warning('T/Readers'));
  });

  test.each<[string, (one: Case) => unknown]>([
    ['the app does not create it', one => one.iamAuth.addUser('a', { privileges: [Privileges.memberOf(imported(one))] })],
    ['another database has one of that name', (one) => {
      one.iamAuth.addUser('a', { privileges: [Privileges.memberOf(imported(one))] });
      other(one, {}).addRole('readers');
    }],
    ['the construct itself is passed as well', one => one.iamAuth.addUser('a', {
      privileges: [Privileges.memberOf(one.iamAuth.addRole('readers')), Privileges.memberOf(imported(one))],
    })],
  ])('is nothing to say of where %s', (_, work) => {
    const one = new Case();
    expect(answer(one.app, () => work(one))).toBe('');
  });
});

describe('a time that is computed from the clock', () => {
  const moving = (time: string) =>
    `expiresAt ${time} has milliseconds, as a time that is computed from the clock: each synthesis would have a later one, `
    + "so that the access never ends; pass a fixed time, such as new Date('2027-01-31T12:00:00Z'), or acknowledge"
    + acknowledge('movingExpiry');

  test.each<[string, string, string]>([
    ['one millisecond', '2095-01-31T12:00:00.001Z', moving('2095-01-31T12:00:00.001Z')],
    ['none', '2095-01-31T12:00:01.000Z', ''],
  ])('of a user and of a membership, with %s', (_, time, expected) => {
    const expiresAt = new Date(time);
    const user = new Case();
    expect(answer(user.app, () => user.iamAuth.addUser('a', { expiresAt }))).toBe(expected);
    const member = new Case();
    expect(answer(member.app, () => member.iamAuth.addUser('a', {
      privileges: [Privileges.memberOf(member.iamAuth.addRole('r'), { expiresAt })],
    }))).toBe(expected);
  });
});

describe('the owner of the registry', () => {
  const OWNER
    = 'role "owner" owns the registry, so no user or role of this library can be it or a member of it; name another role as registryOwner, or leave this one out';

  test.each<[string, (iamAuth: AuroraIamAuth, one: Case) => unknown, string]>([
    ['a user', iamAuth => iamAuth.addUser('owner'), 'S/A'],
    ['a group role', iamAuth => iamAuth.addRole('owner'), 'S/A'],
    ['what a user is a member of', (iamAuth, { stack }) => iamAuth.addUser('a', {
      privileges: [Privileges.memberOf(DatabaseRole.fromRoleName(stack, 'R', 'owner'))],
    }), 'S/A/a'],
  ])('is not %s', (_, work, path) => {
    const one = new Case();
    expect(answer(one.app, () => work(other(one, { registryOwner: 'owner' }), one))).toBe(`[${path}] ${OWNER}`);
  });
});

describe('an admin that signs in with a token', () => {
  const admin = AdminCredentials.fromIam('postgres');
  const WARNING
    = 'admin "postgres" of AdminCredentials.fromIam() is the master of cluster S/Other, which is made with a password and not as a member of rds_iam, '
      + 'so that its token is refused and the deployment fails; leave admin out, name a role of its own as docs/admin.md makes it, or acknowledge'
      + acknowledge('adminWithPassword');

  test('and is the master with a password', () => {
    const one = new Case();
    expect(answer(one.app, () => other(one, { admin }).addUser('a'))).toBe(WARNING);
  });

  test.each<[string, (one: Case) => unknown]>([
    ['another role', one => other(one, { admin: AdminCredentials.fromIam('provisioner') })],
    ['the master without a password', ({ stack }) => {
      const cluster = newCluster(stack, 'Other');
      const resource = cluster.node.defaultChild as rds.CfnDBCluster;
      resource.addPropertyOverride('MasterUserAuthenticationType', 'iam-db-auth');
      return new AuroraIamAuth(stack, 'A', { cluster, admin });
    }],
  ])('and is %s', (_, work) => {
    const one = new Case();
    expect(answer(one.app, () => work(one))).toBe('');
  });
});

describe('the framework in isolated subnets', () => {
  const NO_WAY
    = 'the provider framework runs in isolated subnets of S/Isolated (frameworkInVpc), and nothing there leads to Lambda and S3, '
      + 'so that CloudFormation gets no answer and the deployment fails; '
      + "add vpc.addInterfaceEndpoint('Lambda', { service: ec2.InterfaceVpcEndpointAwsService.LAMBDA }) and "
      + "vpc.addGatewayEndpoint('S3', { service: ec2.GatewayVpcEndpointAwsService.S3 }), or acknowledge where there is another way"
      + acknowledge('noWayForFramework');
  const toLambda = (vpc: ec2.Vpc) =>
    vpc.addInterfaceEndpoint('Lambda', { service: ec2.InterfaceVpcEndpointAwsService.LAMBDA });
  const toS3 = (vpc: ec2.Vpc) => vpc.addGatewayEndpoint('S3', { service: ec2.GatewayVpcEndpointAwsService.S3 });

  test.each<[string, boolean, ((vpc: ec2.Vpc) => unknown)[], string]>([
    ['without endpoints', true, [], NO_WAY],
    ['with the one for Lambda', true, [toLambda], NO_WAY],
    ['with the one for S3', true, [toS3], NO_WAY],
    ['with both', true, [toLambda, toS3], ''],
    ['that is not there', false, [], ''],
  ])('%s', (_, frameworkInVpc, add, expected) => {
    const { app, stack } = new Case();
    const vpc = new ec2.Vpc(stack, 'Isolated', {
      natGateways: 0, subnetConfiguration: [{ name: 'isolated', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }],
    });
    const cluster = newCluster(stack, 'Cluster', { vpc, vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED } });
    expect(answer(app, () => {
      new AuroraIamAuth(stack, 'A', {
        cluster,
        admin: AdminCredentials.fromIam('admin'),
        provisioner: { frameworkInVpc },
      }).addUser('a');
      add.forEach(one => one(vpc));
    })).toBe(expected);
  });
});

describe('alarms', () => {
  const TAKEN
    = '[S/IamAuth] id "Alarms" is taken here: addAlarms() was called before, or a user or role has it; keep one of the calls, or give the other one another id';

  test.each<[string, (iamAuth: AuroraIamAuth) => unknown]>([
    ['twice', iamAuth => [iamAuth.addAlarms(), iamAuth.addAlarms()]],
    ['beside a user of that id', iamAuth => [iamAuth.addUser('Alarms'), iamAuth.addAlarms()]],
  ])('%s', (_, work) => {
    const one = new Case();
    expect(answer(one.app, () => work(one.iamAuth))).toBe(TAKEN);
  });

  test('of a cluster with express configuration, whose instances the app does not tell', () => {
    const { app, stack } = new Case();
    const cluster = new rds.CfnDBCluster(stack, 'Express', { engine: 'aurora-postgresql' });
    cluster.addPropertyOverride('WithExpressConfiguration', true);
    expect(
      answer(app, () =>
        new AuroraIamAuth(stack, 'A', { cluster, transport: SqlTransport.internetAccessGateway() }).addAlarms(),
      ),
    ).toBe(
      '[S/A] cluster S/Express has express configuration, and the app does not tell its instances, by which RDS counts sign-ins; '
      + 'create alarms of your own from the metrics of AWS/RDS',
    );
  });
});

describe('one database that is imported twice', () => {
  const imported = (stack: Stack, id: string, resourceId: string) => new AuroraIamAuth(stack, id, {
    cluster: rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, `${id}Cluster`, {
      clusterIdentifier: 'shop',
      clusterResourceIdentifier: resourceId,
      clusterEndpointAddress: 'shop.cluster-x.eu-west-1.rds.amazonaws.com',
      port: 5432,
      securityGroups: [ec2.SecurityGroup.fromSecurityGroupId(stack, `${id}Group`, 'sg-1')],
    }),
    vpc: vpcOf(stack), admin: AdminCredentials.fromIam('admin'),
  });

  test.each([
    ['has one user of a name', 'cluster-A',
      '[S/B] username "a" is taken: S/A/a creates it in the same database; use that one, or choose another name'],
    ['is another one by its resource id', 'cluster-B', ''],
  ])('%s', (_, resourceId, expected) => {
    const { app, stack } = new Case();
    imported(stack, 'A', 'cluster-A').addUser('a');
    expect(answer(app, () => imported(stack, 'B', resourceId).addUser('a'))).toBe(expected);
  });
});

test('a user in another stage than its database', () => {
  const { app, iamAuth } = new Case();
  const stack = new Stack(new Stage(app, 'Prod', { env: IRELAND }), 'T');
  expect(answer(app, () => new DatabaseUser(stack, 'U', { iamAuth, username: 'a' }))).toBe(
    '[Prod/T/U] this is in stage "Prod", and the database S/Cluster/Resource in stage "", and what is in one stage cannot refer to another; '
    + 'create it in a stack of that stage, or import the database in this one',
  );
});
