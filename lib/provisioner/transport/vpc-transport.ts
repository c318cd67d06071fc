import { Stack, Token, Tokenization } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct, IConstruct } from 'constructs';
import type { NetworkOptions, Transport } from './transport';
import { DATABASE_CA_FILE, DATABASE_PORT } from '../../contract/wire';
import { type Database, vpcOf } from '../../database/database';
import { allowPublicSubnet, warnOfNoWayOut } from './subnets';
import { anyPeer } from './any-peer';
import { errorAt } from '../../model/errors';
import type { Admin } from '../admin';
import { GIVEN_CA_FILE } from '../handler-code';

/**
 * The certificate authorities of Amazon, those of RDS among them, in Lambda's runtime for Node.js:
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html
 */
const RUNTIME_CA_FILE = '/var/runtime/ca-cert.pem';

/** A connection to the database, from its VPC. */
export class VpcTransport implements Transport {
  public readonly network: NonNullable<Transport['network']>;

  private readonly given?: ec2.ISecurityGroup[];

  private readonly options: NonNullable<NetworkOptions['provisioner']>;

  constructor(
    scope: IConstruct,
    private readonly database: Database,
    private readonly admin: Admin,
    options: NetworkOptions,
  ) {
    const { vpc, vpcSubnets, securityGroups, provisioner } = options;
    const network = { vpc: vpc ?? vpcOf(scope, database), vpcSubnets };
    const needs = { readsSecret: admin.secret !== undefined, frameworkInVpc: provisioner?.frameworkInVpc === true };
    this.network = { ...network, ...allowPublicSubnet(scope, network, database, needs) };
    warnOfNoWayOut(scope, network, needs);
    if (vpcSubnets?.subnets?.length === 0) {
      throw errorAt(
        scope,
        'subnets of vpcSubnets must not be empty, because a function in a VPC has one; add at least one, or leave vpcSubnets out for the private ones',
      );
    }
    if (securityGroups?.length === 0) {
      throw errorAt(
        scope,
        'securityGroups must not be empty, because a function in a VPC has one; add at least one, or leave securityGroups out for one of its own',
      );
    }
    this.given = securityGroups;
    this.options = provisioner ?? {};
  }

  public get environment(): Transport['environment'] {
    return {
      [DATABASE_PORT]: Tokenization.stringifyNumber(this.database.port),
      [DATABASE_CA_FILE]: this.options.caCertificates === undefined ? RUNTIME_CA_FILE : GIVEN_CA_FILE,
    };
  }

  public get identity(): unknown {
    const { vpc, vpcSubnets } = this.network;
    return [
      vpc.node.path,
      vpc.selectSubnets(vpcSubnets).subnetIds,
      this.given?.map(({ securityGroupId }) => securityGroupId),
    ];
  }

  public allow(): void {
    // The interfaces in the VPC are allowed with the role.
  }

  public securityGroups(scope: Construct): ec2.ISecurityGroup[] {
    return this.given?.map((group, index) => inStackOf(scope, group, index)) ?? [this.securityGroup(scope)];
  }

  /**
   * From the side of the function, so that the rules are in its stack and the stack of the database does not come to
   * depend on it.
   */
  public allowInboundFrom(handler: lambda.Function): void {
    handler.connections.allowTo(
      this.database.construct,
      ec2.Port.tcp(this.database.port),
      'Creates IAM users in PostgreSQL',
    );
  }

  private securityGroup(scope: Construct): ec2.ISecurityGroup {
    const securityGroup = new ProvisionerSecurityGroup(scope, 'SecurityGroup', {
      vpc: this.network.vpc,
      description: 'Creates IAM users in PostgreSQL',
      allowAllOutbound: false,
    });
    if (this.admin.secret) {
      anyPeer(this.options.ipv6AllowedForDualStack).forEach(peer =>
        securityGroup.addEgressRule(peer, ec2.Port.tcp(443), 'Reads the secret of the admin from Secrets Manager'));
    } else if (Token.isUnresolved(this.database.port)) {
      // The rule to the database is a resource then. Without one among its properties the group would have EC2's, to
      // everywhere:
      // https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-securitygroup.html
      securityGroup.addEgressRule(ec2.Peer.ipv4('127.0.0.1/32'), ec2.Port.allTraffic(), 'Nowhere but to the database');
    }
    return securityGroup;
  }
}

/**
 * Has its egress rules as properties, the ones to security groups included, which CDK makes resources of their own. No
 * cycle can come of it: the security group of the database refers to this one in rules that are resources.
 */
class ProvisionerSecurityGroup extends ec2.SecurityGroup {
  public override addEgressRule(
    peer: ec2.IPeer,
    connection: ec2.Port,
    description?: string,
    remoteRule?: boolean,
  ): void {
    super.addEgressRule(inlinePeer(peer), connection, description, remoteRule);
  }
}

function inlinePeer(peer: ec2.IPeer): ec2.IPeer {
  return {
    canInlineRule: true,
    uniqueId: peer.uniqueId,
    connections: peer.connections,
    toIngressRuleConfig: () => peer.toIngressRuleConfig(),
    toEgressRuleConfig: () => peer.toEgressRuleConfig(),
  };
}

/**
 * A group of another stack gets its rules from here, because there they would make that stack depend on the one of the
 * cluster.
 */
function inStackOf(scope: Construct, group: ec2.ISecurityGroup, index: number): ec2.ISecurityGroup {
  return Stack.of(group) === Stack.of(scope)
    ? group
    : ec2.SecurityGroup.fromSecurityGroupId(scope, `SecurityGroup${index}`, group.securityGroupId, {
        allowAllOutbound: group.allowAllOutbound,
      });
}
