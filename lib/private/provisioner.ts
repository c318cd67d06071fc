import * as path from 'node:path';
import { Duration, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { acknowledge, HANDLER_WITHOUT_DEAD_LETTER_QUEUE } from './acknowledgements';
import { Admin } from './admin';
import { Database } from './database';
import { wayToDatabase } from './deployment-order';
import { FunctionRole } from './function-role';
import { newLogGroup } from './log-group';
import { providerFramework } from './provider-framework';
import { grantRead } from './secret-access';
import { ConnectGrants } from '../connect-grants';
import { ADMIN_SECRET_ARN, ADMIN_USERNAME, HANDLER_TIMEOUT_SECONDS } from '../contract/wire';
import { ProvisionerOptions } from '../provisioner-options';

export interface ProvisionerProps {
  readonly database: Database;
  /** Who may sign in to it. */
  readonly grants: ConnectGrants;
  readonly admin: Admin;
  readonly vpc: ec2.IVpc;
  readonly vpcSubnets?: ec2.SubnetSelection;
  readonly securityGroups?: ec2.ISecurityGroup[];
  readonly options: ProvisionerOptions;
}

/** Equal for provisioners that do the same thing the same way. */
export function fingerprint({ admin, vpc, vpcSubnets, securityGroups }: ProvisionerProps): string {
  return JSON.stringify([
    admin.secret ? { secret: admin.secret.secretArn } : admin,
    vpc.node.path,
    vpc.selectSubnets(vpcSubnets).subnetIds,
    securityGroups?.map(({ securityGroupId }) => securityGroupId),
  ]);
}

/**
 * The Lambda function that creates users, and CDK's provider framework in front of it. The framework
 * runs outside the VPC unless it is told otherwise, so that CloudFormation gets its answer whatever the way to the database is like.
 */
export class Provisioner extends Construct {
  /** Of the custom resources. Their order needs no more: the framework comes after, and goes before, everything a user is created with. */
  public readonly serviceToken: string;

  constructor(scope: Construct, id: string, props: ProvisionerProps) {
    super(scope, id);
    const { database, vpc, vpcSubnets, admin, options } = props;
    const handler = this.handler(props);
    const provider = providerFramework(this, {
      handler,
      network: options.frameworkInVpc ? { vpc, vpcSubnets } : undefined,
      options,
    });
    provider.node.addDependency(wayToDatabase({
      database: database.construct,
      vpc,
      handler,
      services: [...admin.secret ? ['secretsmanager'] : [], ...options.frameworkInVpc ? ['lambda', 's3'] : []],
    }));
    this.serviceToken = provider.serviceToken;
  }

  private handler(props: ProvisionerProps): lambda.Function {
    const { database, grants, admin, vpc, vpcSubnets, securityGroups, options } = props;
    const logGroup = options.logGroup ?? newLogGroup(this, 'HandlerLogs');
    const role = new FunctionRole(this, 'HandlerRole', { ...options, logGroup, inVpc: true });
    if (admin.secret) {
      grantRead(admin.secret, role);
    } else {
      grants.connect(role.policy, admin.username);
    }
    const handler = new lambda.Function(this, 'Handler', {
      description: `Creates the IAM users of the database ${database.construct.node.path}`.slice(0, 256),
      runtime: lambda.Runtime.NODEJS_24_X,
      code: lambda.Code.fromAsset(path.join(__dirname, '../../assets/provisioner')),
      handler: 'index.handler',
      memorySize: 512, // 50 users with privileges on 1,000 tables each take 300 MB
      timeout: Duration.seconds(HANDLER_TIMEOUT_SECONDS),
      environment: {
        ...admin.secret ? { [ADMIN_SECRET_ARN]: admin.secret.secretArn } : { [ADMIN_USERNAME]: admin.username },
        // All Amazon CAs, which Node.js reads at its start: https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html
        NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem',
      },
      role: role.forFunction,
      logGroup,
      vpc,
      vpcSubnets,
      securityGroups: securityGroups?.map((group, index) => this.inThisStack(group, index)) ?? [this.securityGroup(props)],
      reservedConcurrentExecutions: options.reservedConcurrentExecutions,
      tracing: options.tracing,
      deadLetterQueue: options.deadLetterQueue,
    });
    if (!options.deadLetterQueue) {
      acknowledge(handler, HANDLER_WITHOUT_DEAD_LETTER_QUEUE);
    }
    // From the side of the function, so that the rules are in its stack and the stack of the database does not come to depend on it.
    handler.connections.allowTo(database.construct, ec2.Port.tcp(database.port), 'Creates IAM users in PostgreSQL');
    return handler;
  }

  private securityGroup({ vpc, admin }: ProvisionerProps): ec2.ISecurityGroup {
    const securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: 'Creates IAM users in PostgreSQL',
      allowAllOutbound: false,
    });
    if (admin.secret) {
      securityGroup.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443), 'Reads the secret of the admin from Secrets Manager');
    } else {
      // Without a rule of its own it would have EC2's, to everywhere: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-securitygroup.html
      securityGroup.addEgressRule(ec2.Peer.ipv4('127.0.0.1/32'), ec2.Port.allTraffic(), 'Nowhere but to the database');
    }
    return securityGroup;
  }

  /** A group of another stack gets its rules from here, because there they would make that stack depend on the one of the cluster. */
  private inThisStack(group: ec2.ISecurityGroup, index: number): ec2.ISecurityGroup {
    return Stack.of(group) === Stack.of(this)
      ? group
      : ec2.SecurityGroup.fromSecurityGroupId(this, `SecurityGroup${index}`, group.securityGroupId, { allowAllOutbound: group.allowAllOutbound });
  }
}
