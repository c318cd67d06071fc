import { App, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as rds from 'aws-cdk-lib/aws-rds';
import { ConnectGrants, InstanceIamAuth } from '../../../lib';
import { firstOf, full } from '../../full';
import { newApp, newCluster, resourcesOf, vpcOf } from '../support';
import { clusterApp, EXAMPLE_NAMES, exampleApp, isOurs, resourcesIn, strict } from './apps';
import { acknowledgementsOf, Finding, findingsOf, Version } from './cdk-nag';

type Place = Omit<Finding, 'acknowledged'>;

/** `rule at Handler`, in the order of the alphabet. */
const lines = (places: Place[]) =>
  places
    .map(
      ({ id, path }) =>
        `${id} at ${path
          .replace(/^.*?(Provisioner[^/]*|IamAuthentication)\//, '')
          .replace('Provider/framework-onEvent', 'Framework')
          .replace('DataApiHandler', 'Handler')
          .replace(/\/Resource$/, '')}`,
    )
    .sort();

const unacknowledged = (found: Finding[]) => lines(found.filter(({ acknowledged }) => !acknowledged));

function oursIn(version: Version, app: App): Finding[] {
  const ours = new Set(resourcesIn(app).filter(isOurs).map(({ node }) => node.path));
  return findingsOf(version, app).filter(({ path }) => ours.has(path));
}

/** Rules of several packs. */
const inPacks = (packs: string[], rule: string, places: string[]) =>
  packs.flatMap(pack => places.map(place => `${pack}-${rule} at ${place}`));
const [HIPAA, R4, R5, PCI, SERVERLESS] = [
  'HIPAA.Security',
  'NIST.800.53.R4',
  'NIST.800.53.R5',
  'PCI.DSS.321',
  'Serverless',
];
const FUNCTIONS = ['Framework', 'Handler'];

/** What a property of `provisioner` would remove. */
const LEFT_TO_PROPERTIES = (functions = FUNCTIONS) => [
  ...inPacks([HIPAA, R4, R5, PCI], 'CloudWatchLogGroupEncrypted', ['Logs']), // logGroup
  ...inPacks([HIPAA, R5], 'LambdaConcurrency', functions), // reservedConcurrentExecutions
  ...inPacks([SERVERLESS], 'LambdaTracing', functions), // tracing
].sort();

/**
 * What we say is right as it is. Through the Data API nothing is in a VPC, and there is one function, which answers
 * CloudFormation itself.
 */
const ACKNOWLEDGED = (handlerInVpc = true) => [
  ...handlerInVpc ? ['AwsSolutions-IAM5[Resource::*] at HandlerRole/Policy'] : [],
  ...inPacks([HIPAA, R5, SERVERLESS], 'LambdaDLQ', handlerInVpc ? FUNCTIONS : ['Handler']),
  ...inPacks([HIPAA, R4, R5, PCI], 'LambdaInsideVPC', handlerInVpc ? ['Framework'] : ['Handler']),
].sort();

/** The function that switches IAM authentication on is outside of the VPC, too. */
const ENABLES = ['enable-iam-authentication'];

/** The smallest, and those whose functions are others. */
const EXAMPLES = [...new Set(['quick-start', 'data-api', ...ENABLES, ...EXAMPLE_NAMES])];

const acknowledgedIn = (example: string) =>
  [
    ...ACKNOWLEDGED(example !== 'data-api'),
    ...(ENABLES.includes(example) ? inPacks([HIPAA, R4, R5, PCI], 'LambdaInsideVPC', ['Handler']) : []),
  ].sort();

describe.each<[Version]>([[3], [2]])('cdk-nag %d', (version) => {
  describe.each(firstOf(version === 3 ? 3 : 1, EXAMPLES))('in the example %s', (name) => {
    let app: App;
    let ours: Finding[];
    beforeAll(() => {
      app = exampleApp(name);
      ours = oursIn(version, app);
    });

    test('finds nothing but what properties are for', () => {
      const provisioners = new Set(
        ours.map(({ path }) => path.replace(/(Provisioner[^/]*|IamAuthentication)\/.*/, '$1')),
      ).size;
      expect(provisioners).toBeGreaterThan(0);
      expect(unacknowledged(ours)).toEqual(
        [
          ...new Array<string[]>(provisioners)
            .fill(LEFT_TO_PROPERTIES(name === 'data-api' ? ['Handler'] : FUNCTIONS))
            .flat(),
        ].sort(),
      );
    });

    test('has acknowledged what it would find, and nothing else', () => {
      expect([...new Set(lines(ours.filter(({ acknowledged }) => acknowledged)))].sort()).toEqual(acknowledgedIn(name));
      expect(lines(acknowledgementsOf(version, app))).toEqual(lines(ours.filter(({ acknowledged }) => acknowledged)));
    });
  });

  test('finds nothing where all is asked of the provisioner, and less is acknowledged', () => {
    const app = clusterApp(strict);
    expect(unacknowledged(oursIn(version, app))).toEqual([]);
    expect(lines(acknowledgementsOf(version, app))).toEqual([
      'AwsSolutions-IAM5[Resource::*] at FrameworkRole/Policy',
      'AwsSolutions-IAM5[Resource::*] at HandlerRole/Policy',
    ]);
    expect(lines(oursIn(version, app).filter(({ acknowledged }) => acknowledged))).toEqual(
      lines(acknowledgementsOf(version, app)),
    );
  });

  full.test('finds nothing in a framework that is traced outside of the VPC, which needs what is acknowledged', () => {
    const app = clusterApp(() => ({ tracing: lambda.Tracing.ACTIVE }));
    const acknowledged = lines(acknowledgementsOf(version, app));
    expect(acknowledged).toContain('AwsSolutions-IAM5[Resource::*] at FrameworkRole/Policy');
    expect(lines(oursIn(version, app).filter(finding => finding.acknowledged))).toEqual(acknowledged);
    expect(unacknowledged(oursIn(version, app)).filter(line => !LEFT_TO_PROPERTIES().includes(line))).toEqual([]);
  });

  full.test.each([
    ['cannot read the port of a database that is restored', undefined,
      ['EC2RestrictedCommonPorts', 'EC2RestrictedSSH']
        .flatMap(rule => inPacks([HIPAA, R4, R5, PCI], rule, ['the rule that lets the handler in']))
        .sort()],
    ['reads it where it is said', 5432, []],
  ])('%s', (_, port, expected) => {
    const app = newApp();
    const stack = new Stack(app, 'Data');
    const instance = new rds.DatabaseInstanceFromSnapshot(stack, 'Instance', {
      engine: rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.VER_17 }),
      vpc: vpcOf(stack),
      snapshotIdentifier: 'snapshot',
      credentials: rds.SnapshotCredentials.fromGeneratedSecret('chief'),
      port,
    });
    new InstanceIamAuth(stack, 'IamAuth', { instance }).addUser('app');
    const others = unacknowledged(oursIn(version, app)).filter(line => !LEFT_TO_PROPERTIES().includes(line));
    expect(
      others.map(line =>
        line.replace(
          /Data\/Instance\/SecurityGroup\/from DataIamAuthProvisioner.*/,
          'the rule that lets the handler in',
        ),
      ),
    ).toEqual(expected);
  });

  test('finds a grant to a role, which is inline, and none to a managed policy', () => {
    const app = newApp();
    const stack = new Stack(app, 'Data');
    const grants = ConnectGrants.fromCluster(newCluster(stack, 'Cluster', { iamAuthentication: true }));
    grants.connect(new iam.Role(stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() }), 'app');
    grants.connect(
      new iam.ManagedPolicy(stack, 'May', {
        roles: [new iam.Role(stack, 'Other', { assumedBy: new iam.AccountRootPrincipal() })],
      }),
      'app',
    );
    const found = findingsOf(version, app).filter(({ path }) => /^Data\/(Role|May|Other)\//.test(path));
    expect(unacknowledged(found)).toEqual(
      [HIPAA, R4, R5, PCI].map(pack => `${pack}-IAMNoInlinePolicy at Data/Role/DefaultPolicy`),
    );
  });

  test('control: finds what it is for, in each pack', () => {
    const app = newApp();
    new lambda.Function(new Stack(app, 'Data'), 'Naive', {
      runtime: lambda.Runtime.NODEJS_22_X,
      code: lambda.Code.fromInline('x'),
      handler: 'index.handler',
    });
    const found = unacknowledged(findingsOf(version, app));
    expect(found).toEqual(
      expect.arrayContaining([
        'AwsSolutions-L1 at Data/Naive',
        ...inPacks([HIPAA, R4, R5, PCI], 'LambdaInsideVPC', ['Data/Naive']),
        ...inPacks([SERVERLESS], 'LambdaDLQ', ['Data/Naive']),
      ]),
    );
  });
});

describe('an acknowledgement', () => {
  test('is in the metadata of resources that are ours, and in none of a custom resource', () => {
    const app = clusterApp();
    const acknowledging = resourcesIn(app).filter(resource => resource.getMetadata('cdk_nag') !== undefined);
    expect(acknowledging.every(isOurs)).toBe(true);
    expect(acknowledging.map(({ cfnResourceType }) => cfnResourceType)).toEqual([
      'AWS::IAM::ManagedPolicy',
      'AWS::Lambda::Function',
      'AWS::Lambda::Function',
    ]);
  });

  test('is a reason in plain words, which version 2 takes as they are', () => {
    const [stack] = clusterApp(strict).node.children;
    const reasons = [stack, clusterApp().node.children[0]]
      .flatMap(scope => Object.values(resourcesOf(scope as Stack)))
      .flatMap(
        ({ Metadata: metadata }) =>
          (metadata?.cdk_nag as { rules_to_suppress: { reason: string }[] } | undefined)?.rules_to_suppress ?? [],
      )
      .map(({ reason }) => reason);
    expect(new Set(reasons).size).toBe(5);
    reasons.forEach(reason => expect(reason).toMatch(/^[ -~]{60,}\.$/));
  });
});
