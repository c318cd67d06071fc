import { App, CfnParameter, SecretValue, Stack } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { AdminCredentials, AuroraIamAuth, AuroraIamAuthProps } from '../../lib';
import { ENGINE, logicalIdOf, newApp, newCluster, onlyResourceOf, resourcesOf, templateOf, vpcOf } from './support';

let app: App;
let stack: Stack;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Data');
});

const PASSWORD = rds.Credentials.fromPassword('admin', SecretValue.ssmSecure('password'));

describe('AuroraIamAuth', () => {
  test.each<[string, () => rds.IDatabaseCluster]>([
    ['a provisioned writer',
      () =>
        newCluster(stack, 'Cluster', { writer: rds.ClusterInstance.provisioned('writer'),
          readers: [rds.ClusterInstance.provisioned('reader')] })],
    ['Serverless v2', () => newCluster(stack)],
    ['a snapshot', () => new rds.DatabaseClusterFromSnapshot(stack, 'Cluster', {
      engine: ENGINE,
      writer: rds.ClusterInstance.serverlessV2('writer'),
      vpc: vpcOf(stack),
      snapshotIdentifier: 'snapshot',
      snapshotCredentials: rds.SnapshotCredentials.fromGeneratedSecret('admin'),
    })],
  ])('enables IAM authentication and creates a user: %s', (_, cluster) => {
    new AuroraIamAuth(stack, 'IamAuth', { cluster: cluster() }).addUser('app');
    expect(onlyResourceOf(stack, 'AWS::RDS::DBCluster').Properties.EnableIAMDatabaseAuthentication).toBe(true);
    expect(onlyResourceOf(stack, 'Custom::RdsIamUser').Properties.Username).toBe('app');
  });

  test('creates nothing as long as there is no user', () => {
    new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack) });
    expect(Object.keys(resourcesOf(stack)).filter(id => id.startsWith('IamAuth'))).toEqual([]);
  });

  test.each<[string, Partial<rds.DatabaseClusterProps>, Partial<AuroraIamAuthProps>, string]>([
    ['the one it is given', {}, { database: 'other' }, 'other'],
    ['the default one of the cluster', {}, {}, 'shop'],
    ['postgres', { defaultDatabaseName: undefined }, {}, 'postgres'],
  ])('has a database for its users: %s', (_, clusterProps, props, database) => {
    const iamAuth = new AuroraIamAuth(stack, 'IamAuth', {
      cluster: newCluster(stack, 'Cluster', clusterProps),
      ...props,
    });
    iamAuth.addUser('app');
    expect(iamAuth.database).toBe(database);
    expect(onlyResourceOf(stack, 'Custom::RdsIamUser').Properties.Privileges).toEqual({
      [database]: { Database: ['CONNECT'] },
    });
  });

  test.each<[string, (scope: Stack) => AuroraIamAuthProps, string]>([
    [
      'another engine',
      scope => ({ cluster: newCluster(scope, 'Cluster', { engine: rds.DatabaseClusterEngine.auroraMysql({ version:
              rds.AuroraMysqlEngineVersion.VER_3_08_2 }) }) }),
      'engine "aurora-mysql" of cluster Data/Cluster is not supported, because users are created in the SQL of PostgreSQL; '
      + 'pass a cluster with the engine aurora-postgresql or postgres',
    ],
    [
      'a cluster without a secret',
      scope => ({ cluster: newCluster(scope, 'Cluster', { credentials: PASSWORD }) }),
      'cluster Data/Cluster has no secret (it has a password from elsewhere, from a snapshot or from the cluster it replicates, has none at all, or is imported), '
      + 'and users are created by an admin; pass admin: AdminCredentials.fromSecret(secret), or AdminCredentials.fromIam(username) for one that signs in with a token',
    ],
    [
      'a replica of another cluster',
      scope => ({ cluster: newCluster(scope, 'Cluster', { replicationSourceIdentifier:
            'arn:aws:rds:us-east-1:111111111111:cluster:shop',
      defaultDatabaseName: undefined }) }),
      'cluster Data/Cluster replicates another one, and users are created where it is written; pass that one, '
      + 'and let them sign in here with ClusterIamAuthEnabled and ConnectGrants.fromCluster(replica)',
    ],
    [
      'a secondary of a global database',
      (scope) => {
        const cluster = newCluster(scope);
        Object.assign(cluster.node.defaultChild as rds.CfnDBCluster, {
          globalClusterIdentifier: 'shop',
          masterUsername: undefined,
          masterUserPassword: undefined,
        });
        return { cluster };
      },
      'cluster Data/Cluster replicates another one, and users are created where it is written; pass that one, '
      + 'and let them sign in here with ClusterIamAuthEnabled and ConnectGrants.fromCluster(replica)',
    ],
    [
      'a cluster that does not tell its VPC',
      (scope) => {
        const cluster = newCluster(scope);
        Object.defineProperty(cluster, 'vpc', { value: undefined });
        return { cluster };
      },
      'cluster Data/Cluster does not tell its VPC, and the function that creates the users runs there; pass vpc',
    ],
  ])('fails for %s', (_, props, message) => {
    expect(() => new AuroraIamAuth(stack, 'IamAuth', props(stack))).toThrow(new Error(`[Data/IamAuth] ${message}`));
  });

  test('fails for a cluster with iamAuthentication: false', () => {
    const cluster = newCluster(stack, 'Cluster', { iamAuthentication: false });
    expect(() => new AuroraIamAuth(stack, 'IamAuth', { cluster })).toThrow(new Error(
      '[Data/Cluster/Resource] iamAuthentication of the cluster is false, and unless it is on no user can sign in with IAM; set it to true or leave it out',
    ));
  });

  test('takes another admin where the cluster has no secret', () => {
    const secret = new secretsmanager.Secret(stack, 'Secret');
    const cluster = newCluster(stack, 'Cluster', { credentials: PASSWORD });
    new AuroraIamAuth(stack, 'IamAuth', { cluster, admin: AdminCredentials.fromSecret(secret) }).addUser('app');
    templateOf(stack).hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: { ADMIN_SECRET_ARN: { Ref: logicalIdOf(secret) } } },
    });
  });

  describe('registryOwner', () => {
    const variablesWith = (props: Partial<AuroraIamAuthProps>) => {
      new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack), ...props }).addUser('app');
      const handler = Object.values(resourcesOf(stack)).find(
        ({ Properties }) =>
          (Properties?.Environment as { Variables?: object } | undefined)?.Variables
          && 'ADMIN_SECRET_ARN' in (Properties.Environment as { Variables: object }).Variables,
      );
      return (handler!.Properties.Environment as { Variables: object }).Variables;
    };

    test('is in the environment of the provisioner', () => {
      expect(variablesWith({ registryOwner: 'owners' })).toMatchObject({ REGISTRY_OWNER: 'owners' });
    });

    test('can be a token', () => {
      const parameter = new CfnParameter(stack, 'Owner');
      expect(variablesWith({ registryOwner: parameter.valueAsString })).toMatchObject({
        REGISTRY_OWNER: { Ref: 'Owner' },
      });
    });

    test('is the admin by default', () => {
      expect(variablesWith({})).not.toHaveProperty('REGISTRY_OWNER');
    });

    test.each([
      ['', 'it is empty; give it 1 to 63 bytes'],
      ['o'.repeat(64), 'it is longer than the 63 bytes of UTF-8 that PostgreSQL keeps of a name; shorten it'],
      ['pg_write_all_data', 'PostgreSQL reserves names that begin with pg_; choose another name'],
      ['rds_superuser', 'RDS reserves names that begin with rds; choose another name'],
      ['public', 'it is a key word of PostgreSQL where a role is named; name one user instead'],
    ])('cannot be %j', (registryOwner, rule) => {
      expect(() => new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack), registryOwner })).toThrow(
        new Error(`[Data/IamAuth] registryOwner ${JSON.stringify(registryOwner)} is not allowed: ${rule}`),
      );
    });

    test('can have 63 bytes', () => {
      expect(variablesWith({ registryOwner: 'o'.repeat(63) })).toMatchObject({ REGISTRY_OWNER: 'o'.repeat(63) });
    });
  });

  describe('a second one for the same cluster in the same stack', () => {
    test.each<[string, (cluster: rds.DatabaseCluster) => Partial<AuroraIamAuthProps>]>([
      ['says the same', () => ({})],
      ['says what is the default',
        cluster => ({ admin: AdminCredentials.fromSecret(cluster.secret!), vpc: cluster.vpc,
          vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS } })],
      ['has another database only', () => ({ database: 'other' })],
    ])('fails if it %s', (_, props) => {
      const cluster = newCluster(stack);
      new AuroraIamAuth(stack, 'First', { cluster });
      expect(() => new AuroraIamAuth(stack, 'Second', { cluster, ...props(cluster) })).toThrow(new Error(
        '[Data/Second] cluster Data/Cluster has an AuroraIamAuth in this stack already, with the same admin and network; use Data/First',
      ));
    });

    test.each<[string, () => Partial<AuroraIamAuthProps>]>([
      ['another admin', () => ({ admin: AdminCredentials.fromSecret(new secretsmanager.Secret(stack, 'Secret')) })],
      ['an admin that signs in with a token', () => ({ admin: AdminCredentials.fromIam('provisioner') })],
      ['other subnets', () => ({ vpcSubnets: { availabilityZones: [stack.availabilityZones[0]] } })],
      ['another security group',
        () => ({ securityGroups: [new ec2.SecurityGroup(stack, 'Group', { vpc: vpcOf(stack) })] })],
    ])('is another provisioner if it has %s', (_, props) => {
      const cluster = newCluster(stack);
      new AuroraIamAuth(stack, 'First', { cluster }).addUser('first');
      new AuroraIamAuth(stack, 'Second', { cluster, ...props() }).addUser('second');
      templateOf(stack).resourcePropertiesCountIs('AWS::Lambda::Function', { Handler: 'index.handler' }, 2);
    });
  });
});

describe('the template', () => {
  const synthesize = (users: string[]) => {
    const data = new Stack(newApp(), 'Data');
    const iamAuth = new AuroraIamAuth(data, 'IamAuth', { cluster: newCluster(data) });
    users.forEach(user => iamAuth.addUser(user));
    return resourcesOf(data);
  };

  test('is the same every time', () => {
    expect(JSON.stringify(synthesize(['b', 'a']))).toBe(JSON.stringify(synthesize(['b', 'a'])));
  });

  test('has the same resources whatever order the users come in', () => {
    expect(synthesize(['b', 'a'])).toEqual(synthesize(['a', 'b']));
  });
});

describe('a secret that RDS manages', () => {
  const managed = (kmsKeyId?: string) => {
    const cluster = newCluster(stack);
    const resource = cluster.node.defaultChild as rds.CfnDBCluster;
    resource.manageMasterUserPassword = true;
    resource.masterUserPassword = undefined;
    resource.masterUserSecret = kmsKeyId === undefined ? undefined : { kmsKeyId };
    return cluster;
  };
  const SECRET = { 'Fn::GetAtt': [expect.stringMatching(/^Cluster/), 'MasterUserSecret.SecretArn'] };

  test('is the one that users are created with, and the only one that the provisioner reads', () => {
    const cluster = managed();
    new AuroraIamAuth(stack, 'IamAuth', { cluster }).addUser('app');
    const [, handler] = Object.entries(resourcesOf(stack, 'AWS::Lambda::Function')).find(([id]) =>
      id.startsWith('IamAuthProvisionerHandler'),
    )!;
    expect(handler.Properties.Environment).toMatchObject({ Variables: { ADMIN_SECRET_ARN: SECRET } });
    const [, policy] = Object.entries(resourcesOf(stack, 'AWS::IAM::ManagedPolicy')).find(([id]) =>
      id.startsWith('IamAuthProvisionerHandlerRole'),
    )!;
    const { Statement } = policy.Properties.PolicyDocument as {
      Statement: { Action: string | string[]; Resource: unknown }[];
    };
    expect(
      Statement.filter(({ Action }) => [Action].flat().some(action => action.startsWith('secretsmanager:'))),
    ).toEqual([{ Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: SECRET }]);
  });

  test('is one for all that use it', () => {
    const cluster = managed();
    new AuroraIamAuth(stack, 'A', { cluster }).addUser('app');
    new AuroraIamAuth(new Stack(stack.node.root, 'Other'), 'B', { cluster }).addUser('other');
    expect(Object.keys(resourcesOf(stack, 'Custom::RdsIamUser'))).toHaveLength(1);
  });

  test('with a key of its own is refused, because the app does not know the key, and taken when it is told', () => {
    const cluster = managed('alias/mine');
    expect(() => new AuroraIamAuth(stack, 'IamAuth', { cluster })).toThrow(new Error(
      '[Data/IamAuth] the secret of the master of cluster Data/Cluster, which RDS manages, has a key of its own (masterUserSecret), and the provisioner must be allowed to decrypt with it; '
      + 'pass admin: AdminCredentials.fromSecret(Secret.fromSecretAttributes(scope, id, { secretCompleteArn, encryptionKey }))',
    ));
    const secret = secretsmanager.Secret.fromSecretAttributes(stack, 'Told', {
      secretCompleteArn: (cluster.node.defaultChild as rds.CfnDBCluster).attrMasterUserSecretSecretArn,
      encryptionKey: new kms.Key(stack, 'Key'),
    });
    new AuroraIamAuth(stack, 'Second', { cluster, admin: AdminCredentials.fromSecret(secret) }).addUser('app');
    templateOf(stack).hasResourceProperties('AWS::IAM::ManagedPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: 'kms:Decrypt',
            Resource: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Key'), 'Arn'] },
          }),
        ]),
      },
    });
  });
});
