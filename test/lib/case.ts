import { App, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import { AuroraIamAuth } from '../../lib';
import { IRELAND, newApp, newCluster } from './support';

/** A stack with a cluster in it, as most apps have. */
export class Case {
  public readonly app = newApp();
  public readonly stack = new Stack(this.app, 'S', { env: IRELAND });
  public readonly role = new iam.Role(this.stack, 'Role', { assumedBy: new iam.AccountRootPrincipal() });
  private made?: { cluster: rds.DatabaseCluster; iamAuth: AuroraIamAuth };

  constructor(private readonly vpc?: (stack: Stack) => ec2.Vpc) {}

  public get cluster(): rds.DatabaseCluster {
    return this.all.cluster;
  }

  public get iamAuth(): AuroraIamAuth {
    return this.all.iamAuth;
  }

  private get all() {
    if (!this.made) {
      const vpc = this.vpc?.(this.stack);
      const cluster = newCluster(
        this.stack,
        'Cluster',
        vpc ? { vpc, vpcSubnets: { subnets: [...vpc.isolatedSubnets, ...vpc.publicSubnets] } } : {},
      );
      this.made = { cluster, iamAuth: new AuroraIamAuth(this.stack, 'IamAuth', { cluster }) };
    }
    return this.made;
  }
}

/** What an app is told: the message of an error, or our warnings with their ids, a line each. CDK has its own. */
export function answer(app: App, work: () => unknown): string {
  try {
    work();
    app.synth();
  } catch (error) {
    expect((error as Error).name).not.toBe('TypeError');
    return (error as Error).message.replace(/^Validation failed with the following errors:\n\s*/, '');
  }
  return app.node.findAll().flatMap(({ node }) => node.metadata.filter(({ type }) => type.startsWith('aws:cdk:'))
    .filter(({ type }) => /warning|error/.test(type)).map(({ data }) => String(data))).filter(
    text => text.includes('cdk-aurora-iam-auth:'),
  ).join('\n');
}

export const acknowledge = (id: string) => ` [ack: cdk-aurora-iam-auth:${id}]`;
