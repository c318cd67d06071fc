import { readFileSync } from 'node:fs';
import { App, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { AuroraIamAuth, DatabaseUser, IamAuthChecks, Privileges } from '../../lib';
import { IRELAND, newApp, newCluster } from './support';

interface Template {
  readonly Resources: Record<string, { readonly Type: string; readonly Properties?: Record<string, unknown> }>;
  readonly Outputs?: Record<string, { readonly Value: unknown; readonly Export?: { readonly Name: unknown } }>;
}

/** As `cdk init` of this version of aws-cdk-lib writes it into cdk.json. */
const RECOMMENDED = JSON.parse(
  readFileSync(require.resolve('aws-cdk-lib/recommended-feature-flags.json'), 'utf8'),
) as Record<string, unknown>;
const STRENGTH = '@aws-cdk/core:defaultCrossStackReferences';

const FLAGS: Record<string, Record<string, unknown>> = {
  'no flags': {},
  'all flags that are recommended': RECOMMENDED,
  'all of them and strong references': { ...RECOMMENDED, [STRENGTH]: 'strong' },
  'all of them and weak references': { ...RECOMMENDED, [STRENGTH]: 'weak' },
};

/**
 * A cluster, a service with a user of its own, and another one that signs in as a user of the cluster's stack and
 * through a proxy.
 */
function newServices(flags: Record<string, unknown>): App {
  const app = newApp(flags);
  const stackOf = (id: string) => new Stack(app, id, { env: IRELAND });
  const [data, billing, reports] = ['Data', 'Billing', 'Reports'].map(stackOf);
  const roleIn = (stack: Stack) =>
    new iam.Role(stack, 'Service', { assumedBy: new iam.ServicePrincipal('ecs-tasks.amazonaws.com') });
  const cluster = newCluster(data);
  const iamAuth = new AuroraIamAuth(data, 'IamAuth', { cluster });
  const migrator = iamAuth.addUser('migrator', { privileges: [Privileges.createObjects({ database: 'shop' })] });
  const readers = iamAuth.addRole('readers', {
    privileges: [Privileges.readOnly({ database: 'shop', objectsCreatedBy: [migrator] })],
  });
  new DatabaseUser(billing, 'User', {
    iamAuth,
    username: 'billing',
    privileges: [Privileges.readWrite({ database: 'shop', objectsCreatedBy: [migrator] })],
  }).grantConnect(roleIn(billing));
  const proxy = new rds.DatabaseProxy(data, 'Proxy', {
    proxyTarget: rds.ProxyTarget.fromCluster(cluster),
    vpc: cluster.vpc,
    defaultAuthScheme: rds.DefaultAuthScheme.IAM_AUTH,
  });
  iamAuth
    .addUser('reports', { privileges: [Privileges.memberOf(readers)] })
    .grantConnect(roleIn(reports), { through: proxy });
  return app;
}

/** What references to other stacks stand for. */
function followed(value: unknown, templates: ReadonlyMap<string, Template>): unknown {
  if (Array.isArray(value)) {
    return value.map(item => followed(item, templates));
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const { 'Fn::ImportValue': imported, 'Fn::GetStackOutput': output } = value as {
    'Fn::ImportValue'?: unknown;
    'Fn::GetStackOutput'?: { StackName: string; OutputName: string };
  };
  const outputs = [...templates].flatMap(([stack, { Outputs = {} }]) =>
    Object.entries(Outputs).map(([id, found]) => ({ stack, id, ...found })),
  );
  const found = imported !== undefined
    ? outputs.find(({ Export }) => Export?.Name === imported)
    : output && outputs.find(({ stack, id }) => stack === output.StackName && id === output.OutputName);
  if (imported !== undefined || output) {
    return { stack: found!.stack, value: found!.Value };
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, followed(item, templates)]));
}

/** Properties of what creates users and lets them sign in, by stack and logical id. */
function declared(app: App): Record<string, unknown> {
  const templates = new Map(app.synth().stacks.map(({ stackName, template }) => [stackName, template as Template]));
  const resources = [...templates].flatMap(([stack, { Resources }]) =>
    Object.entries(Resources).map(([id, resource]) => ({ stack, id, ...resource })),
  );
  return Object.fromEntries(
    resources
      .filter(({ Type, id }) => Type.startsWith('Custom::Rds') || (/Policy/.test(Type) && /Service/.test(id)))
      .map(({ stack, id, Properties }) => [`${stack} ${id}`, followed(Properties, templates)]),
  );
}

function templatePathsOf(app: App): string[] {
  return app.synth().stacks.map(({ templateFullPath }) => templateFullPath);
}

describe.each(Object.entries(FLAGS))('users in several stacks, with %s', (name, flags) => {
  test('are declared and let in as with any other flags', () => {
    const expected = declared(newServices({}));
    expect(Object.keys(expected)).toHaveLength(6);
    const found = declared(newServices(flags));
    expect(found).toEqual(expected);
  });

  test('are found by the checks, which have nothing against them', () => {
    expect(new IamAuthChecks().validate({ templatePaths: templatePathsOf(newServices(flags)) })).toEqual({
      success: true,
      violations: [],
    });
  });

  test('refer to other stacks in one way', () => {
    const text = templatePathsOf(newServices(flags)).map(path => readFileSync(path, 'utf8')).join('\n');
    const ways = ['Fn::ImportValue', 'Fn::GetStackOutput'].filter(way => text.includes(way));
    expect(ways).toHaveLength(1);
    if (name.endsWith('strong references') || name === 'no flags') {
      expect(ways).toEqual(['Fn::ImportValue']);
    }
  });
});
