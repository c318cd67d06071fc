import { customResource } from './custom-resource';
import { databaseCluster } from './database-cluster';
import { databaseInstance } from './database-instance';
import { DatabaseProxies } from './database-proxies';
import { databaseProxy } from './database-proxy';
import { databaseProxyTargetGroup } from './database-proxy-target-group';
import { DatabaseServers } from './database-servers';
import { ExistingResources } from './existing-resources';
import { foreignCustomResource } from './foreign-custom-resource';
import { FunctionInvocations } from './function-invocations';
import { isCustomResource, nativeResource } from './native-resource';
import { ResponseEndpoints } from './response-endpoint';
import { Scheduler } from './scheduler';
import { secret, secretTargetAttachment } from './secret';
import { SecretsManager } from './secrets-manager';
import { Stacks } from './stacks';
import { StandIns } from './stand-ins';
import { ResourceProvider, ResourceRequest } from './template';
import { CertificateAuthority } from '../gateway/certificate-authority';
import { IssuedCredentials } from '../iam/credentials';
import { DeploymentPlan } from '../plan/deployment-plan';
import { isOfLibrary } from '../plan/library-types';
import { IAM_AUTHENTICATION_RESOURCE_TYPE } from '../../lib/contract/wire';

export interface ResourceProvidersOptions {
  readonly plan?: DeploymentPlan;
  readonly stacks: Stacks;
  readonly resources: ExistingResources;
  readonly databases: DatabaseServers;
  readonly proxies: DatabaseProxies;
  readonly standIns: StandIns;
  readonly secretsManager: SecretsManager;
  readonly scheduler: Scheduler;
  readonly functions: FunctionInvocations;
  readonly responses: ResponseEndpoints;
  readonly credentials: IssuedCredentials;
  /** Signs the certificates of proxies. */
  readonly webAuthority: CertificateAuthority;
  readonly allows: (roleArn: string | undefined, action: string, resource: string, at?: Date) => boolean;
}

/** A custom resource of the app that has done nothing, with the reason. */
export interface InertResource {
  readonly stackId: string;
  readonly logicalId: string;
  readonly reason: string;
}

/** What makes the resources of a template, by their types. */
export class ResourceProviders {
  readonly inert: InertResource[] = [];
  /** Whether a custom resource of the app itself has run, and may have changed a database. */
  othersRan = false;
  private readonly byType: Record<string, ResourceProvider>;
  private readonly custom: ResourceProvider;
  private readonly foreign: ResourceProvider;

  constructor(private readonly options: ResourceProvidersOptions) {
    const {
      allows,
      credentials,
      databases,
      functions,
      proxies,
      resources,
      responses,
      scheduler,
      secretsManager,
      webAuthority,
    } = options;
    this.custom = customResource({
      invoke: (serviceToken, event) => functions.invoke(serviceToken, event),
      begun: (serviceToken, requestId) => functions.begun(serviceToken, requestId),
      expectAnswer: ({ stack }) => responses.expect(stack),
    });
    this.foreign = this.foreignResource();
    this.byType = {
      'AWS::Scheduler::Schedule': scheduler.provider,
      'AWS::RDS::DBCluster': databaseCluster(databases),
      'AWS::RDS::DBInstance': databaseInstance(databases),
      'AWS::RDS::DBProxy': databaseProxy({
        proxies,
        certificateAuthority: webAuthority,
        credentials,
        secretsManager,
        allows,
        findRole: roleArn => resources.role(roleArn),
        vpcOf: subnetId =>
          resources.all().find(({ physicalId }) => physicalId === subnetId)?.attributes.VpcId as string | undefined,
      }),
      'AWS::RDS::DBProxyTargetGroup': databaseProxyTargetGroup(proxies, databases),
      'AWS::SecretsManager::Secret': secret(secretsManager),
      'AWS::SecretsManager::SecretTargetAttachment': secretTargetAttachment(secretsManager, (type, id) =>
        resources.find(type, id),
      ),
    };
  }

  of(stackId: string, type: string, logicalId: string): ResourceProvider {
    const { plan, stacks } = this.options;
    if (type === 'AWS::CloudFormation::Stack') {
      return stacks.nestedStack(logicalId);
    }
    const isNeeded = plan?.isNeeded(stackId, logicalId) ?? true;
    if (!isNeeded) {
      return nativeResource;
    }
    if (isCustomResource(type)) {
      return plan === undefined || isOfLibrary(type) ? this.libraryResource(stackId, type) : this.foreign;
    }
    return plan && type === 'AWS::Lambda::Function'
      ? this.functionResource(stackId)
      : (this.byType[type] ?? nativeResource);
  }

  private foreignResource(): ResourceProvider {
    return foreignCustomResource(
      {
        ...this.custom,
        create: (request) => {
          this.othersRan = true;
          return this.custom.create(request);
        },
        update: (request, current) => {
          this.othersRan = true;
          return this.custom.update(request, current);
        },
      },
      ({ stack, logicalId }, reason) =>
        this.inert.push({ stackId: this.options.stacks.idOf(stack), logicalId, reason }),
    );
  }

  /** A function, before which there is what its environment leads to. */
  private functionResource(stackId: string): ResourceProvider {
    const { standIns } = this.options;
    const prepare = ({ stack, logicalId, properties }: ResourceRequest) =>
      standIns.forFunction(stack, stackId, logicalId, properties);
    return {
      ...nativeResource,
      create: async (request) => {
        await prepare(request);
        return nativeResource.create(request);
      },
      update: async (request, current) => {
        await prepare(request);
        return nativeResource.update(request, current);
      },
    };
  }

  private libraryResource(stackId: string, type: string): ResourceProvider {
    const { plan, standIns } = this.options;
    if (plan === undefined || type !== IAM_AUTHENTICATION_RESOURCE_TYPE) {
      return this.custom;
    }
    return {
      ...this.custom,
      create: async (request) => {
        await standIns.forIamAuthentication(request.stack, stackId, request.logicalId, request.properties);
        return this.custom.create(request);
      },
    };
  }
}
