import { X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import {
  AdminCredentials,
  AuroraIamAuth,
  type AuroraIamAuthProps,
  ConnectGrants,
  InstanceIamAuth,
  SqlTransport,
} from '../../lib';
import { findingsIn, quietApp } from './checks/support';
import { attribute, IRELAND, newCluster, newInstance, resourcesOf, templateOf } from './support';

let app: App;
let stack: Stack;
beforeEach(() => {
  app = quietApp();
  stack = new Stack(app, 'Data', { env: IRELAND });
});

/** With the peers at their minimum, WithExpressConfiguration is no property of the L1. */
function express(overrides: Record<string, unknown> = {}): rds.CfnDBCluster {
  const cluster = new rds.CfnDBCluster(stack, 'Express', { engine: 'aurora-postgresql' });
  Object.entries({ WithExpressConfiguration: true, ...overrides }).forEach(([name, value]) =>
    cluster.addPropertyOverride(name, value),
  );
  return cluster;
}

const imported = () =>
  rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Imported', {
    clusterIdentifier: 'shop',
    clusterResourceIdentifier: 'cluster-EXPRESS',
    clusterEndpointAddress: 'shop.example.com',
    port: 5432,
  });

const usersOf = (props: AuroraIamAuthProps) => new AuroraIamAuth(stack, 'IamAuth', props).addUser('orders');
const handler = () => Object.values(resourcesOf(stack, 'AWS::Lambda::Function'))[0].Properties;

describe('a cluster with express configuration', () => {
  test('adds 5 resources to the cluster, for its first user', () => {
    usersOf({ cluster: express() });
    expect(
      Object.values(resourcesOf(stack))
        .map(({ Type }) => Type)
        .sort(),
    ).toEqual([
      'AWS::IAM::ManagedPolicy',
      'AWS::IAM::Role',
      'AWS::Lambda::Function',
      'AWS::Logs::LogGroup',
      'AWS::RDS::DBCluster',
      'Custom::RdsIamUser',
    ]);
    expect(Object.keys(resourcesOf(stack, 'Custom::RdsIamUser'))).toEqual([
      expect.stringMatching(/^IamAuthordersGatewayResource/),
    ]);
    expect(Object.values(resourcesOf(stack, 'AWS::RDS::DBCluster'))[0].Properties).toEqual({
      Engine: 'aurora-postgresql',
      WithExpressConfiguration: true,
    });
  });

  test('has a function in no VPC, which answers CloudFormation itself and signs in as postgres', () => {
    usersOf({ cluster: express() });
    expect(handler()).toMatchObject({
      Handler: 'index.customResource',
      Environment: {
        Variables: {
          ADMIN_USERNAME: 'postgres',
          DATABASE_HOST: attribute(/^Express/, 'Endpoint.Address'),
          DATABASE_PORT: '5432',
          DATABASE_RESOURCE_ID: attribute(/^Express/, 'DBClusterResourceId'),
          DATABASE_CA_FILE: '/var/task/amazon-ca-certificates.pem',
          URL_SUFFIX: { Ref: 'AWS::URLSuffix' },
        },
      },
    });
    expect(handler()).not.toHaveProperty('VpcConfig');
    const [{ Properties }] = Object.values(resourcesOf(stack, 'AWS::IAM::ManagedPolicy'));
    const { Statement } = Properties.PolicyDocument as { Statement: { Action: unknown; Resource: unknown }[] };
    expect(Statement.map(({ Action }) => Action)).toEqual([
      ['logs:CreateLogStream', 'logs:PutLogEvents'],
      'rds-db:connect',
    ]);
    expect(JSON.stringify(Statement[1].Resource)).toMatch(/dbuser:.*Express.*DBClusterResourceId.*\/postgres"/);
  });

  test('has the authorities of Amazon in the code of the function, and no others', () => {
    usersOf({ cluster: express() });
    templateOf(stack);
    const { S3Key } = handler().Code as { S3Key: string };
    const file = readFileSync(
      join(app.outdir, `asset.${S3Key.replace('.zip', '')}`, 'amazon-ca-certificates.pem'),
      'utf8',
    );
    const subjects = file
      .match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g)!
      .map(pem => new X509Certificate(pem).subject);
    expect(subjects.map(subject => /CN=(.*)/.exec(subject)![1]).sort()).toEqual([
      'Amazon Root CA 1',
      'Amazon Root CA 2',
      'Amazon Root CA 3',
      'Amazon Root CA 4',
    ]);
  });

  test('may be imported, with its transport', () => {
    usersOf({ cluster: imported(), transport: SqlTransport.internetAccessGateway() });
    expect(handler()).toMatchObject({
      Environment: {
        Variables: {
          ADMIN_USERNAME: 'postgres',
          DATABASE_HOST: 'shop.example.com',
          DATABASE_RESOURCE_ID: 'cluster-EXPRESS',
        },
      },
    });
    expect(Object.keys(resourcesOf(stack))).toHaveLength(5);
  });

  test('may have another admin with a token, and another file of authorities', () => {
    usersOf({
      cluster: express(),
      admin: AdminCredentials.fromIam('provisioner'),
      provisioner: { caCertificates: pemFile() },
    });
    expect(handler()).toMatchObject({
      Environment: { Variables: { ADMIN_USERNAME: 'provisioner', DATABASE_CA_FILE: '/var/task/ca-certificates.pem' } },
    });
  });

  test('lets clients in, and tells them the authorities of Amazon', () => {
    const user = usersOf({ cluster: express() });
    const role = new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
    user.grantConnect(role);
    ConnectGrants.fromCluster(stack.node.findChild('Express') as rds.CfnDBCluster).connect(role, 'reports');
    expect(user.psqlCommand()).toContain('downloaded from https://www.amazontrust.com/repository/AmazonRootCA1.pem}');
    expect(user.connectionEnvironment()).toMatchObject({ PGPORT: '5432', PGUSER: 'orders', PGSSLMODE: 'verify-full' });
    const [{ Properties }] = Object.values(resourcesOf(stack, 'AWS::IAM::Policy'));
    expect(JSON.stringify(Properties)).toMatch(/\/orders".*\/reports"/);
  });

  test('is said to be not verified, which can be acknowledged', () => {
    usersOf({ cluster: express() });
    const warnings = Annotations.fromStack(stack).findWarning(
      '*',
      Match.stringLikeRegexp(
        'has express configuration, which this library has not met on AWS.*ack: cdk-aurora-iam-auth:expressConfiguration',
      ),
    );
    expect(warnings.map(({ id }) => id)).toEqual(['/Data/IamAuth']);
  });

  test('is no finding of the checks', () => {
    usersOf({ cluster: express() });
    expect(findingsIn(app)).toEqual([]);
  });

  const because = (property: string, value: string, rule: string, remedy = 'leave it out') =>
    `${property} of cluster Data/Express is ${value}, and a cluster with express configuration cannot have that: ${rule}; ${remedy}`;
  test.each<[Record<string, unknown>, string]>([
    [{ DBSubnetGroupName: 'mine' }, because('DBSubnetGroupName', '"mine"', 'it is in no VPC')],
    [{ VpcSecurityGroupIds: ['sg-1'] }, because('VpcSecurityGroupIds', '["sg-1"]', 'it is in no VPC')],
    [{ ManageMasterUserPassword: true },
      because('ManageMasterUserPassword', 'true', 'its master signs in with IAM alone')],
    [{ MasterUserPassword: 'secret' }, because('MasterUserPassword', '"secret"', 'its master signs in with IAM alone')],
    [{ MasterUsername: 'chief' }, because('MasterUsername', '"chief"', 'its master is postgres')],
    [{ MasterUserAuthenticationType: 'password' },
      because('MasterUserAuthenticationType', '"password"', 'its master signs in with IAM alone')],
    [{ EnableIAMDatabaseAuthentication: false },
      because('EnableIAMDatabaseAuthentication', 'false', 'IAM is the only way to sign in')],
    [{ EnableHttpEndpoint: true },
      because('EnableHttpEndpoint', 'true', 'the Data API can be enabled later at the earliest')],
    [{ EngineVersion: '17.7' }, because('EngineVersion', '"17.7"', 'Aurora chooses the version')],
    [{ KmsKeyId: 'key' }, because('KmsKeyId', '"key"', 'it is encrypted with a key that AWS owns')],
    [{ GlobalClusterIdentifier: 'world' },
      because('GlobalClusterIdentifier', '"world"', 'it can be no member of a global database')],
    [{ SnapshotIdentifier: 'yesterday' }, because('SnapshotIdentifier', '"yesterday"', 'it is new')],
    [{ Engine: 'aurora-mysql' },
      because(
        'Engine', '"aurora-mysql"', 'express configuration is for Aurora PostgreSQL', 'set it to aurora-postgresql',
      )],
  ])('cannot have what express configuration lacks: %j', (overrides, message) => {
    expect(() => usersOf({ cluster: express(overrides) })).toThrow(message);
  });

  test('may have what it has anyway', () => {
    expect(() => usersOf({
      cluster: express({
        EnableIAMDatabaseAuthentication: true,
        MasterUsername: 'postgres',
        MasterUserAuthenticationType: 'iam-db-auth',
        EnableHttpEndpoint: false,
      }),
    })).not.toThrow();
  });

  test('is checked again at the end of the synthesis', () => {
    const cluster = express();
    usersOf({ cluster });
    cluster.addPropertyOverride('EngineVersion', '17.7');
    expect(() => app.synth()).toThrow(because('EngineVersion', '"17.7"', 'Aurora chooses the version'));
  });

  const gateway = (path = 'Data/Express/ExpressCluster') =>
    `the way to cluster ${path} is the internet access gateway of express configuration, and `;
  test.each<[string, () => Partial<AuroraIamAuthProps>, string]>([
    ['vpc', () => ({ vpc: new ec2.Vpc(stack, 'Vpc') }),
      `${gateway()}vpc cannot be combined with it, because the function runs outside a VPC; leave it out`],
    ['frameworkInVpc', () => ({ provisioner: { frameworkInVpc: true } }),
      `${gateway()}frameworkInVpc cannot be combined with it`],
    ['IPv6 in a VPC', () => ({ provisioner: { ipv6AllowedForDualStack: true } }),
      `${gateway()}ipv6AllowedForDualStack cannot be combined with it`],
    ['a password', () => ({ admin: AdminCredentials.fromSecret(new secretsmanager.Secret(stack, 'Secret')) }),
      `${gateway()}only IAM signs in there; pass admin: AdminCredentials.fromIam('postgres'), or leave it out`],
    ['the Data API', () => ({ transport: SqlTransport.dataApi() }),
      'transport is SqlTransport.dataApi(), and cluster Data/Express/ExpressCluster has express configuration, whose master has no password for the Data API; leave transport out'],
    ['enableIamAuthentication', () => ({ enableIamAuthentication: true }),
      'enableIamAuthentication is for a database that is imported'],
  ])('is refused with %s', (_, props, message) => {
    expect(() => usersOf({ cluster: express(), ...props() })).toThrow(message);
  });

  test('has no connections', () => {
    const iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster: express() });
    iamAuth.addUser('orders');
    expect(() => iamAuth.provisioner.connections).toThrow(
      'connections is not available: transport is SqlTransport.internetAccessGateway(), so that the function runs in no VPC',
    );
  });
});

test('a way to a gateway is refused for what is in a VPC, and with what an import with it needs not', () => {
  const transport = SqlTransport.internetAccessGateway();
  expect(() => new AuroraIamAuth(stack, 'A', { cluster: newCluster(stack), transport })).toThrow(
    'this cluster is in a VPC and has none; leave transport out',
  );
  expect(() => new InstanceIamAuth(stack, 'B', { instance: newInstance(stack), transport })).toThrow(
    'this instance is in a VPC and has none; leave transport out',
  );
  expect(
    () => new AuroraIamAuth(stack, 'C', { cluster: imported(), transport, enableIamAuthentication: true }),
  ).toThrow(
    'enableIamAuthentication cannot be combined with SqlTransport.internetAccessGateway(), because IAM is the only way to sign in with express configuration; leave it out',
  );
});

test('an L1 without it is refused, and an L2 with it', () => {
  expect(
    () =>
      new AuroraIamAuth(stack, 'A', { cluster: new rds.CfnDBCluster(stack, 'L1', { engine: 'aurora-postgresql' }) }),
  ).toThrow(
    'cluster Data/L1 is a CfnDBCluster without WithExpressConfiguration, and does not tell its network; pass a rds.DatabaseCluster, or rds.DatabaseCluster.fromDatabaseClusterAttributes(...)',
  );
  const l2 = newCluster(stack, 'L2');
  (l2.node.defaultChild as rds.CfnDBCluster).addPropertyOverride('WithExpressConfiguration', true);
  expect(() => new AuroraIamAuth(stack, 'B', { cluster: l2 })).toThrow(
    'cluster Data/L2 is a rds.DatabaseCluster, which is in a VPC, with WithExpressConfiguration, which is in none; make a rds.CfnDBCluster with it, and pass that',
  );
});

/** Any certificate. */
function pemFile(): string {
  const file = join(app.outdir, 'any.pem');
  mkdirSync(app.outdir, { recursive: true });
  writeFileSync(file, rootCertificates[0]);
  return file;
}
