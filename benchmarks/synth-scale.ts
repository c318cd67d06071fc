/**
 * What 10,000 users cost at synthesis, in lists and in nested stacks: next to a tenth of them, and next to the same
 * custom resources made with aws-cdk-lib alone. Each synthesis is a process of its own; compared is CPU time. No
 * template may be longer than CloudFormation takes.
 *
 *     npm run bench:scale:synth -- [--part 10]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { App, CfnResource, NestedStack, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as rds from 'aws-cdk-lib/aws-rds';
import { Provider } from 'aws-cdk-lib/custom-resources';
import { AuroraIamAuth, DatabaseUser } from '../lib';
import { Figure, report } from './figures';

const USERS = 10_000;
const ON_LIST = 1_000;
const IN_NESTED_STACK = 200;

/** @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
const TEMPLATE_BYTES = 1_000_000;
/** Of a user among all of them, to one among a tenth. */
const GROWTH_LIMIT = 1.5;
/** To the same custom resources without this library. */
const RATIO_LIMIT = 2;

interface Measured {
  readonly cpuMs: number;
  /** Of the longest template. */
  readonly bytes: number;
}

interface Base {
  readonly stack: Stack;
  readonly cluster: rds.DatabaseCluster;
}

const NAMES = (from: number, count: number) => Array.from({ length: count }, (_, n) => `user_${from + n}`);

function serviceToken(stack: Stack): string {
  const code = lambda.Code.fromAsset(join(__dirname, '../assets/provisioner'));
  return new Provider(stack, 'Provider', {
    onEventHandler: new lambda.Function(stack, 'Function', {
      runtime: lambda.Runtime.NODEJS_24_X,
      handler: 'index.handler',
      code,
    }),
  }).serviceToken;
}

function inNestedStacks(stack: Stack, users: number, fill: (nested: NestedStack, usernames: string[]) => void): void {
  for (let n = 0; n < users; n += IN_NESTED_STACK) {
    fill(new NestedStack(stack, `Users${n}`), NAMES(n, Math.min(IN_NESTED_STACK, users - n)));
  }
}

const VARIANTS: Record<string, (base: Base, users: number) => void> = {
  'lists': ({ stack, cluster }, users) => {
    const iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster });
    for (let n = 0; n < users; n += ON_LIST) {
      iamAuth.addUsers(`Users${n}`, { usernames: NAMES(n, Math.min(ON_LIST, users - n)) });
    }
  },
  'lists, aws-cdk-lib alone': ({ stack, cluster }, users) => {
    const ServiceToken = serviceToken(stack);
    for (let n = 0; n < users; n += ON_LIST) {
      const properties = {
        ServiceToken,
        Database: { ResourceId: cluster.clusterResourceIdentifier },
        Usernames: NAMES(n, Math.min(ON_LIST, users - n)),
      };
      new CfnResource(stack, `Users${n}`, { type: 'Custom::RdsIamUsers', properties });
    }
  },
  'nested stacks': ({ stack, cluster }, users) => {
    const iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster });
    inNestedStacks(stack, users, (nested, usernames) =>
      usernames.forEach(username => new DatabaseUser(nested, username, { iamAuth, username })),
    );
  },
  'nested stacks, aws-cdk-lib alone': ({ stack, cluster }, users) => {
    inNestedStacks(stack, users, (nested, usernames) => {
      const ServiceToken = serviceToken(nested);
      usernames.forEach(
        username =>
          new CfnResource(nested, username, {
            type: 'Custom::RdsIamUser',
            properties: {
              ServiceToken,
              Database: { ResourceId: cluster.clusterResourceIdentifier },
              Username: username,
              Privileges: { shop: { Database: ['CONNECT'] } },
            },
          }),
      );
    });
  },
};

function measure(variant: string, users: number, folder: string): Measured {
  const begin = process.cpuUsage();
  const app = new App({ outdir: folder });
  const stack = new Stack(app, 'Shop');
  const vpc = new ec2.Vpc(stack, 'Vpc', { maxAzs: 2 });
  const engine = rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_17_7 });
  const cluster = new rds.DatabaseCluster(stack, 'Cluster', {
    engine,
    vpc,
    writer: rds.ClusterInstance.serverlessV2('writer'),
    defaultDatabaseName: 'shop',
    iamAuthentication: true,
  });
  VARIANTS[variant]({ stack, cluster }, users);
  app.synth();
  const { user, system } = process.cpuUsage(begin);
  const templates = readdirSync(folder).filter(name => name.endsWith('.template.json'));
  return {
    cpuMs: (user + system) / 1000,
    bytes: Math.max(...templates.map(name => statSync(join(folder, name)).size)),
  };
}

function inProcess(variant: string, users: number): Measured {
  const folder = mkdtempSync(join(tmpdir(), 'bench-scale-'));
  try {
    const output = execFileSync(
      process.execPath,
      ['--import', 'tsx', __filename, '--variant', variant, '--users', `${users}`, '--folder', folder],
      {
        encoding: 'utf8',
        env: { ...process.env, CDK_VALIDATION: 'false' },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    return JSON.parse(output) as Measured;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const {
  values: { variant, users, folder, part },
} = parseArgs({
  options: {
    variant: { type: 'string' },
    users: { type: 'string' },
    folder: { type: 'string' },
    part: { type: 'string', default: '1' },
  },
});

if (variant !== undefined) {
  process.stdout.write(JSON.stringify(measure(variant, Number(users), folder!)));
} else {
  const all = USERS / Number(part);
  for (const name of ['lists', 'nested stacks']) {
    const bare = `${name}, aws-cdk-lib alone`;
    const [none, few, many] = [0, all / 10, all].map(count => inProcess(name, count));
    const [bareNone, bareMany] = [0, all].map(count => inProcess(bare, count));
    const figures: Figure[] = [
      { name: `${all} users: CPU time`, value: many.cpuMs, unit: 'ms' },
      { name: `${all / 10} users: CPU time`, value: few.cpuMs, unit: 'ms' },
      { name: 'no user: CPU time', value: none.cpuMs, unit: 'ms' },
      {
        name: 'a user among all, in times of one among a tenth',
        value: (many.cpuMs - none.cpuMs) / Math.max(1, few.cpuMs - none.cpuMs) / 10,
        digits: 2,
        limit: GROWTH_LIMIT,
      },
      { name: `${all} users with aws-cdk-lib alone: CPU time`, value: bareMany.cpuMs, unit: 'ms' },
      { name: 'no user with aws-cdk-lib alone: CPU time', value: bareNone.cpuMs, unit: 'ms' },
      { name: 'in times of aws-cdk-lib alone', value: many.cpuMs / bareMany.cpuMs, digits: 2, limit: RATIO_LIMIT },
      { name: 'longest template', value: many.bytes, unit: 'B', limit: TEMPLATE_BYTES },
    ];
    report({ title: `${all} users in ${name}`, figures });
  }
}
