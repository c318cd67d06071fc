import { readOnlyApis, signInErrors } from './aws-apis/read-only-apis';
import { AwsService } from './cloudformation/aws-endpoint';
import { CloudFormationService } from './cloudformation/cloudformation-service';
import { isTrue } from './cloudformation/database-properties';
import { DatabaseServers } from './cloudformation/database-servers';
import { ExistingResources } from './cloudformation/existing-resources';
import { Invocation } from './cloudformation/lambda-function';
import { lambdaService } from './cloudformation/lambda-service';
import { Authorize, SecretsManager } from './cloudformation/secrets-manager';
import { Stacks } from './cloudformation/stacks';
import { ResourceState } from './cloudformation/template';
import { DataApi, DataApiCluster } from './data-api/data-api';
import { IssuedCredentials } from './iam/credentials';
import { PolicyDocument } from './iam/policy-document';
import { proxyApi } from './rds-api/proxy-api';
import { RdsApi, RdsDatabase } from './rds-api/rds-api';

/** What the services are asked about. */
export interface ServedAccount {
  readonly resources: ExistingResources;
  readonly stacks: Stacks;
  readonly databases: DatabaseServers;
  /** Sums of metrics of RDS, by `<metric> <instance>`. */
  readonly metrics: ReadonlyMap<string, number>;
  allows(roleArn: string | undefined, action: string, resource: string): boolean;
  invoke(functionArn: string, event: unknown): Promise<Invocation>;
}

export interface AwsServicesOptions {
  readonly credentials: IssuedCredentials;
  /** A managed policy that was given. */
  readonly policy: (arn: string) => PolicyDocument | undefined;
  /** Called when a service is asked: the account is made after its services. */
  readonly account: () => ServedAccount;
}

/** The services of AWS that functions and commands call. */
export class AwsServices {
  readonly secretsManager: SecretsManager;
  readonly dataApi: DataApi;
  readonly rdsApi: RdsApi;
  readonly all: AwsService[];

  constructor(private readonly options: AwsServicesOptions) {
    const { credentials, policy } = options;
    const principal = (accessKeyId: string) => credentials.find(accessKeyId)?.principal;
    const authorize: Authorize = (accessKeyId, action, resource) =>
      this.account.allows(principal(accessKeyId), action, resource);
    this.secretsManager = new SecretsManager(authorize);
    this.dataApi = new DataApi({
      authorize,
      secret: id => this.secretsManager.find(id),
      cluster: arn => this.dataApiCluster(arn),
    });
    this.rdsApi = new RdsApi({
      authorize,
      principal,
      database: arn =>
        this.rdsDatabase(({ attributes }) => [attributes.DBClusterArn, attributes.DBInstanceArn].includes(arn)),
      databaseWithId: id =>
        this.rdsDatabase(({ attributes }) => [attributes.DBClusterResourceId, attributes.DbiResourceId].includes(id)),
      members: cluster => this.account.resources.membersOf(cluster),
    });
    const apis = readOnlyApis({
      authorize,
      credentials,
      existing: () => this.account.resources.all(),
      stacks: () => this.account.stacks.all,
      policy,
      sum: (metric, instance) => this.account.metrics.get(`${metric} ${instance}`) ?? 0,
      log: group => this.rdsLog(group),
    });
    const functions = lambdaService({
      find: (name, qualifier) => this.account.resources.functionNamed(name, qualifier),
      invoke: (arn, event) => this.account.invoke(arn, event),
    }, authorize);
    const proxies = proxyApi({
      authorize,
      proxy: name => this.account.resources.proxy(name),
      targetGroup: name => this.account.resources.proxyTargetGroup(name),
    });
    const cloudFormation = new CloudFormationService({
      authorize,
      principal,
      stacks: () => this.account.stacks.all,
      original: stack => this.account.stacks.originalTemplate(stack),
    });
    const { secretsManager, dataApi, rdsApi } = this;
    this.all = [
      ...apis,
      secretsManager.service,
      functions,
      dataApi.service,
      rdsApi.service,
      proxies,
      cloudFormation.service,
    ];
  }

  private get account(): ServedAccount {
    return this.options.account();
  }

  private dataApiCluster(arn: string): DataApiCluster | undefined {
    const { resources, databases } = this.account;
    const cluster = resources
      .all()
      .find(({ type, attributes }) => type === 'AWS::RDS::DBCluster' && attributes.DBClusterArn === arn);
    const writer = resources.all().find(({ type, properties }) =>
      type === 'AWS::RDS::DBInstance' && properties.DBClusterIdentifier === cluster?.physicalId);
    return cluster && {
      server: databases.server(arn),
      httpEndpoint: isTrue(cluster.properties.EnableHttpEndpoint) && cluster.properties.Engine === 'aurora-postgresql',
      writerClass: writer?.properties.DBInstanceClass as string | undefined,
    };
  }

  /** `/aws/rds/<cluster or instance>/<identifier>/iam-db-auth-error` of a database that exports it. */
  private rdsLog(group: string): { at: Date; text: string }[] | undefined {
    const [, kind, identifier] = /^\/aws\/rds\/(cluster|instance)\/([^/]+)\/iam-db-auth-error$/.exec(group) ?? [];
    const found = this.rdsDatabase(({ type, physicalId }) =>
      type === `AWS::RDS::DB${kind === 'cluster' ? 'Cluster' : 'Instance'}` && physicalId.toLowerCase() === identifier);
    const exported = found?.resource.properties.EnableCloudwatchLogsExports as string[] | undefined;
    return found?.server && exported?.includes('iam-db-auth-error') ? signInErrors(found.server.refusals) : undefined;
  }

  private rdsDatabase(isMeant: (state: ResourceState) => boolean): RdsDatabase | undefined {
    const { resources, databases } = this.account;
    const resource = resources.all().find(state => state.type.startsWith('AWS::RDS::') && isMeant(state));
    return resource && { resource, server: databases.serverOf(resource) };
  }
}
