/**
 * One app with many users, synthesized as `benchmarks/synth.ts` asks; prints the CPU time that took, and what is in the
 * template.
 */
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import type { Construct } from 'constructs';
import { byHand } from './by-hand';
import { AuroraIamAuth, Privileges } from '../lib';
import { DATABASE_USER_RESOURCE_TYPE } from '../lib/contract/wire';

export interface Measured {
  /** Of construction and synthesis, user and system. */
  readonly cpuMs: number;
  readonly resources: number;
  /** Of the template, as the CDK CLI deploys it. */
  readonly bytes: number;
  /** The same for templates that differ in `Metadata` and in the logical ids of users only. */
  readonly digest: string;
}

/** What is used of cdk-rds-sql. */
interface CdkRdsSql {
  readonly Provider: new (scope: Construct, id: string, props: object) => unknown;
  readonly Role: new (scope: Construct, id: string, props: object) => Construct;
}

type Prepared = (stack: Stack, cluster: rds.DatabaseCluster, vpc: ec2.Vpc) => AddUser;
type AddUser = (username: string, role: iam.Role) => void;

const [variant, users, folder] = process.argv.slice(2);

/**
 * Each loads its library before the time is taken; what aws-cdk-lib loads when it is first used is part of the time.
 */
const VARIANTS: Record<string, () => Prepared> = {
  'grants alone': () => (_stack, cluster) => (username, role) => cluster.grantConnect(role, username),
  'by hand': () => byHand,
  'cdk-aurora-iam-auth': () => (stack, cluster) => {
    const iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster });
    return (username, role) =>
      iamAuth
        .addUser(username, { privileges: [Privileges.readOnly({ database: 'shop', objectsCreatedBy: [] })] })
        .grantConnect(role);
  },
  'cdk-rds-sql': () => {
    const { Provider, Role } = createRequire(join(folder, 'package.json'))('cdk-rds-sql') as CdkRdsSql;
    return (stack, cluster, vpc) => {
      const provider = new Provider(stack, 'Provider', {
        vpc,
        cluster,
        secret: cluster.secret,
        vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
      });
      return (username, role) => {
        new Role(stack, `User ${username}`, {
          provider,
          roleName: username,
          databaseName: 'shop',
          enableIamAuth: true,
        });
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
  const { template, templateFullPath } = app.synth().getStackByName('Shop') as {
    template: Template;
    templateFullPath: string;
  };
  const { user, system } = process.cpuUsage(begin);
  return {
    cpuMs: (user + system) / 1000,
    resources: Object.keys(template.Resources).length,
    bytes: statSync(templateFullPath).size,
    digest: digestOf(template),
  };
}

interface Template {
  readonly Resources: {
    readonly [logicalId: string]: { readonly Type: string; readonly Properties?: { readonly Username?: string } };
  };
}

function digestOf({ Resources: resources }: Template): string {
  const users = new Map(Object.entries(resources).filter(([, { Type }]) => Type === DATABASE_USER_RESOURCE_TYPE)
    .map(([id, { Properties: properties }]) => [id, `user ${properties?.Username}`]));
  const sorted = (value: unknown): unknown => {
    if (typeof value === 'string') {
      return users.get(value) ?? value;
    }
    if (Array.isArray(value) || typeof value !== 'object' || value === null) {
      return Array.isArray(value) ? value.map(sorted) : value;
    }
    const entries = Object.entries(value)
      .filter(([key]) => key !== 'Metadata')
      .map(([key, inner]) => [users.get(key) ?? key, sorted(inner)] as const);
    return Object.fromEntries(entries.sort(([one], [other]) => one < other ? -1 : 1));
  };
  return createHash('sha256').update(JSON.stringify(sorted(resources))).digest('hex');
}

process.stdout.write(JSON.stringify(main(VARIANTS[variant]())));
