import * as path from 'node:path';
import { Aws, Duration } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledge, ANSWERING_WITHOUT_DEAD_LETTER_QUEUE, HANDLER_WITH_DATA_API, HANDLER_WITHOUT_DEAD_LETTER_QUEUE } from './acknowledgements';
import { type Admin, adminToRecover } from './admin';
import { wayToDatabase } from './deployment-order';
import { FunctionRole } from './function-role';
import { newLogGroup } from './log-group';
import { providerFramework } from './provider-framework';
import { grantRead } from './secret-access';
import type { Reach } from './transport/reach';
import { ADMIN_SECRET_ARN, ADMIN_USERNAME, DATABASE_HOST, DATABASE_RESOURCE_ID, HANDLER_TIMEOUT_SECONDS, REGISTRY_OWNER, STACK_ID } from '../contract/wire';
import { grantConnect } from '../database/connect-permission';
import type { Database } from '../database/database';
import type { ProvisionerOptions } from '../provisioner-options';

export interface ProvisionerProps {
  readonly database: Database;
  readonly admin: Admin;
  readonly reach: Reach;
  readonly options: ProvisionerOptions;
  /** The group role that owns what the provisioner keeps in the database, if it is not the admin. */
  readonly registryOwner?: string;
}

/** Equal for provisioners that do the same thing the same way. */
export function fingerprint({ admin, reach }: ProvisionerProps): string {
  return JSON.stringify([admin.secret ? { secret: admin.secret.secretArn } : admin, reach.identity]);
}

/**
 * The Lambda function that creates users. In a VPC, CDK's provider framework is in front of it, which runs outside the VPC unless it is told otherwise,
 * so that CloudFormation gets its answer whatever the way to the database is like. Outside a VPC the function answers CloudFormation itself.
 */
export class Provisioner extends Construct {
  /** Of the custom resources. Their order needs no more: this function comes after, and goes before, everything a user is created with. */
  public readonly serviceToken: string;

  /**
   * Id of the custom resource below a user. CloudFormation refuses a resource whose ServiceToken changes, so that a user whose provisioner becomes one
   * of the other kind is another resource, which takes the role over. Neither id nor function of the one kind is one of the other.
   */
  public readonly customResourceId: 'Resource' | 'DataApiResource';

  constructor(scope: Construct, id: string, props: ProvisionerProps) {
    super(scope, id);
    const { database, reach, admin, options } = props;
    const logGroup = options.logGroup ?? newLogGroup(this);
    const handler = this.handler(props, logGroup);
    if (!reach.network) {
      handler.node.addDependency(wayToDatabase({ database: database.construct, handler, services: [] }));
      this.serviceToken = handler.functionArn;
      this.customResourceId = 'DataApiResource';
      return;
    }
    const provider = providerFramework(this, {
      handler,
      logGroup,
      network: options.frameworkInVpc ? reach.network : undefined,
      options,
    });
    this.customResourceId = 'Resource';
    provider.node.addDependency(wayToDatabase({
      database: database.construct,
      vpc: reach.network.vpc,
      handler,
      services: [...admin.secret ? ['secretsmanager'] : [], ...options.frameworkInVpc ? ['lambda', 's3'] : []],
    }));
    this.serviceToken = provider.serviceToken;
  }

  private handler(props: ProvisionerProps, logGroup: logs.ILogGroup): lambda.Function {
    const { database, admin, reach, options, registryOwner } = props;
    const id = reach.network ? 'Handler' : 'DataApiHandler';
    const role = new FunctionRole(this, `${id}Role`, { ...options, logGroup, inVpc: reach.network !== undefined });
    reach.allow(role);
    if (admin.secret) {
      grantRead(admin.secret, role);
      const toRecover = reach.network && adminToRecover(database, admin);
      if (toRecover !== undefined) {
        grantConnect(database.target, role.policy, toRecover, this);
      }
    } else {
      grantConnect(database.target, role.policy, admin.username, this);
    }
    const handler = new lambda.Function(this, id, {
      description: `Creates the IAM users of the database ${database.construct.node.path}`.slice(0, 256),
      runtime: lambda.Runtime.NODEJS_24_X,
      code: lambda.Code.fromAsset(path.join(__dirname, '../../assets/provisioner')),
      handler: reach.network ? 'index.handler' : 'index.customResource',
      memorySize: 512, // 50 users with privileges on 1,000 tables each take 300 MB
      timeout: Duration.seconds(HANDLER_TIMEOUT_SECONDS),
      environment: {
        [STACK_ID]: Aws.STACK_ID,
        [DATABASE_RESOURCE_ID]: database.target.resourceId,
        [DATABASE_HOST]: database.host,
        ...admin.secret ? { [ADMIN_SECRET_ARN]: admin.secret.secretArn } : { [ADMIN_USERNAME]: admin.username },
        ...registryOwner === undefined ? {} : { [REGISTRY_OWNER]: registryOwner },
        ...reach.environment,
      },
      role: role.forFunction,
      logGroup,
      ...reach.network,
      securityGroups: reach.securityGroups(this),
      reservedConcurrentExecutions: options.reservedConcurrentExecutions,
      tracing: options.tracing,
      deadLetterQueue: options.deadLetterQueue,
    });
    if (!options.deadLetterQueue) {
      acknowledge(handler, reach.network ? HANDLER_WITHOUT_DEAD_LETTER_QUEUE : ANSWERING_WITHOUT_DEAD_LETTER_QUEUE);
    }
    if (!reach.network) {
      acknowledge(handler, HANDLER_WITH_DATA_API);
    }
    reach.letIn(handler);
    return handler;
  }
}
