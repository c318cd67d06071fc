import { join } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Runtime } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import * as rds from 'aws-cdk-lib/aws-rds';
import { Construct } from 'constructs';
import { DatabaseUser, Endpoint } from '../lib';

export interface SignInFunctionProps {
  readonly vpc: ec2.IVpc;
  readonly vpcSubnets?: ec2.SubnetSelection;
  readonly database: rds.IDatabaseCluster | rds.IDatabaseInstance;
  /** @default - past any proxy */
  readonly through?: rds.DatabaseProxy;
  readonly user: DatabaseUser;
}

/** A function that may sign in as a user, and does when it is invoked. */
export class SignInFunction extends NodejsFunction {
  constructor(scope: Construct, id: string, { vpc, vpcSubnets, database, through, user }: SignInFunctionProps) {
    super(scope, id, {
      entry: join(__dirname, 'sign-in/index.ts'),
      runtime: Runtime.NODEJS_24_X,
      bundling: { externalModules: ['pg-native'] }, // the runtime's own SDK may be older than what is tested here
      timeout: Duration.minutes(1),
      environment: { ...user.connectionEnvironment({ endpoint: through && Endpoint.proxy(through) }), NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem' },
      vpc,
      vpcSubnets,
      allowAllOutbound: false, // it makes its token itself, and calls nothing but the database
    });
    this.connections.allowTo(through ?? database, ec2.Port.POSTGRES);
    user.grantConnect(this, { through });
  }
}
