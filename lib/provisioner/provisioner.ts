import { Aws, Duration, Stack, Token } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import {
  acknowledge, ANSWERING_WITHOUT_DEAD_LETTER_QUEUE, HANDLER_WITHOUT_DEAD_LETTER_QUEUE,
} from './acknowledgements';
import { type Admin, adminToRecover } from './admin';
import { deploymentPrerequisites } from './deployment-order';
import { ExpirySchedules } from './expiry-schedules';
import { FunctionRole } from './function-role';
import { handlerCode } from './handler-code';
import { Lanes } from './lanes';
import { handlerAlias, scheduleDrift } from './look-aliases';
import { newLogGroup } from './log-group';
import { providerFramework } from './provider-framework';
import { runtimeOf } from './runtime';
import { grantRead } from './secret-access';
import type { Transport } from './transport/transport';
import {
  ADMIN_SECRET_ARN, ADMIN_USERNAME, DATABASE_HOST, DATABASE_RESOURCE_ID, HANDLER_TIMEOUT_SECONDS, REGISTRY_OWNER,
  STACK_ID,
} from '../contract/wire';
import { grantConnect } from '../database/connect-permission';
import type { Database } from '../database/database';
import { grantTo, requireGrantee } from '../database/grantee';
import { errorAt } from '../model/errors';
import { requireOptions } from '../model/types';
import type { IProvisioner } from '../provisioner-interface';
import type { CheckDriftOptions, ProvisionerOptions } from '../provisioner-options';

/** Of the metrics that are made of the log. */
const METRIC_NAMESPACE = 'cdk-aurora-iam-auth';

/** Permanent, as the ids of resources below it are made of it. */
const EXPIRY_ID = 'Expiry';

/** Each takes two executions, and an account that is new has 10. */
const CONCURRENT_USERS = 4;

export interface ProvisionerProps {
  readonly database: Database;
  readonly admin: Admin;
  readonly transport: Transport;
  readonly options: ProvisionerOptions;
  /** The group role that owns what the provisioner keeps in the database, if it is not the admin. */
  readonly registryOwner?: string;
}

/** Equal for provisioners that do the same thing the same way. */
export function fingerprint({ admin, transport }: ProvisionerProps): string {
  return JSON.stringify([admin.secret ? { secret: admin.secret.secretArn } : admin, transport.identity]);
}

/**
 * The Lambda function that creates users. In a VPC, CDK's provider framework is in front of it, which runs outside the
 * VPC unless it is told otherwise, so that CloudFormation gets its answer whatever the way to the database is like.
 * Outside a VPC the function answers CloudFormation itself.
 */
export class Provisioner extends Construct implements IProvisioner {
  /**
   * Of the custom resources. Their order needs no more: this function comes after, and goes before, everything a user
   * is created with.
   */
  public readonly serviceToken: string;

  /**
   * Id of the custom resource below a user. CloudFormation refuses a resource whose ServiceToken changes, so that a
   * user whose provisioner becomes one of the other kind is another resource, which takes the role over. Neither id nor
   * function of the one kind is one of the other.
   */
  public readonly customResourceId: 'Resource' | 'DataApiResource' | 'GatewayResource';

  /** As an app asks for it; undefined in a VPC. */
  private readonly outsideVpc?: string;

  public readonly function: lambda.Function;
  public readonly logGroup: logs.ILogGroup;

  /** Of the custom resources. */
  public readonly lanes: Lanes;

  constructor(scope: Construct, id: string, props: ProvisionerProps) {
    super(scope, id);
    const { database, transport, admin, options } = props;
    this.lanes = new Lanes(Stack.of(this), concurrentUsersOf(options));
    const logGroup = options.logGroup ?? newLogGroup(this);
    const handler = this.handler(props, logGroup);
    this.logGroup = logGroup;
    this.function = handler;
    this.outsideVpc = transport.outsideVpc?.name;
    if (!transport.network) {
      handler.node.addDependency(deploymentPrerequisites({ database: database.construct, handler, services: [] }));
      this.serviceToken = handler.functionArn;
      this.customResourceId = transport.outsideVpc!.resourceId;
      return;
    }
    const provider = providerFramework(this, {
      handler,
      logGroup,
      network: options.frameworkInVpc ? transport.network : undefined,
      options,
    });
    this.customResourceId = 'Resource';
    provider.node.addDependency(deploymentPrerequisites({
      database: database.construct,
      vpc: transport.network.vpc,
      handler,
      services: [...admin.secret ? ['secretsmanager'] : [], ...options.frameworkInVpc ? ['lambda', 's3'] : []],
    }));
    this.serviceToken = provider.serviceToken;
  }

  public get connections(): ec2.Connections {
    if (this.outsideVpc !== undefined) {
      throw errorAt(this, `connections is not available: transport is ${this.outsideVpc}, so that the function `
        + 'runs in no VPC and has no security groups; '
        + 'leave out the network rule, or transport');
    }
    return this.function.connections;
  }

  public metricErrors(options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    requireOptions(this, 'options', options);
    return this.function.metricErrors(options);
  }

  public metricDuration(options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
    requireOptions(this, 'options', options);
    return this.function.metricDuration(options);
  }

  public metricFailures(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metricOfLog('Failures', { notice: 'failed', statistic: 'Sum' }, options);
  }

  public metricDriftedRoles(options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.metricOfLog(
      'DriftedRoles',
      { notice: 'drift checked', value: '$.driftedRoles', statistic: 'Maximum' },
      options,
    );
  }

  public grantPlan(grantee: iam.IGrantable): iam.Grant {
    return this.grantAlias('plan', grantee);
  }

  public grantDrift(grantee: iam.IGrantable): iam.Grant {
    return this.grantAlias('drift', grantee);
  }

  public checkDrift(options: CheckDriftOptions): cloudwatch.Alarm {
    requireOptions(this, 'options', options);
    return scheduleDrift(this, handlerAlias(this, this.function, 'drift'), this.metricDriftedRoles(), options);
  }

  /** What ends the access of users, made with the first of them. */
  public get expirySchedules(): ExpirySchedules {
    return (
      (this.node.tryFindChild(EXPIRY_ID) as ExpirySchedules | undefined)
      ?? new ExpirySchedules(this, EXPIRY_ID, handlerAlias(this, this.function, 'expiry'))
    );
  }

  private grantAlias(purpose: 'plan' | 'drift', grantee: iam.IGrantable): iam.Grant {
    requireGrantee(this, grantee);
    return grantTo(this, grantee, 'grant to a managed policy that the permission set names', () =>
      handlerAlias(this, this.function, purpose).grantInvoke(grantee));
  }

  /** A metric that is made of the lines of the log with one notice. */
  private metricOfLog(
    name: string,
    { notice, value, statistic }: { readonly notice: string; readonly value?: string; readonly statistic: string },
    options: cloudwatch.MetricOptions = {},
  ): cloudwatch.Metric {
    requireOptions(this, 'options', options);
    if (!this.node.tryFindChild(name)) {
      new logs.MetricFilter(this, name, {
        metricNamespace: METRIC_NAMESPACE,
        metricName: name,
        metricValue: value,
        logGroup: this.logGroup,
        filterPattern: logs.FilterPattern.stringValue('$.notice', '=', notice),
        dimensions: { FunctionName: '$.function' },
      });
    }
    return new cloudwatch.Metric({
      namespace: METRIC_NAMESPACE,
      metricName: name,
      dimensionsMap: { FunctionName: this.function.functionName },
      statistic,
      ...options,
    });
  }

  private handler(props: ProvisionerProps, logGroup: logs.ILogGroup): lambda.Function {
    const { database, admin, transport, options, registryOwner } = props;
    const id = transport.outsideVpc?.handlerId ?? 'Handler';
    const role = new FunctionRole(this, `${id}Role`, { ...options, logGroup, inVpc: transport.network !== undefined });
    transport.allow(role);
    if (admin.secret) {
      grantRead(admin.secret, role);
      const toRecover = transport.network && adminToRecover(database, admin);
      if (toRecover !== undefined) {
        grantConnect(database.target, role.policy, toRecover, { onBehalfOf: this });
      }
    } else {
      grantConnect(database.target, role.policy, admin.username, { onBehalfOf: this });
    }
    const handler = new lambda.Function(this, id, {
      description: `Creates the IAM users of the database ${database.construct.node.path}`.slice(0, 256),
      runtime: runtimeOf(this, options.runtime),
      code: handlerCode({ caCertificates: options.caCertificates, trustsAmazon: transport.outsideVpc?.trustsAmazon }),
      handler: transport.network ? 'index.handler' : 'index.customResource',
      memorySize: 512, // 50 users with privileges on 1,000 tables each take 300 MB
      timeout: Duration.seconds(HANDLER_TIMEOUT_SECONDS),
      environment: {
        [STACK_ID]: Aws.STACK_ID,
        [DATABASE_RESOURCE_ID]: database.target.resourceId,
        [DATABASE_HOST]: database.host,
        ...admin.secret ? { [ADMIN_SECRET_ARN]: admin.secret.secretArn } : { [ADMIN_USERNAME]: admin.username },
        ...registryOwner === undefined ? {} : { [REGISTRY_OWNER]: registryOwner },
        ...transport.environment,
      },
      role: role.forFunction,
      logGroup,
      ...transport.network,
      ipv6AllowedForDualStack: transport.network && options.ipv6AllowedForDualStack,
      securityGroups: transport.securityGroups(this),
      reservedConcurrentExecutions: options.reservedConcurrentExecutions,
      tracing: options.tracing,
      deadLetterQueue: options.deadLetterQueue,
    });
    if (!options.deadLetterQueue) {
      acknowledge(handler, transport.network ? HANDLER_WITHOUT_DEAD_LETTER_QUEUE : ANSWERING_WITHOUT_DEAD_LETTER_QUEUE);
    }
    if (transport.outsideVpc) {
      acknowledge(handler, transport.outsideVpc.acknowledgement);
    }
    transport.allowInboundFrom(handler);
    return handler;
  }
}

/** No more than there can be executions: a user without one waits in a queue of Lambda while its time runs. */
function concurrentUsersOf({ concurrentUsers, reservedConcurrentExecutions: executions }: ProvisionerOptions): number {
  const isKnown = executions !== undefined && !Token.isUnresolved(executions);
  return concurrentUsers ?? (isKnown ? Math.min(CONCURRENT_USERS, executions) : CONCURRENT_USERS);
}
