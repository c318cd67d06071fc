import { CfnParameter, SecretValue, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import {
  AdminCredentials, AuroraIamAuth, ConnectGrants, DatabaseUser, InstanceIamAuth, OnRemoval, Privileges, TablePrivilege,
} from '../../lib';
import { acknowledge, answer, Case } from './case';
import { ENGINE, IRELAND, newCluster, newInstance, vpcOf } from './support';

const onTables = (...tables: string[]) => Privileges.onTables({
  database: 'shop', schema: 'public', tables, privileges: [TablePrivilege.SELECT],
});
const readOnly = (database: string) => Privileges.readOnly({ database, objectsCreatedBy: [] });
const isolated = (stack: Stack) => new ec2.Vpc(stack, 'Isolated', {
  natGateways: 0, subnetConfiguration: [{ name: 'isolated', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }],
});
const publicOnly = (stack: Stack) => new ec2.Vpc(stack, 'Public', {
  natGateways: 0, subnetConfiguration: [{ name: 'public', subnetType: ec2.SubnetType.PUBLIC }],
});
const aFunction = (stack: Stack, vpc?: ec2.IVpc) =>
  new lambda.Function(stack, 'Function', {
    runtime: lambda.Runtime.NODEJS_22_X, handler: 'index.handler', code: lambda.Code.fromInline('x'), vpc,
  });
const restored = (stack: Stack, props: Partial<rds.DatabaseClusterFromSnapshotProps>) =>
  new rds.DatabaseClusterFromSnapshot(stack, 'Restored', {
    engine: ENGINE, writer: rds.ClusterInstance.serverlessV2('writer'), vpc: vpcOf(stack),
    snapshotIdentifier: 'snapshot', ...props,
  });

describe('names', () => {
  test.each<[string, (one: Case) => unknown, string]>([
    ['a database that the cluster is not made with', ({ iamAuth }) =>
      iamAuth.addUser('a', { privileges: [readOnly('shp')] }),
    'database "shp" is none that cluster S/Cluster is made with ("shop", "postgres"), and the deployment fails '
    + 'where it is not there; '
    + 'correct the name, or see that it is created before this user, and '
    + 'acknowledge' + acknowledge('unknownDatabase')],
    ['the name of a database in another case', ({ iamAuth }) => iamAuth.addUser('a', { database: 'Shop' }),
      'database "Shop" is none that cluster S/Cluster is made with ("shop", "postgres"), and the deployment fails '
      + 'where it is not there; '
      + 'correct the name, or see that it is created before this user, and '
      + 'acknowledge' + acknowledge('unknownDatabase')],
    ['a blank in front', ({ iamAuth }) => iamAuth.addUser(' orders'),
      'username " orders" has a blank or an invisible character (U+0020) that is part of the name, so that it is '
      + 'another name than the one that is read; correct it, or acknowledge'
      + acknowledge('unclearName')],
    ['a blank behind', ({ iamAuth }) => iamAuth.addRole('readers '),
      'role name "readers " has a blank or an invisible character (U+0020) that is part of the name, so that it is '
      + 'another name than the one that is read; correct it, or acknowledge'
      + acknowledge('unclearName')],
    ['a soft hyphen', ({ iamAuth }) => iamAuth.addUsers('Team', { usernames: ['ada', 'gra\u00adce'] }),
      'username "gra\u00adce" has a blank or an invisible character (U+00AD) that is part of the name, so that it '
      + 'is another name than the one that is read; correct it, or acknowledge'
      + acknowledge('unclearName')],
    ['a letter of another script', ({ iamAuth }) => iamAuth.addUser('a', { privileges: [onTables('\u043erders')] }),
      'table name "\u043erders" has a letter (U+043E) that looks like one of another script, so that it is another '
      + 'name than the one that is read; correct it, or acknowledge'
      + acknowledge('unclearName')],
    ['a table with its schema', ({ iamAuth }) => iamAuth.addUser('a', { privileges: [onTables('public.orders')] }),
      'table name "public.orders" has a dot, and names its schema, "public", beside it: it would be an object whose '
      + 'own name has the dot; write "orders", or acknowledge'
      + acknowledge('dotInName')],
  ])('%s', (_, work, expected) => {
    const one = new Case();
    expect(answer(one.app, () => work(one))).toBe(expected);
  });

  test.each<[string, (one: Case) => unknown]>([
    [
      'the databases that are there',
      ({ iamAuth }) => iamAuth.addUser('a', { privileges: [readOnly('shop'), readOnly('postgres')] }),
    ],
    [
      'any database of a restored cluster',
      ({ stack }) => new AuroraIamAuth(stack, 'A', {
        cluster: restored(stack, { snapshotCredentials: rds.SnapshotCredentials.fromGeneratedSecret('postgres') }),
      }).addUser('a', { database: 'any' }),
    ],
    ['any database where the name of the first is a token', ({ stack }) => new AuroraIamAuth(stack, 'A', {
      cluster: newCluster(stack, 'Named', { defaultDatabaseName: new CfnParameter(stack, 'Name').valueAsString }),
    }).addUser('a', { database: 'any' })],
    [
      'names of one script, and blanks inside',
      ({ iamAuth }) => iamAuth.addUser('a b', {
        privileges: [onTables('\u0437\u0430\u043a\u0430\u0437\u044b', 'line items')],
      }),
    ],
    [
      'a function with a type of another schema',
      ({ iamAuth }) => iamAuth.addUser('a', {
        privileges: [Privileges.onFunctions({ database: 'shop', schema: 'public', functions: ['f(other.kind)'] })],
      }),
    ],
  ])('nothing to say of %s', (_, work) => {
    const one = new Case();
    expect(answer(one.app, () => work(one))).toBe('');
  });
});

describe('values of a wrong type, as JavaScript passes them:', () => {
  const any = (value: unknown) => value as never;
  const ROLE = (value: string) =>
    `${value} is no role of this library, so that the deployment cannot be ordered after its creation; `
    + 'pass a DatabaseRole or a DatabaseUser, or DatabaseRole.fromRoleName(scope, id, roleName) for a role that is '
    + 'managed elsewhere';
  const WORD = (word: string) => `[S/IamAuth/a] privilege "${word}" on a table is not one that this library grants: `
    + 'there are DELETE, INSERT, MAINTAIN, REFERENCES, SELECT, TRIGGER, TRUNCATE, UPDATE; pass these, each by itself';
  const words = (word: string) => [Privileges.onTables({
    database: 'shop', schema: 'public', privileges: [any(word)],
  })];

  test.each<[string, (one: Case) => unknown, string]>([
    [
      'a privilege that is misspelt', ({ iamAuth }) => iamAuth.addUser('a', { privileges: words('SELEC') }),
      WORD('SELEC'),
    ],
    [
      'a privilege in lower case', ({ iamAuth }) => iamAuth.addUser('a', { privileges: words('select') }),
      WORD('select'),
    ],
    ['ALL', ({ iamAuth }) => iamAuth.addUser('a', { privileges: words('ALL') }), WORD('ALL')],
    [
      'no database', () => Privileges.readOnly(any({})),
      'database name is undefined, and must be a text; pass a string',
    ],
    ['privileges that are no list', ({ iamAuth }) => iamAuth.addUser('a', { privileges: any(readOnly('shop')) }),
      '[S/IamAuth/a] privileges is of class Privileges, and must be a list; pass [...]'],
    ['privileges in words', ({ iamAuth }) => iamAuth.addUser('a', { privileges: any(['SELECT']) }),
      '[S/IamAuth/a] privileges have something that is no Privileges; '
      + 'pass what Privileges.readOnly(...) and its siblings return'],
    [
      'names of creators', () => Privileges.readOnly({ database: 'shop', objectsCreatedBy: any(['migrator']) }),
      `objectsCreatedBy ${ROLE('"migrator"')}`,
    ],
    [
      'one creator', () => Privileges.readOnly({ database: 'shop', objectsCreatedBy: any('migrator') }),
      'objectsCreatedBy is "migrator", and must be a list; pass ["migrator"]',
    ],
    [
      'the name of a group',
      ({ iamAuth }) => iamAuth.addUser('a', { privileges: [Privileges.memberOf(any('readers'))] }),
      `memberOf ${ROLE('"readers"')}`,
    ],
    ['the ARN of a role', ({ iamAuth }) => iamAuth.addUser('a').grantConnect(any('arn:aws:iam::111111111111:role/x')),
      '[S/Cluster] grantee is "arn:aws:iam::111111111111:role/x", and must be a role, or a construct that has one; '
      + 'pass it, or iam.Role.fromRoleArn(scope, id, arn)'],
    ['nobody', ({ iamAuth }) => iamAuth.addUser('a').grantConnect(any(undefined)),
      '[S/Cluster] grantee is undefined, and must be a role, or a construct that has one; '
      + 'pass it, or iam.Role.fromRoleArn(scope, id, arn)'],
    ['the name of a cluster', ({ stack }) => new AuroraIamAuth(stack, 'A', { cluster: any('shop') }),
      '[S/A] cluster is "shop", and must be a construct; '
      + 'pass a rds.DatabaseCluster, or rds.DatabaseCluster.fromDatabaseClusterAttributes(...)'],
    ['no cluster', ({ stack }) => new AuroraIamAuth(stack, 'A', any({})),
      '[S/A] cluster is undefined, and must be a construct; '
      + 'pass a rds.DatabaseCluster, or rds.DatabaseCluster.fromDatabaseClusterAttributes(...)'],
    ['no instance', ({ stack }) => new InstanceIamAuth(stack, 'A', any({})),
      '[S/A] instance is undefined, and must be a construct; '
      + 'pass a rds.DatabaseInstance, or rds.DatabaseInstance.fromDatabaseInstanceAttributes(...)'],
    [
      'usernames in place of an id', ({ iamAuth }) => iamAuth.addUsers(any(['ada', 'grace']), any(undefined)),
      '[S/IamAuth] id is ["ada","grace"], and must be a text; pass a string',
    ],
    [
      'one username for a list', ({ iamAuth }) => iamAuth.addUsers('Team', { usernames: any('ada') }),
      '[S/IamAuth/Team] usernames is "ada", and must be a list; pass ["ada"]',
    ],
    [
      'options in place of an id', ({ iamAuth }) => iamAuth.addUser(any({ username: 'a' })),
      '[S/IamAuth] id is {"username":"a"}, and must be a text; pass a string',
    ],
    [
      'one schema', () => Privileges.readOnly({ database: 'shop', schemas: any('public'), objectsCreatedBy: [] }),
      'schemas of database "shop" is "public", and must be a list; pass ["public"]',
    ],
    ['nobody to drop for', () => OnRemoval.drop(any(undefined)), `reassignOwnedTo ${ROLE('undefined')}`],
    ['a name to drop for', () => OnRemoval.drop({ reassignOwnedTo: any('app') }), `reassignOwnedTo ${ROLE('"app"')}`],
    [
      'a date', ({ stack, cluster }) => new AuroraIamAuth(stack, 'A', { cluster, reapply: any(new Date(0)) }),
      '[S/A] reapply is of class Date, and must be a text; pass a string',
    ],
  ])('%s', (_, work, expected) => {
    const one = new Case();
    expect(answer(one.app, () => work(one))).toBe(expected);
  });
});

describe('grantees', () => {
  const SSO = 'arn:aws:iam::111111111111:role/aws-reserved/sso.amazonaws.com/eu-west-1/'
    + 'AWSReservedSSO_Dev_0123456789abcdef';
  const refused = (name: string, whose: string) =>
    `[S/Cluster] grantee S/${name} is the role of ${whose}, and only AWS can change its policies; `
    + 'put connectStatement() of ConnectGrants into the permission set, or grant to a managed policy that it names';

  test.each<[string, (stack: Stack) => iam.IRole, string]>([
    [
      'a role of IAM Identity Center, by its ARN', stack => iam.Role.fromRoleArn(stack, 'R', SSO),
      'a permission set of IAM Identity Center',
    ],
    [
      'the same by its name', stack => iam.Role.fromRoleName(stack, 'R', 'AWSReservedSSO_Dev_0123456789abcdef'),
      'a permission set of IAM Identity Center',
    ],
    [
      'a service-linked role',
      stack => iam.Role.fromRoleArn(
        stack,
        'R',
        'arn:aws:iam::111111111111:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS',
      ),
      'an AWS service (a service-linked role)',
    ],
  ])('%s is refused', (_, role, whose) => {
    const one = new Case();
    expect(answer(one.app, () => one.iamAuth.addUser('a').grantConnect(role(one.stack)))).toBe(refused('R', whose));
  });

  test('a role that has a name alike is taken', () => {
    const one = new Case();
    expect(answer(
      one.app,
      () => one.iamAuth.addUser('a').grantConnect(iam.Role.fromRoleName(one.stack, 'R', 'MyAWSReservedSSO_Dev')),
    )).toBe('');
  });

  test.each([
    ['app*', 'policy S/Role/DefaultPolicy/Resource allows to sign in as "app*" without an escape, as grantConnect() '
    + 'of aws-cdk-lib grants it, and so as every user that matches; '
    + 'grant with grantConnect() of the user, or acknowledge' + acknowledge('unescapedGrant')],
    ['app', ''],
  ])('of the cluster itself, which does not escape %s', (username, expected) => {
    const one = new Case();
    expect(answer(one.app, () => {
      one.cluster.grantConnect(one.role, username);
      one.iamAuth.addUser('a', { username }).grantConnect(new iam.Role(one.stack, 'Other', {
        assumedBy: new iam.AccountRootPrincipal(),
      }));
    })).toBe(expected);
  });

  test('an execution role of ECS is warned of, and not one that is the task role as well', () => {
    const one = new Case();
    const definition = new ecs.FargateTaskDefinition(one.stack, 'Task');
    const both = new ecs.FargateTaskDefinition(one.stack, 'Both', { executionRole: one.role, taskRole: one.role });
    expect(answer(one.app, () => {
      one.iamAuth.addUser('a').grantConnect(definition.obtainExecutionRole());
      one.iamAuth.addUser('b').grantConnect(both.taskRole);
    })).toBe(
      'the execution role of S/Task may sign in, with which ECS starts the tasks and no container signs in; '
      + 'grant to taskDefinition.taskRole, or acknowledge'
      + acknowledge('executionRole'),
    );
  });
});

describe('the way to the database of', () => {
  const OUTSIDE = 'function S/Function may sign in to S/Cluster and runs outside of the VPC, from where nothing '
    + 'reaches the database; '
    + 'give it vpc, and let it in with connections.allowDefaultPortFrom(...) of the database, or '
    + 'acknowledge' + acknowledge('outsideOfVpc');
  const CLOSED = (what: string) =>
    `${what} may sign in to S/Cluster, and no rule of this app lets it in there on port 5432; `
    + 'add database.connections.allowDefaultPortFrom(...) with it, or acknowledge' + acknowledge('notLetIn');

  test('a function outside of the VPC', () => {
    const one = new Case();
    expect(answer(one.app, () => one.iamAuth.addUser('a').grantConnect(aFunction(one.stack)))).toBe(OUTSIDE);
  });

  test('a function outside of the VPC, and a cluster with public instances', () => {
    const one = new Case();
    const cluster = newCluster(one.stack, 'Open', {
      writer: rds.ClusterInstance.serverlessV2('writer', { publiclyAccessible: true }),
    });
    expect(answer(
      one.app,
      () => new AuroraIamAuth(one.stack, 'A', { cluster }).addUser('a').grantConnect(aFunction(one.stack)),
    )).toBe('');
  });

  test('a function that is not let in, by its role as well', () => {
    const one = new Case();
    const fn = aFunction(one.stack, vpcOf(one.stack));
    expect(answer(one.app, () => one.iamAuth.addUser('a').grantConnect(fn.role!))).toBe(CLOSED('function S/Function'));
  });

  test.each<[string, (cluster: rds.DatabaseCluster, fn: lambda.Function) => void]>([
    ['with its group', (cluster, fn) => cluster.connections.allowDefaultPortFrom(fn)],
    [
      'with the addresses of a network',
      cluster => cluster.connections.allowDefaultPortFrom(ec2.Peer.ipv4('10.0.0.0/8')),
    ],
    ['with a prefix list', cluster => cluster.connections.allowDefaultPortFrom(ec2.Peer.prefixList('pl-1'))],
  ])('a function that is let in %s, after the grant', (_, allowInboundFrom) => {
    const one = new Case();
    const fn = aFunction(one.stack, vpcOf(one.stack));
    expect(answer(one.app, () => {
      one.iamAuth.addUser('a').grantConnect(fn);
      allowInboundFrom(one.cluster, fn);
    })).toBe('');
  });

  const rule = (ipProtocol: string, fromPort?: number, toPort?: number) =>
    (cluster: rds.DatabaseCluster, fn: lambda.Function) =>
      new ec2.CfnSecurityGroupIngress(cluster, 'Rule', {
        ipProtocol, fromPort, toPort,
        groupId: cluster.connections.securityGroups[0].securityGroupId,
        sourceSecurityGroupId: fn.connections.securityGroups[0].securityGroupId,
      });
  const parameter = (scope: Construct) => new CfnParameter(scope, 'Parameter', { type: 'Number' }).valueAsNumber;

  test.each<[string, (cluster: rds.DatabaseCluster, fn: lambda.Function) => unknown, boolean]>([
    ['ends at the port', rule('tcp', 5000, 5432), true],
    ['ends before the port', rule('tcp', 5000, 5431), false],
    ['begins at the port', rule('tcp', 5432, 6000), true],
    ['begins after the port', rule('tcp', 5433, 6000), false],
    ['is for all protocols', rule('-1'), true],
    ['is for UDP', rule('udp', 5432, 5432), false],
    [
      'is for a port that the deployment knows',
      (cluster, fn) => rule('tcp', parameter(cluster), parameter(fn))(cluster, fn), true,
    ],
    [
      'is for addresses and another port',
      cluster => cluster.connections.allowFrom(ec2.Peer.anyIpv4(), ec2.Port.tcp(6432)), false,
    ],
    [
      'is for addresses and the port', cluster => cluster.connections.allowFrom(ec2.Peer.anyIpv4(), ec2.Port.tcp(5432)),
      true,
    ],
  ])('a function, with a rule that %s', (_, add, letsIn) => {
    const one = new Case();
    const fn = aFunction(one.stack, vpcOf(one.stack));
    expect(answer(one.app, () => {
      one.iamAuth.addUser('a').grantConnect(fn);
      add(one.cluster, fn);
    })).toBe(letsIn ? '' : CLOSED('function S/Function'));
  });

  test('a function, with a rule for some port of a cluster whose port the deployment knows', () => {
    const { stack, app } = new Case();
    const fn = aFunction(stack, vpcOf(stack));
    const cluster = newCluster(stack, 'Other', { port: parameter(stack) });
    expect(answer(app, () => {
      new AuroraIamAuth(stack, 'A', { cluster }).addUser('a').grantConnect(fn);
      rule('tcp', 6432, 6432)(cluster, fn);
    })).toBe('');
  });

  test.each<[string, number, boolean]>([
    ['the port of a proxy', 5432, true],
    ['the port of the cluster', 6432, false],
  ])('a function, with a rule for %s', (_, port, letsIn) => {
    const { stack, app } = new Case();
    const fn = aFunction(stack, vpcOf(stack));
    const cluster = newCluster(stack, 'Other', { port: 6432 });
    const proxy = cluster.addProxy('Proxy', { vpc: vpcOf(stack), defaultAuthScheme: rds.DefaultAuthScheme.IAM_AUTH });
    expect(answer(app, () => {
      new AuroraIamAuth(stack, 'A', { cluster }).addUser('a').grantConnect(fn, { through: proxy });
      proxy.connections.allowFrom(fn, ec2.Port.tcp(port));
    })).toBe(letsIn ? '' : CLOSED('function S/Function').replace('S/Cluster', 'S/Other/Proxy'));
  });

  test('a function of another stack', () => {
    const one = new Case();
    const fn = aFunction(new Stack(one.app, 'Other', { env: IRELAND }), vpcOf(one.stack));
    expect(answer(one.app, () => {
      const user = one.iamAuth.addUser('a');
      user.grantConnect(fn);
    })).toBe(CLOSED('function Other/Function'));
  });

  test('a service of ECS, until it is let in', () => {
    const closed = new Case();
    const service = ({ stack }: Case) => {
      const taskDefinition = new ecs.FargateTaskDefinition(stack, 'Task');
      taskDefinition.addContainer('C', { image: ecs.ContainerImage.fromRegistry('x') });
      return new ecs.FargateService(stack, 'Service', {
        cluster: new ecs.Cluster(stack, 'Ecs', { vpc: vpcOf(stack) }), taskDefinition,
      });
    };
    expect(answer(
      closed.app,
      () => closed.iamAuth.addUser('a').grantConnect(service(closed).taskDefinition.taskRole),
    )).toBe(CLOSED('service S/Service'));
    const open = new Case();
    expect(answer(open.app, () => {
      const made = service(open);
      open.iamAuth.addUser('a').grantConnect(made.taskDefinition.taskRole);
      open.cluster.connections.allowDefaultPortFrom(made);
    })).toBe('');
  });
});

describe('the network of the provisioner', () => {
  const NO_WAY = 'the function that creates users runs in isolated subnets of S/Isolated and reads a secret, and '
    + 'nothing there leads to Secrets Manager, so that the deployment fails; '
    + "add vpc.addInterfaceEndpoint('SecretsManager', { service: ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER "
    + '}), or acknowledge where there is another way' + acknowledge('noWayToSecretsManager');

  test('isolated subnets without an endpoint', () => {
    const one = new Case(isolated);
    expect(answer(one.app, () => one.iamAuth.addUser('a'))).toBe(NO_WAY);
  });

  test.each<[string, (vpc: ec2.Vpc) => unknown]>([
    [
      'an endpoint that comes later',
      vpc => vpc.addInterfaceEndpoint('E', { service: ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER }),
    ],
    [
      'a route of their own',
      vpc => new ec2.CfnRoute(vpc, 'Route', {
        routeTableId: vpc.isolatedSubnets[0].routeTable.routeTableId, destinationCidrBlock: '0.0.0.0/0',
        transitGatewayId: 'tgw-1',
      }),
    ],
  ])('isolated subnets with %s', (_, add) => {
    let vpc: ec2.Vpc | undefined;
    const one = new Case(stack => vpc = isolated(stack));
    expect(answer(one.app, () => {
      one.iamAuth.addUser('a');
      add(vpc!);
    })).toBe('');
  });

  test('isolated subnets with an endpoint of another service', () => {
    let vpc: ec2.Vpc | undefined;
    const one = new Case(stack => vpc = isolated(stack));
    expect(answer(one.app, () => {
      one.iamAuth.addUser('a');
      vpc!.addInterfaceEndpoint('E', { service: ec2.InterfaceVpcEndpointAwsService.LAMBDA });
    })).toBe(NO_WAY);
  });

  test('isolated subnets with an endpoint in another VPC', () => {
    const one = new Case(isolated);
    expect(answer(one.app, () => {
      one.iamAuth.addUser('a');
      vpcOf(one.stack).addInterfaceEndpoint('E', { service: ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER });
    })).toBe(NO_WAY);
  });

  test('isolated subnets and an admin without a secret', () => {
    const one = new Case(isolated);
    const cluster = newCluster(one.stack, 'Other', {
      vpc: isolated(new Stack(one.app, 'Net', { env: IRELAND })),
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
    });
    expect(answer(
      one.app,
      () => new AuroraIamAuth(one.stack, 'A', { cluster, admin: AdminCredentials.fromIam('admin') }).addUser('a'),
    )).toBe('');
  });

  test('public subnets', () => {
    const one = new Case(publicOnly);
    expect(answer(one.app, () => one.iamAuth)).toBe('[S/IamAuth] the function that creates users would run in '
      + 'public subnets of S/Public, where a Lambda function has no public address, '
      + 'and so no way to the AWS services that it calls; pass vpcSubnets with private or isolated ones, or admin: '
      + 'AdminCredentials.fromIam(username), which needs no secret, or transport: SqlTransport.dataApi()');
  });

  test.each<[string, AdminCredentials | undefined, string]>([
    ['a secret', undefined, ''],
    ['no secret', AdminCredentials.fromIam('admin'), ', or leave frameworkInVpc out'],
  ])('public subnets, and the framework in them, with %s', (_, admin, others) => {
    const { stack, app } = new Case();
    const cluster = newCluster(stack, 'Open', {
      vpc: publicOnly(stack), vpcSubnets: { subnetType: ec2.SubnetType.PUBLIC },
    });
    expect(answer(
      app,
      () => new AuroraIamAuth(stack, 'A', { cluster, admin, provisioner: { frameworkInVpc: true } }),
    )).toBe(
      '[S/A] the function that creates users would run in public subnets of S/Public, where a Lambda function has '
      + 'no public address, '
      + `and so no way to the AWS services that it calls; pass vpcSubnets with private or isolated ones${others}`);
  });

  test('public subnets of an instance, and an admin without a secret', () => {
    const one = new Case();
    const instance = newInstance(one.stack, 'Instance', {
      vpc: publicOnly(one.stack), vpcSubnets: { subnetType: ec2.SubnetType.PUBLIC },
    });
    expect(answer(
      one.app,
      () => new InstanceIamAuth(one.stack, 'A', { instance, admin: AdminCredentials.fromIam('admin') }).addUser('a'),
    )).toBe('');
  });
});

describe('databases', () => {
  const RESTORED = (kind: string, property: string) =>
    `${kind} S/Restored is restored, and its master keeps the password that it had, which no secret of this app is; `
    + `pass ${property}: rds.SnapshotCredentials.fromGeneratedSecret(username) where the ${kind} is made, for a new `
    + 'password, or admin: AdminCredentials.fromSecret(secret) here, with the one it has';

  test.each<[string, Partial<rds.DatabaseClusterFromSnapshotProps>]>([
    ['nothing', {}],
    ['credentials that CDK does not apply', { credentials: rds.Credentials.fromGeneratedSecret('postgres') }],
    ['a username', { credentials: rds.Credentials.fromUsername('postgres') }],
  ])('a cluster from a snapshot with %s', (_, props) => {
    const one = new Case();
    expect(answer(
      one.app,
      () => new AuroraIamAuth(one.stack, 'A', { cluster: restored(one.stack, props) }),
    )).toBe(`[S/A] ${RESTORED('cluster', 'snapshotCredentials')}`);
  });

  test('a cluster from a snapshot with a password of the app', () => {
    const one = new Case();
    const cluster = restored(one.stack, {
      snapshotCredentials: rds.SnapshotCredentials.fromPassword(SecretValue.unsafePlainText('secret')),
    });
    expect(answer(
      one.app,
      () => new AuroraIamAuth(one.stack, 'A', { cluster }),
    )).toBe(`[S/A] ${RESTORED('cluster', 'snapshotCredentials')}`);
  });

  test.each([
    ['a generated one', rds.SnapshotCredentials.fromGeneratedSecret('postgres')],
    ['a generated password', rds.SnapshotCredentials.fromGeneratedPassword('postgres')],
  ])('a cluster from a snapshot with credentials that are applied: %s', (_, snapshotCredentials) => {
    const one = new Case();
    expect(answer(
      one.app,
      () => new AuroraIamAuth(one.stack, 'A', { cluster: restored(one.stack, { snapshotCredentials }) }).addUser('a'),
    )).toBe('');
  });

  test('a cluster from a snapshot with the secret of another app', () => {
    const one = new Case();
    const secret = secretsmanager.Secret.fromSecretCompleteArn(
      one.stack,
      'Secret',
      'arn:aws:secretsmanager:eu-west-1:111111111111:secret:master-AbCdEf',
    );
    const cluster = restored(one.stack, { snapshotCredentials: rds.SnapshotCredentials.fromSecret(secret) });
    expect(answer(one.app, () => new AuroraIamAuth(one.stack, 'A', { cluster }).addUser('a'))).toBe('');
  });

  test('an instance from a snapshot', () => {
    const one = new Case();
    const instance = new rds.DatabaseInstanceFromSnapshot(one.stack, 'Restored', {
      engine: rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.VER_17 }), vpc: vpcOf(one.stack),
      snapshotIdentifier: 's',
    });
    expect(answer(
      one.app,
      () => new InstanceIamAuth(one.stack, 'A', { instance }),
    )).toBe(`[S/A] ${RESTORED('instance', 'credentials')}`);
  });

  test.each<[string, (stack: Stack) => unknown, string]>([
    ['PostgreSQL 13', stack => new AuroraIamAuth(stack, 'A', {
      cluster: newCluster(stack, 'Old', {
        engine: rds.DatabaseClusterEngine.auroraPostgres({
          version: rds.AuroraPostgresEngineVersion.of('13.20', '13'),
        }),
      }),
    }),
    '[S/A] engine version 13.20 of cluster S/Old is not supported, because users are created for PostgreSQL 14 '
    + 'and newer; upgrade the cluster first'],
    ['an instance of PostgreSQL 11', stack => new InstanceIamAuth(stack, 'A', {
      instance: newInstance(stack, 'Old', {
        engine: rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.of('11.22', '11') }),
      }),
    }),
    '[S/A] engine version 11.22 of instance S/Old is not supported, because users are created for PostgreSQL 14 '
    + 'and newer; upgrade the instance first'],
    ['Aurora Serverless v1', stack => new AuroraIamAuth(stack, 'A', {
      cluster: new rds.ServerlessCluster(stack, 'V1', {
        engine: rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.of('14.9', '14') }),
        vpc: vpcOf(stack),
      }),
    }), '[S/A] engineMode of cluster S/V1 is serverless, which is Aurora Serverless v1, and AWS has retired that; '
    + 'use instances of Aurora Serverless v2'],
    ['Aurora Limitless', stack => new AuroraIamAuth(stack, 'A', { cluster: limitless(stack) }),
      '[S/A] clusterScalabilityType of cluster S/Limitless is limitless, and this library creates no users in the '
      + 'shards of an Aurora Limitless Database; pass a cluster of another kind'],
    ['an instance as a cluster', stack => new AuroraIamAuth(stack, 'A', {
      cluster: newInstance(stack) as unknown as rds.IDatabaseCluster,
    }),
    '[S/A] cluster S/Instance is an instance; pass it to InstanceIamAuth, as instance'],
    ['a cluster as an instance', stack => new InstanceIamAuth(stack, 'A', {
      instance: newCluster(stack) as unknown as rds.IDatabaseInstance,
    }),
    '[S/A] instance S/Cluster is a cluster; pass it to AuroraIamAuth, as cluster'],
  ])('%s', (_, work, expected) => {
    const { app, stack } = new Case();
    expect(answer(app, () => work(stack))).toBe(expected);
  });

  test('PostgreSQL 14 is fine', () => {
    const { app, stack } = new Case();
    const cluster = newCluster(stack, 'Old', {
      engine: rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.of('14.9', '14') }),
    });
    expect(answer(app, () => new AuroraIamAuth(stack, 'A', { cluster }).addUser('a'))).toBe('');
  });

  function limitless(stack: Stack): rds.DatabaseCluster {
    const cluster = newCluster(stack, 'Limitless');
    (cluster.node.defaultChild as rds.CfnDBCluster).clusterScalabilityType = 'limitless';
    return cluster;
  }
});

test('users that only connect are told the same', () => {
  const one = new Case();
  const { iamAuth, cluster } = one;
  new DatabaseUser(one.stack, 'U', { iamAuth, username: 'a' });
  expect(answer(
    one.app,
    () => ConnectGrants.fromCluster(cluster).connect(aFunction(one.stack), 'a'),
  )).toContain('runs outside of the VPC');
});
