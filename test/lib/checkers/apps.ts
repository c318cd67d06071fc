import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as cdk from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { IConstruct } from 'constructs';
import { AuroraIamAuth, ProvisionerOptions } from '../../../lib';
import { IamAuthenticationResource } from '../../../lib/provisioner/iam-authentication-resource';
import { Provisioner } from '../../../lib/provisioner/provisioner';
import { appProps, newApp, newCluster } from '../support';

const EXAMPLES = resolve(__dirname, '../../../examples');
export const EXAMPLE_NAMES = readdirSync(EXAMPLES).filter(name => existsSync(join(EXAMPLES, name, 'app.ts')));

const MADE = new Map<string, cdk.App>();

/**
 * The app of an example, before it is synthesized. The file makes it when it is imported, once, and keeps it to itself.
 */
export function exampleApp(name: string): cdk.App {
  const library = jest.requireActual<typeof cdk>('aws-cdk-lib');
  const { App } = library;
  const replace = (value: typeof App) => Object.defineProperty(library, 'App', { value, configurable: true });
  replace(class extends App {
    constructor() {
      super(appProps());
      MADE.set(name, this);
    }
  });
  jest.requireActual<object>(join(EXAMPLES, name, 'app.ts'));
  replace(App);
  return MADE.get(name)!;
}

/** A cluster with a user, and what its provisioner is told. */
export function clusterApp(provisioner?: (stack: cdk.Stack) => ProvisionerOptions): cdk.App {
  const app = newApp();
  const stack = new cdk.Stack(app, 'Data');
  new AuroraIamAuth(stack, 'IamAuth', { cluster: newCluster(stack), provisioner: provisioner?.(stack) }).addUser('app');
  return app;
}

/** All that may be asked of a provisioner. */
export const strict = (stack: cdk.Stack): ProvisionerOptions => ({
  logGroup: new logs.LogGroup(stack, 'Logs', {
    encryptionKey: new kms.Key(stack, 'Key'),
    retention: logs.RetentionDays.TEN_YEARS,
  }),
  reservedConcurrentExecutions: 20,
  tracing: lambda.Tracing.ACTIVE,
  deadLetterQueue: new sqs.Queue(stack, 'Lost'),
  frameworkInVpc: true,
});

/**
 * What this library makes: all of a provisioner and of what switches IAM authentication on, the rules that let it
 * through, and the custom resources.
 */
export function isOurs(construct: IConstruct): boolean {
  const rule
    = ec2.CfnSecurityGroupIngress.isCfnSecurityGroupIngress(construct)
      || ec2.CfnSecurityGroupEgress.isCfnSecurityGroupEgress(construct)
      ? construct
      : undefined;
  return construct.node.scopes.some(scope => scope instanceof Provisioner || scope instanceof IamAuthenticationResource)
    || rule?.description === 'Creates IAM users in PostgreSQL'
    || (cdk.CfnResource.isCfnResource(construct) && construct.cfnResourceType.startsWith('Custom::Rds'));
}

export const resourcesIn = (app: cdk.App) =>
  app.node.findAll().filter(construct => cdk.CfnResource.isCfnResource(construct));
