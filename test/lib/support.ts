import { App, AppProps, CfnResource, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as rds from 'aws-cdk-lib/aws-rds';
import { DISABLE_CREATION_STACK_TRACES } from 'aws-cdk-lib/cx-api';
import { Construct, IConstruct } from 'constructs';

process.env.CDK_VALIDATION = 'false'; // newer versions of aws-cdk-lib: seconds for each process

export const ENGINE = rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_17_7 });
export const INSTANCE_TYPE = ec2.InstanceType.of(ec2.InstanceClass.T4G, ec2.InstanceSize.MICRO);
export const IRELAND = { account: '111111111111', region: 'eu-west-1' };

export const appProps = (context: AppProps['context'] = {}): AppProps => ({
  treeMetadata: false,
  analyticsReporting: false,
  context: { 'aws:cdk:disable-asset-staging': true, [DISABLE_CREATION_STACK_TRACES]: true, ...context },
});

export function newApp(context?: AppProps['context']): App {
  return new App(appProps(context));
}

export function newCluster(
  scope: Construct,
  id = 'Cluster',
  props: Partial<rds.DatabaseClusterProps> = {},
): rds.DatabaseCluster {
  return new rds.DatabaseCluster(scope, id, {
    engine: ENGINE,
    writer: rds.ClusterInstance.serverlessV2('writer'),
    vpc: props.vpc ?? vpcOf(scope),
    defaultDatabaseName: 'shop',
    cloudwatchLogsExports: ['iam-db-auth-error'],
    ...props,
  });
}

export function newInstance(
  scope: Construct,
  id = 'Instance',
  props: Partial<rds.DatabaseInstanceProps> = {},
): rds.DatabaseInstance {
  return new rds.DatabaseInstance(scope, id, {
    engine: rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.VER_17 }),
    instanceType: INSTANCE_TYPE,
    vpc: props.vpc ?? vpcOf(scope),
    databaseName: 'shop',
    ...props,
  });
}

/** One VPC for the databases of a stack: of elsewhere, for its resources would be half of a template. */
export function vpcOf(scope: Construct): ec2.IVpc {
  return scope.node.tryFindChild('Vpc') as ec2.IVpc | undefined ?? ec2.Vpc.fromVpcAttributes(scope, 'Vpc', {
    vpcId: 'vpc-1', vpcCidrBlock: '10.0.0.0/16', availabilityZones: ['a', 'b'],
    privateSubnetIds: ['subnet-1', 'subnet-2'], privateSubnetRouteTableIds: ['rtb-1', 'rtb-2'],
    publicSubnetIds: ['subnet-3', 'subnet-4'], publicSubnetRouteTableIds: ['rtb-3', 'rtb-4'],
  });
}

/** Also fails for a cycle between the resources of the stack. */
export function templateOf(stack: Stack): Template {
  return Template.fromStack(stack);
}

export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
  readonly DependsOn?: string[];
  readonly Metadata?: Record<string, unknown>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

export function resourcesOf(stack: Stack, type?: string): Record<string, Resource> {
  const { Resources: resources = {} } = templateOf(stack).toJSON() as { Resources?: Record<string, Resource> };
  return Object.fromEntries(
    Object.entries(resources).filter(([, resource]) => type === undefined || resource.Type === type),
  );
}

export function onlyResourceOf(stack: Stack, type: string): Resource {
  const resources = Object.values(resourcesOf(stack, type));
  if (resources.length !== 1) {
    throw new Error(`${resources.length} resources of type ${type}`);
  }
  return resources[0];
}

/** What the deployment fixes about the database, in the environment of the functions that sign in there. */
export function targetsOf(
  stack: Stack,
): { readonly stack: unknown; readonly resourceId: unknown; readonly host: unknown; readonly port: unknown }[] {
  return Object.values(resourcesOf(stack, 'AWS::Lambda::Function'))
    .map(
      ({ Properties }) =>
        (Properties.Environment as { Variables?: Record<string, unknown> } | undefined)?.Variables ?? {},
    )
    .filter(variables => 'DATABASE_RESOURCE_ID' in variables)
    .map(({ STACK_ID, DATABASE_RESOURCE_ID, DATABASE_HOST, DATABASE_PORT }) => ({
      stack: STACK_ID,
      resourceId: DATABASE_RESOURCE_ID,
      host: DATABASE_HOST,
      port: DATABASE_PORT,
    }));
}

export function logicalIdOf(construct: IConstruct): string {
  const resource = CfnResource.isCfnResource(construct) ? construct : construct.node.defaultChild as CfnResource;
  return Stack.of(resource).resolve(resource.logicalId) as string;
}

/** Everything a resource waits for: what it refers to, what it depends on, and what those do. */
export function waitsFor(stack: Stack, logicalId: string): Set<string> {
  const resources = resourcesOf(stack);
  const found = new Set<string>();
  const visit = (id: string) => {
    for (const next of [...resources[id].DependsOn ?? [], ...referencesIn(resources[id].Properties)]) {
      if (next in resources && !found.has(next)) {
        found.add(next);
        visit(next);
      }
    }
  };
  visit(logicalId);
  return found;
}

function referencesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  const { Ref, 'Fn::GetAtt': attribute } = value as { 'Ref'?: string; 'Fn::GetAtt'?: string[] };
  return [...Ref ? [Ref] : [], ...attribute ? [attribute[0]] : [], ...Object.values(value).flatMap(referencesIn)];
}

/** What `Ref`, `Fn::GetAtt` and `Fn::ImportValue` are of a resource whose id looks like this. */
export const reference = (id: RegExp) => ({ Ref: expect.stringMatching(id) as unknown });
export const attribute = (id: RegExp, name: string) => ({ 'Fn::GetAtt': [expect.stringMatching(id) as unknown, name] });
export const imported = (name: RegExp) => ({ 'Fn::ImportValue': expect.stringMatching(name) as unknown });
