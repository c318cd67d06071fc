import * as path from 'node:path';
import { Duration, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { Admin } from './admin';
import { newFunctionRole, newLogGroup, newProvider } from './custom-resource-function';
import { Database } from './database';
import { wayToDatabase } from './deployment-order';
import { grantRead } from './secret-access';
import { ConnectGrants } from '../connect-grants';
import { ADMIN_SECRET_ARN, ADMIN_USERNAME, HANDLER_TIMEOUT_SECONDS } from '../contract/wire';

export interface ProvisionerProps {
  readonly database: Database;
  /** Who may sign in to it. */
  readonly grants: ConnectGrants;
  readonly admin: Admin;
  readonly vpc: ec2.IVpc;
  readonly vpcSubnets?: ec2.SubnetSelection;
  readonly securityGroups?: ec2.ISecurityGroup[];
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
 * runs outside the VPC, so that CloudFormation gets its answer whatever the way to the database is like.
 */
export class Provisioner extends Construct {
  /** Of the custom resources. Their order needs no more: the framework comes after, and goes before, everything a user is created with. */
  public readonly serviceToken: string;

  constructor(scope: Construct, id: string, props: ProvisionerProps) {
    super(scope, id);
    const handler = this.handler(props);
    const provider = newProvider(this, handler);
    provider.node.addDependency(wayToDatabase({ database: props.database.construct, vpc: props.vpc, handler, readsSecret: props.admin.secret !== undefined }));
    this.serviceToken = provider.serviceToken;
  }

  private handler(props: ProvisionerProps): lambda.Function {
    const logGroup = newLogGroup(this, 'HandlerLogs');
    const role = newFunctionRole(this, 'HandlerRole', logGroup);
    role.addToPolicy(new iam.PolicyStatement({
      // https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
      actions: [
        'ec2:AssignPrivateIpAddresses',
        'ec2:CreateNetworkInterface',
        'ec2:DeleteNetworkInterface',
        'ec2:DescribeNetworkInterfaces',
        'ec2:DescribeSubnets',
        'ec2:UnassignPrivateIpAddresses',
      ],
      resources: ['*'],
    }));
    if (props.admin.secret) {
      grantRead(props.admin.secret, role);
    } else {
      props.grants.connect(role, props.admin.username);
    }
    const handler = new lambda.Function(this, 'Handler', {
      description: `Creates the IAM users of the database ${props.database.construct.node.path}`.slice(0, 256),
      runtime: lambda.Runtime.NODEJS_24_X,
      code: lambda.Code.fromAsset(path.join(__dirname, '../../assets/provisioner')),
      handler: 'index.handler',
      memorySize: 512, // 50 users with privileges on 1,000 tables each take 300 MB
      timeout: Duration.seconds(HANDLER_TIMEOUT_SECONDS),
      environment: {
        ...props.admin.secret ? { [ADMIN_SECRET_ARN]: props.admin.secret.secretArn } : { [ADMIN_USERNAME]: props.admin.username },
        // All Amazon CAs, which Node.js reads at its start: https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html
        NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem',
      },
      role,
      logGroup,
      vpc: props.vpc,
      vpcSubnets: props.vpcSubnets,
      securityGroups: props.securityGroups?.map((group, index) => this.inThisStack(group, index)) ?? [this.securityGroup(props)],
    });
    // From the side of the function, so that the rules are in its stack and the stack of the database does not come to depend on it.
    handler.connections.allowTo(props.database.construct, ec2.Port.tcp(props.database.port), 'Creates IAM users in PostgreSQL');
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
