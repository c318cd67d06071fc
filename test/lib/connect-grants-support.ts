import { App, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { attribute, newApp, newCluster, onlyResourceOf } from './support';

export const ASSUMED_BY = new iam.ServicePrincipal('ec2.amazonaws.com');

/** An app and its stack, other ones for each test of a file that imports them. */
export let app: App;
export let stack: Stack;

/** Begins again in another app, with context. */
export function startAgain(context: Record<string, unknown> = {}): void {
  app = newApp(context);
  stack = new Stack(app, 'Data');
}

beforeEach(() => startAgain());

export function cluster(scope: Stack = stack, props: Partial<rds.DatabaseClusterProps> = {}): rds.DatabaseCluster {
  return newCluster(scope, 'Cluster', { iamAuthentication: true, ...props });
}

export function role(scope: Stack = stack, id = 'Role'): iam.Role {
  return new iam.Role(scope, id, { assumedBy: ASSUMED_BY });
}

/** The statements of the one policy of a stack. */
export function statements(scope: Stack = stack): { Effect: string; Action: unknown; Resource: unknown }[] {
  const { PolicyDocument } = onlyResourceOf(scope, 'AWS::IAM::Policy').Properties as {
    PolicyDocument: { Statement: [] };
  };
  return PolicyDocument.Statement;
}

export const RESOURCE_ID = attribute(/^Cluster/, 'DBClusterResourceId');

export function statement(region: unknown, account: unknown, resourceId: unknown, username: string) {
  const parts = [
    'arn:',
    { Ref: 'AWS::Partition' },
    ':rds-db:',
    region,
    ':',
    account,
    ':dbuser:',
    resourceId,
    `/${username}`,
  ];
  const joined = parts.reduce<unknown[]>((all, part) => {
    const last = all[all.length - 1];
    return typeof part === 'string' && typeof last === 'string' ? [...all.slice(0, -1), last + part] : [...all, part];
  }, []);
  return { Effect: 'Allow', Action: 'rds-db:connect', Resource: { 'Fn::Join': ['', joined] } };
}

export const REGION = { Ref: 'AWS::Region' };
export const ACCOUNT = { Ref: 'AWS::AccountId' };
