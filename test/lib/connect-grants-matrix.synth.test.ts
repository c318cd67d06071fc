import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import {
  AdminCredentials, AuroraIamAuth, ConnectGrants, DatabaseLocationOptions, InstanceIamAuth, InstanceIamAuthEnabled,
} from '../../lib';
import {
  INSTANCE_TYPE, IRELAND, newApp, newCluster, newInstance, onlyResourceOf, resourcesOf, targetsOf, vpcOf,
} from './support';

/**
 * However the app comes to know a database, and whatever kind it is: the right ARN, or a clear error, never a wrong
 * ARN.
 */

const [CLUSTER, INSTANCE, PROXY] = ['cluster-ABCDEFGHIJKL01234', 'db-ABCDEFGHIJKL01234', 'prx-abcdefghijkl01234'];
const PROXY_ARN = `arn:aws:rds:eu-west-1:111111111111:db-proxy:${PROXY}`;
const LOOKED_UP: Record<'DBCluster' | 'DBInstance', object> = {
  DBCluster: {
    'DBClusterArn': 'arn:aws:rds:eu-west-1:111111111111:cluster:shop',
    'Endpoint.Address': 'shop.cluster-1', 'Endpoint.Port': '5432', 'ReadEndpoint.Address': 'shop.cluster-ro-1',
    'DBClusterResourceId': CLUSTER, 'VpcSecurityGroupIds': ['sg-1'], 'EnableHttpEndpoint': false, 'Identifier': 'shop',
  },
  DBInstance: {
    'DBInstanceArn': 'arn:aws:rds:eu-west-1:111111111111:db:shop',
    'Endpoint.Address': 'shop.1', 'Endpoint.Port': '5432', 'DbiResourceId': INSTANCE,
    'DBSecurityGroups': [], 'VPCSecurityGroups': ['sg-1'], 'Identifier': 'shop',
  },
};

/** An app whose databases the CLI has looked up. */
function lookedUp(): App {
  const first = new App();
  const stack = new Stack(first, 'Data', { env: IRELAND });
  rds.DatabaseCluster.fromLookup(stack, 'C', { clusterIdentifier: 'shop' });
  rds.DatabaseInstance.fromLookup(stack, 'I', { instanceIdentifier: 'shop' });
  const { missing = [] } = first.synth().manifest;
  return newApp(Object.fromEntries(missing.map(
    ({ key, props }) => [key, [LOOKED_UP[(props as { typeName: string }).typeName.split('::')[2] as 'DBCluster']]],
  )));
}

type Kind = 'cluster' | 'instance' | 'replica' | 'proxy';
const KINDS: Kind[] = ['cluster', 'instance', 'replica', 'proxy'];

function owned(kind: Kind, stack: Stack): ConnectGrants {
  switch (kind) {
    case 'cluster': return ConnectGrants.fromCluster(newCluster(stack, 'It', { iamAuthentication: true }));
    case 'instance': return ConnectGrants.fromInstance(newInstance(stack, 'It', { iamAuthentication: true }));
    case 'replica': {
      const replica = new rds.DatabaseInstanceReadReplica(stack, 'It', {
        sourceDatabaseInstance: newInstance(stack), vpc: vpcOf(stack), instanceType: INSTANCE_TYPE,
      });
      new InstanceIamAuthEnabled().applyTo(replica);
      return ConnectGrants.fromInstance(replica);
    }
    case 'proxy': return ConnectGrants.fromProxy(newCluster(stack).addProxy('It', {
      vpc: vpcOf(stack), defaultAuthScheme: rds.DefaultAuthScheme.IAM_AUTH,
    }));
  }
}

function imported(kind: Kind, stack: Stack, options?: DatabaseLocationOptions): ConnectGrants {
  switch (kind) {
    case 'cluster': return ConnectGrants.fromCluster(
      rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'It', {
        clusterIdentifier: 'shop', clusterResourceIdentifier: CLUSTER,
      }),
      options,
    );
    case 'instance':
    case 'replica': return ConnectGrants.fromInstance(rds.DatabaseInstance.fromDatabaseInstanceAttributes(stack, 'It', {
      instanceIdentifier: 'shop', instanceResourceId: INSTANCE,
      instanceEndpointAddress: 'shop', port: 5432, securityGroups: [],
    }), options);
    case 'proxy': return ConnectGrants.fromProxy(rds.DatabaseProxy.fromDatabaseProxyAttributes(
      stack,
      'It',
      { dbProxyName: 'shop', dbProxyArn: PROXY_ARN, endpoint: 'shop', securityGroups: [] },
    ));
  }
}

const KNOWN_AT_DEPLOYMENT = /AWS::Partition|(DB)?ClusterResourceId|DbiResourceId|DBProxyArn/i;

/**
 * The resource of the one grant of a role in this stack, in which what only the deployment knows is named by its
 * attribute.
 */
function resourceIn(stack: Stack, grants: ConnectGrants): string {
  grants.connect(new iam.Role(stack, 'Grantee', { assumedBy: new iam.AccountRootPrincipal() }), 'app');
  const [, policy] = Object.entries(resourcesOf(stack, 'AWS::IAM::Policy')).find(([id]) => id.startsWith('Grantee'))!;
  const [{ Resource }] = (policy.Properties.PolicyDocument as {
    Statement: { Resource: { 'Fn::Join': [string, unknown[]] } }[];
  }).Statement;
  return Resource['Fn::Join'][1].map(
    part => typeof part === 'string'
      ? part
      : `<${JSON.stringify(part).match(KNOWN_AT_DEPLOYMENT)?.[0] ?? JSON.stringify(part)}>`,
  ).join('');
}

const ATTRIBUTE = {
  cluster: 'DBClusterResourceId', instance: 'DbiResourceId', replica: 'DbiResourceId', proxy: 'DBProxyArn',
};
const ID = { cluster: CLUSTER, instance: INSTANCE, replica: INSTANCE, proxy: PROXY };
const PREFIX = 'arn:<AWS::Partition>:rds-db:eu-west-1:111111111111:dbuser:';

describe.each(KINDS)('%s', (kind) => {
  let app: App;
  let data: Stack;
  beforeEach(() => {
    app = newApp();
    data = new Stack(app, 'Data', { env: IRELAND, crossRegionReferences: true });
  });

  test('of this stack', () => {
    expect(resourceIn(data, owned(kind, data))).toBe(`${PREFIX}<${ATTRIBUTE[kind]}>/app`);
  });

  test('of another stack', () => {
    expect(resourceIn(
      new Stack(app, 'Apps', { env: IRELAND }),
      owned(kind, data),
    )).toMatch(new RegExp(`^${PREFIX}<${ATTRIBUTE[kind]}>/app$`));
  });

  test('of a stack in another Region', () => {
    const apps = new Stack(app, 'Apps', { env: { ...IRELAND, region: 'us-east-1' }, crossRegionReferences: true });
    expect(resourceIn(apps, owned(kind, data))).toMatch(new RegExp(`^${PREFIX}<${ATTRIBUTE[kind]}>/app$`, 'i'));
  });

  test('that is imported', () => {
    expect(resourceIn(data, imported(kind, data))).toBe(`${PREFIX}${ID[kind]}/app`);
  });

  test('that is imported into a stack of another Region is there, but for a proxy, whose ARN says where it is', () => {
    const apps = new Stack(app, 'Apps', { env: { ...IRELAND, region: 'us-east-1' } });
    expect(resourceIn(apps, imported(kind, apps))).toBe(
      `${kind === 'proxy' ? PREFIX : PREFIX.replace('eu-west-1', 'us-east-1')}${ID[kind]}/app`,
    );
  });
});

describe.each(['cluster', 'instance'] as const)('%s that is imported, and is said to be elsewhere', (kind) => {
  const stackIn = (env: { account?: string; region?: string }) => new Stack(newApp(), 'Data', { env });
  const elsewhere = (region: string, account: string) =>
    `arn:<AWS::Partition>:rds-db:${region}:${account}:dbuser:${ID[kind]}/app`;

  test('has that Region', () => {
    const stack = stackIn(IRELAND);
    expect(resourceIn(
      stack,
      imported(kind, stack, { region: 'us-east-1' }),
    )).toBe(elsewhere('us-east-1', '111111111111'));
  });

  test.each([
    ['us-east-1', '222222222222'],
    ['cn-north-1', '333333333333'],
    ['us-gov-west-1', '444444444444'],
  ])('has that Region and account, where the stack leaves both open: %s', (region, account) => {
    const stack = stackIn({});
    expect(resourceIn(stack, imported(kind, stack, { region, account }))).toBe(elsewhere(region, account));
  });

  test('takes the other of the two from the stack', () => {
    const stack = stackIn({});
    expect(resourceIn(
      stack,
      imported(kind, stack, { account: '222222222222' }),
    )).toBe(elsewhere('<{"Ref":"AWS::Region"}>', '222222222222'));
  });

  test('is granted to identities of its own account alone', () => {
    const stack = stackIn(IRELAND);
    const grants = imported(kind, stack, { account: '222222222222' });
    const here = new iam.Role(stack, 'Here', { assumedBy: new iam.AccountRootPrincipal() });
    expect(() => grants.connect(here, 'app')).toThrow(new Error(
      '[Data/It] grantee Data/Here is in account 111111111111 and the database in 222222222222, and rds-db:connect '
      + 'does not cross accounts; '
      + 'create a role in account 222222222222 that account 111111111111 may assume, and grant it to that role',
    ));
    const there = new Stack(stack.node.root, 'There', { env: { ...IRELAND, account: '222222222222' } });
    expect(resourceIn(there, grants)).toBe(elsewhere('eu-west-1', '222222222222'));
  });

  test.each<[string, DatabaseLocationOptions, string]>([
    [
      'account',
      { account: '12345678901' },
      'account "12345678901" is not the id of an account, which has 12 digits; take it from the ARN of the database',
    ],
    [
      'Region',
      { region: 'Ireland' },
      'region "Ireland" is not the code of a Region, which looks like eu-west-1; take it from the ARN of the database',
    ],
    ['partition', { region: 'cn-north-1' },
      'region "cn-north-1" is in partition aws-cn and the stack in aws, and no identity signs in across partitions; '
      + 'import the database into a stack of its own partition'],
  ])('is refused for another %s than there is', (_, options, message) => {
    expect(() => imported(kind, stackIn(IRELAND), options)).toThrow(new Error(`[Data/It] ${message}`));
  });

  test.each<[string, DatabaseLocationOptions]>([
    ['region "eu-west-1"', { region: 'eu-west-1' }],
    ['account "111111111111"', { account: '111111111111' }],
  ])('is refused for a database of this app: %s', (what, options) => {
    const stack = stackIn(IRELAND);
    const database = kind === 'cluster' ? newCluster(stack, 'It') : newInstance(stack, 'It');
    expect(
      () => kind === 'cluster'
        ? ConnectGrants.fromCluster(
            database as rds.DatabaseCluster,
            options,
          )
        : ConnectGrants.fromInstance(
            database as rds.DatabaseInstance,
            options,
          ),
    ).toThrow(new Error(
      `[Data/It] ${what} is said of a database that this app makes, which is in the account and Region of its `
      + 'stack; leave it out',
    ));
  });
});

describe('that is looked up', () => {
  const lookups = {
    cluster: (stack: Stack) => rds.DatabaseCluster.fromLookup(stack, 'It', { clusterIdentifier: 'shop' }),
    instance: (stack: Stack) => rds.DatabaseInstance.fromLookup(stack, 'It', { instanceIdentifier: 'shop' }),
  };
  const grantsOf = (kind: 'cluster' | 'instance', stack: Stack) =>
    kind === 'cluster'
      ? ConnectGrants.fromCluster(lookups.cluster(stack))
      : ConnectGrants.fromInstance(lookups.instance(stack));
  const iamAuthOf = (kind: 'cluster' | 'instance', stack: Stack) => {
    const options = {
      vpc: new ec2.Vpc(stack, 'Vpc'), admin: AdminCredentials.fromSecret(new secretsmanager.Secret(stack, 'Admin')),
    };
    return kind === 'cluster'
      ? new AuroraIamAuth(stack, 'IamAuth', {
          cluster: lookups.cluster(stack), ...options,
        })
      : new InstanceIamAuth(
          stack,
          'IamAuth',
          { instance: lookups.instance(stack), ...options },
        );
  };

  test.each(['cluster', 'instance'] as const)('%s', (kind) => {
    const data = new Stack(lookedUp(), 'Data', { env: IRELAND });
    expect(resourceIn(data, grantsOf(kind, data))).toBe(`${PREFIX}${ID[kind]}/app`);
    expect(Annotations.fromStack(data).findError('*', Match.anyValue())).toEqual([]);
  });

  test.each(['cluster', 'instance'] as const)('%s with users', (kind) => {
    const data = new Stack(lookedUp(), 'Data', { env: IRELAND });
    iamAuthOf(kind, data).addUser('app');
    expect(onlyResourceOf(data, 'Custom::RdsIamUser').Properties.Database).toEqual({ ResourceId: ID[kind] });
    expect(targetsOf(data)).toMatchObject([{
      resourceId: ID[kind], host: kind === 'cluster' ? 'shop.cluster-1' : 'shop.1', port: '5432',
    }]);
    expect(onlyResourceOf(data, 'AWS::EC2::SecurityGroupIngress').Properties.GroupId).toBe('sg-1');
  });

  test.each(['cluster', 'instance'] as const)('%s: the first synthesis knows nothing yet, and must not fail, or the '
    + 'CLI could not look it up', (kind) => {
    const data = new Stack(newApp(), 'Data', { env: IRELAND });
    iamAuthOf(kind, data).addUser('app').grantConnect(new iam.Role(data, 'Role', {
      assumedBy: new iam.AccountRootPrincipal(),
    }));
    expect(Annotations.fromStack(data).findError('*', Match.anyValue()).map(({ entry }) => entry.data)).toContain(
      `${kind === 'cluster' ? 'clusterResourceIdentifier' : 'instanceResourceId'} has not been looked up yet; `
      + 'run cdk synth with credentials of the account, and without --no-lookups');
  });
});
