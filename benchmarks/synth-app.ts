/** One app with many users, synthesized as `benchmarks/synth.ts` asks; prints the CPU time that took, how many resources there are, and how long the template is. */
import { createRequire } from 'node:module';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { App, CfnResource, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as rds from 'aws-cdk-lib/aws-rds';
import { Provider } from 'aws-cdk-lib/custom-resources';
import type { Construct } from 'constructs';
import { AuroraIamAuth, Privileges } from '../lib';

export interface Measured {
  /** Of construction and synthesis, user and system. */
  readonly cpuMs: number;
  readonly resources: number;
  /** Of the template, as the CDK CLI deploys it. */
  readonly bytes: number;
}

/** What is used of cdk-rds-sql. */
interface CdkRdsSql {
  readonly Provider: new (scope: Construct, id: string, props: object) => unknown;
  readonly Role: new (scope: Construct, id: string, props: object) => Construct;
}

type Prepared = (stack: Stack, cluster: rds.DatabaseCluster, vpc: ec2.Vpc) => AddUser;
type AddUser = (username: string, role: iam.Role) => void;

const [variant, users, folder] = process.argv.slice(2);

/** Each loads its library before the time is taken. */
const VARIANTS: Record<string, () => Prepared> = {
  'aws-cdk-lib': () => (_stack, cluster) => (username, role) => cluster.grantConnect(role, username),
  // What a custom resource for each user takes at least.
  'aws-cdk-lib and custom resources': () => (stack, cluster) => {
    const code = lambda.Code.fromAsset(join(__dirname, '../assets/provisioner'));
    const { serviceToken: ServiceToken } = new Provider(stack, 'Provider', {
      onEventHandler: new lambda.Function(stack, 'Function', { runtime: lambda.Runtime.NODEJS_24_X, handler: 'index.handler', code }),
    });
    const Privileges = { shop: { Database: ['CONNECT'], Schemas: { public: { Schema: ['USAGE'], Sequences: { '*': ['SELECT'] }, Tables: { '*': ['SELECT'] } } } } };
    return (username, role) => {
      const Database = { ResourceId: cluster.clusterResourceIdentifier };
      new CfnResource(stack, `User ${username}`, { type: 'Custom::RdsIamUser', properties: { ServiceToken, ServiceTimeout: '420', Database, Username: username, Privileges } });
      cluster.grantConnect(role, username);
    };
  },
  'cdk-aurora-iam-auth': () => (stack, cluster) => {
    const iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster });
    return (username, role) => iamAuth.addUser(username, { privileges: [Privileges.readOnly({ database: 'shop', objectsCreatedBy: [] })] }).grantConnect(role);
  },
  'cdk-rds-sql': () => {
    const { Provider, Role } = createRequire(join(folder, 'package.json'))('cdk-rds-sql') as CdkRdsSql;
    return (stack, cluster, vpc) => {
      const provider = new Provider(stack, 'Provider', { vpc, cluster, secret: cluster.secret, vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS } });
      return (username, role) => {
        new Role(stack, `User ${username}`, { provider, roleName: username, databaseName: 'shop', enableIamAuth: true });
        cluster.grantConnect(role, username);
      };
    };
  },
};

function main(prepare: Prepared): Measured {
  const begin = process.cpuUsage();
  const app = new App({ outdir: join(folder, 'cdk.out') });
  const stack = new Stack(app, 'Shop');
  const vpc = new ec2.Vpc(stack, 'Vpc', { maxAzs: 2 });
  const cluster = new rds.DatabaseCluster(stack, 'Cluster', {
    engine: rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_17_7 }),
    writer: rds.ClusterInstance.serverlessV2('writer'),
    vpc,
    defaultDatabaseName: 'shop',
    iamAuthentication: true,
  });
  const addUser = prepare(stack, cluster, vpc);
  for (let n = 0; n < Number(users); n++) {
    addUser(`user${n}`, new iam.Role(stack, `Role${n}`, { assumedBy: new iam.AccountRootPrincipal() }));
  }
  const { template, templateFullPath } = app.synth().getStackByName('Shop') as { template: { Resources: object }; templateFullPath: string };
  const { user, system } = process.cpuUsage(begin);
  return { cpuMs: (user + system) / 1000, resources: Object.keys(template.Resources).length, bytes: statSync(templateFullPath).size };
}

process.stdout.write(JSON.stringify(main(VARIANTS[variant]())));
