import * as path from 'node:path';
import { ArnFormat, CustomResource, Duration, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import { Construct, type IConstruct } from 'constructs';
import { acknowledge, HANDLER_OUTSIDE_VPC, HANDLER_WITHOUT_DEAD_LETTER_QUEUE } from './acknowledgements';
import { FunctionRole } from './function-role';
import { newLogGroup } from './log-group';
import { providerFramework } from './provider-framework';
import { runtimeOf } from './runtime';
import type { TransportChoice } from './transport/transport';
import {
  type DatabaseKind,
  IAM_AUTHENTICATION_RESOURCE_TYPE,
  IAM_AUTHENTICATION_SERVICE_TIMEOUT_SECONDS,
  IAM_AUTHENTICATION_TIMEOUT_SECONDS,
  type IamAuthenticationAttribute,
  type IamAuthenticationProperties,
} from '../contract/wire';
import { storedIdentifier } from '../database/database-identifier';
import type { DatabaseToEnable, ImportOptions, EnabledDatabase } from '../database/imported-database';
import { errorAt } from '../model/errors';
import { requireFlag, requireOwn } from '../model/types';
import { requireSameEnvironment } from '../database/same-environment';
import type { ProvisionerOptions } from '../provisioner-options';

export interface IamAuthenticationResourceProps extends DatabaseToEnable {
  readonly reapply?: string;
  /** The function is one more of those that create users. */
  readonly options?: ProvisionerOptions;
}

/**
 * Statements need no more: parameter and option groups are resources of a modification that changes them.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrds.html
 */
const ACTIONS: { readonly [kind in DatabaseKind]: string[] } = {
  cluster: ['rds:DescribeDBClusters', 'rds:ModifyDBCluster'],
  instance: ['rds:DescribeDBInstances', 'rds:ModifyDBInstance'],
};

/** https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Tagging.ARN.html */
const ARN_TYPES: { readonly [kind in DatabaseKind]: string } = { cluster: 'cluster', instance: 'db' };

/** What an app says of how users are created, as far as an imported database is concerned. */
export interface ImportProps {
  readonly enableIamAuthentication?: boolean;
  readonly provisioner?: ProvisionerOptions;
  readonly reapply?: string;
  readonly transport?: { readonly _choice: TransportChoice };
  readonly alsoResourceIds?: string[];
}

export function importOptions(scope: Construct, props: ImportProps): ImportOptions {
  const { enableIamAuthentication, provisioner: options, reapply, transport, alsoResourceIds } = props;
  requireFlag(scope, 'enableIamAuthentication', enableIamAuthentication);
  requireOwn(
    scope,
    'transport',
    transport,
    '_choice',
    'SqlTransport.dataApi() or SqlTransport.internetAccessGateway()',
  );
  if (enableIamAuthentication === true && transport?._choice.kind === 'internetAccessGateway') {
    throw errorAt(
      scope,
      'enableIamAuthentication cannot be combined with SqlTransport.internetAccessGateway(), because IAM is the only way to sign in with express configuration; leave it out',
    );
  }
  return {
    overConnection: transport === undefined,
    alsoResourceIds,
    enable: enableIamAuthentication === true
      ? database => new IamAuthenticationResource(scope, 'IamAuthentication', { ...database, reapply, options })
      : undefined,
  };
}

interface HandlerProps {
  readonly database: IConstruct;
  readonly logGroup: logs.ILogGroup;
  readonly options: ProvisionerOptions;
}

/**
 * IAM authentication of a database that this app does not make: a function of its own that enables it and waits until
 * it is enabled, and never disables it.
 *
 * It waits in the function itself, which has 14 minutes, because a state machine around it (`isCompleteHandler`) would
 * be eleven resources more. AWS does not say how long this modification takes
 * (docs/unknowns.md#iam-authentication-time).
 */
export class IamAuthenticationResource extends Construct implements EnabledDatabase {
  private readonly resource: CustomResource;

  constructor(
    scope: Construct,
    id: string,
    { kind, database, identifier, expected, reapply, options = {} }: IamAuthenticationResourceProps,
  ) {
    super(scope, id);
    requireSameEnvironment(scope, Stack.of(database), database.env, {
      why: 'IAM authentication is enabled', remedy: `create the ${scope.constructor.name}`, who: scope.constructor.name,
    });
    const properties: IamAuthenticationProperties = {
      Kind: kind,
      Identifier: storedIdentifier(database, kind, identifier),
      ...Object.values(expected).some(value => value !== undefined) ? { Expected: expected } : {},
      ...reapply === undefined ? {} : { Reapply: reapply },
    };
    const logGroup = options.logGroup ?? newLogGroup(this);
    const handler = this.handler(kind, properties.Identifier, { database, logGroup, options });
    this.resource = new CustomResource(this, 'Resource', {
      resourceType: IAM_AUTHENTICATION_RESOURCE_TYPE,
      serviceToken: providerFramework(this, { handler, logGroup, options }).serviceToken,
      serviceTimeout: Duration.seconds(IAM_AUTHENTICATION_SERVICE_TIMEOUT_SECONDS),
      properties: { ...properties },
    });
  }

  public attribute(name: IamAuthenticationAttribute): string {
    return this.resource.getAttString(name);
  }

  private handler(
    kind: DatabaseKind,
    identifier: string,
    { database: { node }, logGroup, options }: HandlerProps,
  ): lambda.Function {
    const role = new FunctionRole(this, 'HandlerRole', { ...options, logGroup, inVpc: false });
    role.allow(
      ACTIONS[kind],
      Stack.of(this).formatArn({
        service: 'rds',
        resource: ARN_TYPES[kind],
        resourceName: identifier,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      }),
    );
    const handler = new lambda.Function(this, 'Handler', {
      description: `Enables IAM authentication of the database ${node.path}`.slice(0, 256),
      runtime: runtimeOf(this, options.runtime),
      code: lambda.Code.fromAsset(path.join(__dirname, '../../assets/iam-authentication')),
      handler: 'index.handler',
      memorySize: 256,
      timeout: Duration.seconds(IAM_AUTHENTICATION_TIMEOUT_SECONDS),
      role: role.forFunction,
      logGroup,
      reservedConcurrentExecutions: options.reservedConcurrentExecutions,
      tracing: options.tracing,
      deadLetterQueue: options.deadLetterQueue,
    });
    acknowledge(handler, HANDLER_OUTSIDE_VPC);
    if (!options.deadLetterQueue) {
      acknowledge(handler, HANDLER_WITHOUT_DEAD_LETTER_QUEUE);
    }
    return handler;
  }
}
