import { App, Aspects, CfnResource, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { Construct, IConstruct, IMixin } from 'constructs';
import { AuroraIamAuth } from '../../lib';
import { newApp, newCluster, resourcesOf } from './support';

export const ID = 'cdk-aurora-iam-auth:retainedAccess';
export const KEPT = { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' };
export const RETAINED = 'DeletionPolicy Retain and UpdateReplacePolicy Retain';
export const DELETED = { DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Delete' };

export const remedy = (type: string) =>
  `leave ${type} out where the removal policy is applied (excludeResourceTypes of `
  + `RemovalPolicies), or acknowledge it: Validations.of(construct).acknowledge({ id: '${ID}', reason: '...' })`;

/** An app with a cluster, another one for each test of a file that imports it. */
export let app: App;
export let stack: Stack;
export let cluster: rds.DatabaseCluster;
export let iamAuth: AuroraIamAuth;
beforeEach(() => {
  app = newApp();
  stack = new Stack(app, 'Shop');
  useClusterIn(stack);
});

/** Makes the cluster and its users those of another stack. */
export function useClusterIn(scope: Stack): void {
  cluster = newCluster(scope);
  iamAuth = new AuroraIamAuth(scope, 'IamAuth', { cluster });
}

export function newRole(scope: Construct = stack, id = 'Role', props: Partial<iam.RoleProps> = {}): iam.Role {
  return new iam.Role(scope, id, { assumedBy: new iam.ServicePrincipal('ec2.amazonaws.com'), ...props });
}

/** What the template of a stack says of resources of a type. */
export function policiesOf(
  type: RegExp,
  scope: Stack = stack,
): { DeletionPolicy?: string; UpdateReplacePolicy?: string }[] {
  const resources = Object.values(resourcesOf(scope)).filter(({ Type }) => type.test(Type));
  return resources.map(({ DeletionPolicy, UpdateReplacePolicy }) => ({ DeletionPolicy, UpdateReplacePolicy }));
}

export const isCfnResource = (construct: IConstruct): construct is CfnResource => CfnResource.isCfnResource(construct);
export const resourcesIn = (scope: IConstruct) => scope.node.findAll().filter(isCfnResource);

/** An aspect that changes all resources. */
export function onAllResources(change: (resource: CfnResource) => void, priority?: number): void {
  Aspects.of(app).add({ visit: node => isCfnResource(node) && change(node) }, { priority });
}

/** What grantConnect writes, for a user of the cluster. */
export function connectStatement(
  props: Partial<iam.PolicyStatementProps> = {},
  database = cluster,
): iam.PolicyStatement {
  const resource = `arn:aws:rds-db:eu-west-1:111111111111:dbuser:${database.clusterResourceIdentifier}/orders`;
  return new iam.PolicyStatement({ actions: ['rds-db:connect'], resources: [resource], ...props });
}

/** The messages of a failed synthesis, one a line. */
export function problems(): string[] {
  try {
    app.synth();
    return [];
  } catch (error) {
    return (error as Error).message.split('\n').filter(line => line.startsWith('  [')).map(line => line.trim());
  }
}

export class Retained implements IMixin {
  supports(construct: IConstruct): boolean {
    return isCfnResource(construct);
  }

  applyTo(construct: IConstruct): void {
    (construct as CfnResource).applyRemovalPolicy(RemovalPolicy.RETAIN);
  }
}
