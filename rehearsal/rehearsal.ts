import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AuroraLikeServer } from './aurora-like-server';
import { readOnlyApis, signInErrors } from './aws-apis/read-only-apis';
import { AwsEndpoint } from './cloudformation/aws-endpoint';
import { AssemblyStack, CloudAssembly } from './cloudformation/cloud-assembly';
import { CloudFormationService } from './cloudformation/cloudformation-service';
import { customResource } from './cloudformation/custom-resource';
import { databaseCluster } from './cloudformation/database-cluster';
import { databaseInstance } from './cloudformation/database-instance';
import { DatabaseProxies } from './cloudformation/database-proxies';
import { databaseProxy } from './cloudformation/database-proxy';
import { databaseProxyTargetGroup } from './cloudformation/database-proxy-target-group';
import { databaseArnOf, isTrue } from './cloudformation/database-properties';
import { DatabaseServers } from './cloudformation/database-servers';
import { foreignCustomResource } from './cloudformation/foreign-custom-resource';
import { StackOutputRequest } from './cloudformation/intrinsics';
import { ExecutionEnvironments, Invocation, lambdaFunction } from './cloudformation/lambda-function';
import { Functions, lambdaService, qualified } from './cloudformation/lambda-service';
import { generatedName, inventedAttribute, isCustom, isCustomResource, nativeResource } from './cloudformation/native-resource';
import { nestedStack } from './cloudformation/nested-stack';
import { endpointsFor, reachOf } from './cloudformation/network';
import { parameterValues, withParameterValues } from './cloudformation/parameters';
import { ResponseEndpoint } from './cloudformation/response-endpoint';
import { roleAllows } from './cloudformation/role-policies';
import { PastSchedules, ScheduledCall, Scheduler } from './cloudformation/scheduler';
import { secret, secretTargetAttachment } from './cloudformation/secret';
import { Authorize, SecretsManager } from './cloudformation/secrets-manager';
import { makeExpected, StandIns } from './cloudformation/stand-ins';
import { Stack, StackEvent, StackResult } from './cloudformation/stack';
import { Properties, ResourceProvider, ResourceRequest, ResourceState, StackIdentity, Template, whyNotRehearsed } from './cloudformation/template';
import { DataApi, DataApiCluster } from './data-api/data-api';
import { CertificateAuthority } from './gateway/certificate-authority';
import { Credentials, IssuedCredentials } from './iam/credentials';
import { valuesOf } from './plan/app-graph';
import { isOfLibrary } from './plan/library-types';
import { DeploymentPlan } from './plan/deployment-plan';
import { RoleRules } from './postgresql/bootstrap';
import { proxyApi } from './rds-api/proxy-api';
import { RdsApi, RdsDatabase } from './rds-api/rds-api';
import { RdsProxy } from './rds-proxy';
import { RunFolder } from './run-folder';
import { IAM_AUTHENTICATION_RESOURCE_TYPE } from '../lib/contract/wire';

export interface RehearsalOptions {
  /** Account of stacks that leave it open. @default '111122223333' */
  readonly account?: string;
  /** Region of stacks that leave it open. @default 'eu-central-1' */
  readonly region?: string;
  /** What the masters of new databases may do with roles. @default 'plain' */
  readonly roleRules?: RoleRules;
  /** What EventBridge Scheduler says of a schedule whose time has passed. @default 'refused' */
  readonly pastSchedules?: PastSchedules;
  /** Called after each step of a deployment, and awaited. */
  readonly onEvent?: (event: StackEvent) => void | Promise<void>;
  /**
   * What of the app is deployed, and what stands for what is not in it.
   *
   * @default - all is deployed, and what is not known is an error
   */
  readonly plan?: DeploymentPlan;
}

/** Clients that the functions of CDK load. */
const SDK_PACKAGES = ['client-lambda', 'client-rds-data', 'client-sfn'];

export interface FunctionLog {
  readonly functionName: string;
  readonly text: string;
}

/** A stand-in for an AWS account: executes the templates of a CDK app, with real databases and the real bundled handlers. */
export class Rehearsal {
  static async start(options: RehearsalOptions = {}): Promise<Rehearsal> {
    const authorities = await Promise.all([CertificateAuthority.create(), CertificateAuthority.create('Rehearsal of Amazon Trust Services')]);
    const authorize: Authorize = (accessKeyId, action, resource) => rehearsal.allows(rehearsal.credentials.find(accessKeyId)?.principal, action, resource);
    const secretsManager = new SecretsManager(authorize);
    const functions: Functions = { find: (name, qualifier) => rehearsal.functionNamed(name, qualifier), invoke: (arn, event) => rehearsal.invoke(arn, event) };
    const dataApi = new DataApi({ authorize, secret: id => secretsManager.find(id), cluster: arn => rehearsal.dataApiCluster(arn) });
    const credentials = new IssuedCredentials();
    const principal = (accessKeyId: string) => credentials.find(accessKeyId)?.principal;
    const rdsApi = new RdsApi({
      authorize,
      principal,
      database: arn => rehearsal.rdsDatabase(({ attributes }) => [attributes.DBClusterArn, attributes.DBInstanceArn].includes(arn)),
      databaseWithId: id => rehearsal.rdsDatabase(({ attributes }) => [attributes.DBClusterResourceId, attributes.DbiResourceId].includes(id)),
      members: cluster => rehearsal.membersOf(cluster),
    });
    const apis = readOnlyApis({
      authorize,
      credentials,
      existing: () => rehearsal.existing(),
      stacks: () => [...rehearsal.stacks.values()],
      policy: arn => options.plan?.policy(arn),
      sum: (metric, instance) => rehearsal.metrics.get(`${metric} ${instance}`) ?? 0,
      log: group => rehearsal.rdsLog(group),
    });
    const rdsProxyApi = proxyApi({
      authorize,
      proxy: name => rehearsal.existing().find(({ type, physicalId }) => type === 'AWS::RDS::DBProxy' && physicalId === name),
      targetGroup: name => rehearsal.existing().find(({ type, properties }) => type === 'AWS::RDS::DBProxyTargetGroup' && properties.DBProxyName === name),
    });
    const cloudFormation = new CloudFormationService({ authorize, principal, stacks: () => [...rehearsal.stacks.values()], original: ({ deployed }) => deployed && rehearsal.originals.get(deployed) });
    const endpoints = await Promise.all([
      AwsEndpoint.listen([...apis, secretsManager.service, lambdaService(functions, authorize), dataApi.service, rdsApi.service, rdsProxyApi, cloudFormation.service]),
      AwsEndpoint.listen([() => new Promise(() => undefined)]),
    ]);
    const rehearsal: Rehearsal = new Rehearsal(options, credentials, authorities, secretsManager, dataApi, rdsApi, ...endpoints);
    return rehearsal;
  }

  /** What functions wrote, in the order they ran. */
  readonly logs: FunctionLog[] = [];

  /** Sums of metrics of RDS, by `<metric> <instance>`, for tests to set. */
  readonly metrics = new Map<string, number>();

  private readonly stacks = new Map<string, Stack>();
  private readonly assets = new Map<string, string>();
  private readonly caFile: string;
  private readonly amazonCaFile: string;
  private readonly webAuthority: CertificateAuthority;
  private readonly databases: DatabaseServers;
  private readonly proxies = new DatabaseProxies();
  private readonly providers: Record<string, ResourceProvider>;
  private readonly responses = new Map<string, Promise<ResponseEndpoint>>();
  private readonly packages = sdkFolder();
  private readonly scheduler: Scheduler;
  private aheadMs = 0;
  private readonly environments = new ExecutionEnvironments();
  /** ARNs of the roles of functions that ran. */
  private readonly invokedAs = new Set<string>();
  private readonly standIns: StandIns;
  /** What was uploaded, by what is carried out. */
  private readonly originals = new WeakMap<Template, Template>();
  /** Templates of nested stacks by what stands for the URL of each. */
  private readonly nestedTemplates = new Map<string, AssemblyStack>();
  /** Custom resources of the app that have done nothing, with the reason of each. */
  readonly inert: { readonly stackId: string; readonly logicalId: string; readonly reason: string }[] = [];
  /** Whether a custom resource of the app itself has run, and may have changed a database. */
  othersRan = false;
  /** By the request that CloudFormation waits for: told when the function that does the work writes something, which is not CDK's framework. */
  private readonly begun = new Map<string, { readonly serviceToken: string; readonly resolve: () => void }>();
  private readonly custom: ResourceProvider = customResource({
    invoke: (serviceToken, event) => this.invoke(serviceToken, event),
    begun: (serviceToken, requestId) => new Promise(resolve => this.begun.set(requestId, { serviceToken, resolve })),
    expectAnswer: async ({ stack }) => {
      const { region } = stack;
      this.responses.set(region, this.responses.get(region) ?? ResponseEndpoint.listen(this.webAuthority, region));
      return (await this.responses.get(region)!).expect(stack.id, this.now());
    },
  });

  private readonly foreign = foreignCustomResource({
    ...this.custom,
    create: (request) => {
      this.othersRan = true;
      return this.custom.create(request);
    },
    update: (request, current) => {
      this.othersRan = true;
      return this.custom.update(request, current);
    },
  }, ({ stack, logicalId }, reason) => this.inert.push({ stackId: this.idOf(stack), logicalId, reason }));

  private constructor(
    private readonly options: RehearsalOptions,
    /** Who has credentials here. */
    readonly credentials: IssuedCredentials,
    [certificateAuthority, webAuthority]: CertificateAuthority[],
    secretsManager: SecretsManager,
    private readonly dataApi: DataApi,
    /** Where tests say what is going on at a database. */
    readonly rdsApi: RdsApi,
    /** Where AWS is: what AWS_ENDPOINT_URL names. */
    readonly awsEndpoint: AwsEndpoint,
    /** In place of AWS for functions that have no way there: nothing answers. */
    private readonly nowhere: AwsEndpoint,
  ) {
    this.webAuthority = webAuthority;
    this.caFile = `${RunFolder.open().newPath('ca')}.pem`;
    writeFileSync(this.caFile, certificateAuthority.certificate);
    this.amazonCaFile = `${RunFolder.open().newPath('amazon-ca')}.pem`;
    writeFileSync(this.amazonCaFile, webAuthority.certificate);
    this.databases = new DatabaseServers({
      certificateAuthority,
      webAuthority,
      credentials: this.credentials,
      secretsManager,
      roleRules: options.roleRules,
      allows: (principal, action, resource, at) => this.allows(principal, action, resource, at),
      majors: options.plan?.majors,
      emptySnapshot: options.plan && (async ({ stack, logicalId }, server) => makeExpected(server, options.plan?.expectedBy(this.idOf(stack), logicalId))),
    });
    this.standIns = new StandIns({
      servers: this.databases,
      secretsManager,
      find: resourceId => this.existing().find(({ attributes }) => [attributes.DBClusterResourceId, attributes.DbiResourceId].includes(resourceId)),
      expectedBy: (stackId, logicalId) => options.plan?.expectedBy(stackId, logicalId),
    });
    this.scheduler = new Scheduler({
      pastSchedules: options.pastSchedules ?? 'refused',
      now: () => this.now(),
      existing: () => this.existing(),
      allows: (roleArn, action, resource, at) => this.allows(roleArn, action, resource, at),
      invoke: (functionArn, event) => this.invoke(functionArn, event),
    });
    this.providers = {
      'AWS::Scheduler::Schedule': this.scheduler.provider,
      'AWS::RDS::DBCluster': databaseCluster(this.databases),
      'AWS::RDS::DBInstance': databaseInstance(this.databases),
      'AWS::RDS::DBProxy': databaseProxy({
        proxies: this.proxies,
        certificateAuthority: webAuthority,
        credentials: this.credentials,
        secretsManager,
        allows: (roleArn, action, resource, at) => this.allows(roleArn, action, resource, at),
        findRole: roleArn => this.roleWith(roleArn),
        vpcOf: subnetId => this.existing().find(({ physicalId }) => physicalId === subnetId)?.attributes.VpcId as string | undefined,
      }),
      'AWS::RDS::DBProxyTargetGroup': databaseProxyTargetGroup(this.proxies, this.databases),
      'AWS::SecretsManager::Secret': secret(secretsManager),
      'AWS::SecretsManager::SecretTargetAttachment': secretTargetAttachment(secretsManager, (type, id) => this.find(type, id)),
    };
  }

  /** Creates or updates one stack of what `cdk synth` wrote. */
  async deploy(assembly: CloudAssembly, stackName: string): Promise<StackResult> {
    const definition = assembly.stacks.find(({ id }) => id === stackName);
    if (!definition) {
      throw new Error(`the app has no stack ${stackName}, only ${assembly.stacks.map(({ id }) => id).join(', ')}`);
    }
    const reason = this.options.plan ? undefined : whyNotRehearsed(definition.template);
    if (reason !== undefined) {
      throw new Error(`stack ${stackName} is not rehearsed: ${reason}`);
    }
    assembly.assets.forEach((folder, key) => this.assets.set(key, folder));
    const stack = this.stacks.get(definition.id) ?? this.newStack(definition);
    this.stacks.set(definition.id, stack);
    return stack.deploy(this.prepared(definition, {}));
  }

  async destroy(stackName: string): Promise<StackResult> {
    return this.stack(stackName).destroy();
  }

  /** Ends all servers. What a stack holds is lost. */
  async close(): Promise<void> {
    this.environments.close();
    await this.dataApi.close();
    await this.proxies.close();
    await this.databases.close();
    await Promise.all([this.awsEndpoint, this.nowhere].map(endpoint => endpoint.close()));
    await Promise.all([...this.responses.values()].map(async endpoint => (await endpoint).close()));
    [this.caFile, this.amazonCaFile].forEach(file => RunFolder.open().remove(file));
  }

  /** The resources of a stack at this moment. */
  resources(stackName: string): ResourceState[] {
    return [...this.stack(stackName).resources.values()];
  }

  /** Clusters, instances outside of clusters, replicas, and what stands for databases of other apps: all that have a server. */
  databaseResources(): { readonly stackId?: string; readonly state: ResourceState }[] {
    const ofStacks = [...this.stacks].flatMap(([stackId, { resources }]) => [...resources.values()].map(state => ({ stackId, state })));
    return [...ofStacks, ...this.standIns.databases.map(state => ({ state }))].filter(({ state }) => this.databases.serverOf(state) !== undefined);
  }

  /** Whether a resource has a server. */
  hasDatabase(resource: ResourceState): boolean {
    return this.databases.serverOf(resource) !== undefined;
  }

  /** Whether a resource is a proxy that is there. */
  hasProxy({ attributes }: ResourceState): boolean {
    return this.proxies.has((attributes.DBProxyArn as string | undefined)?.split(':')[6]);
  }

  /** The time of schedules and of functions, which tests turn forward. That of databases and of tokens is this machine's. */
  now(): Date {
    return new Date(Date.now() + this.aheadMs);
  }

  /** Turns the clock. What schedules do by then is done by `runSchedules()`. */
  setTime(time: Date): void {
    this.aheadMs = time.getTime() - Date.now();
  }

  /** Does what schedules are due since this was asked last. */
  async runSchedules(): Promise<ScheduledCall[]> {
    return this.scheduler.run();
  }

  /** Where AWS is, for AWS_ENDPOINT_URL. */
  get endpointUrl(): string {
    return this.awsEndpoint.url;
  }

  /** Ids of the stacks that exist, nested ones included. */
  get stackIds(): string[] {
    return [...this.stacks.keys()];
  }

  /** The server of a cluster, or of an instance outside of clusters. */
  database(resource: ResourceState): AuroraLikeServer {
    return this.databases.server(databaseArnOf(resource));
  }

  /** Makes a snapshot of a cluster or instance, for others to be restored from by this identifier. */
  async createSnapshot(resource: ResourceState, identifier: string): Promise<void> {
    return this.databases.createSnapshot(databaseArnOf(resource), identifier);
  }

  /** Promotes a copy of a cluster or instance that has this resource id: its name and endpoint stay, its former server goes. */
  async switchOver(resource: ResourceState, resourceId: string): Promise<void> {
    return this.databases.switchOver(databaseArnOf(resource), resourceId);
  }

  /** Gives the master of a cluster or instance another password. Meanwhile its secret has the old one, for as long as is said. */
  async rotateMasterSecret(resource: ResourceState, milliseconds: number): Promise<void> {
    return this.databases.rotateMasterSecret(resource, milliseconds);
  }

  proxy({ attributes }: ResourceState): RdsProxy {
    return this.proxies.withId((attributes.DBProxyArn as string).split(':')[6]);
  }

  credentialsOf(role: ResourceState): Credentials {
    return this.credentials.issue(role.attributes.Arn as string);
  }

  /** Whether a role may do something, by the policies that exist at this moment, if it asks at that time. */
  allows(roleArn: string | undefined, action: string, resource: string, at = new Date()): boolean {
    const role = this.roleWith(roleArn);
    return role !== undefined && roleAllows(role, this.existing(), { action, resource, at }, {
      given: arn => this.options.plan?.policy(arn),
      // A function that cannot do its work would show nothing; what is not known of its role was told before.
      ignoreUnknown: this.options.plan !== undefined && this.invokedAs.has(role.attributes.Arn as string),
    });
  }

  /** Runs a function as Lambda does. The ARN may end with an alias. */
  async invoke(functionArn: string, event: unknown): Promise<Invocation> {
    const state = this.find('AWS::Lambda::Function', qualified(functionArn).name);
    this.invokedAs.add(state.properties.Role as string);
    const lambda = { ...lambdaFunction(state, key => this.assets.get(key)), ...qualified(functionArn).qualifier === undefined ? {} : { invokedArn: functionArn } };
    const reach = reachOf(state, this.existing());
    const responses = reach.internet ? await Promise.all(this.responses.values()) : [];
    const invocation = await this.environments.invoke(lambda, event, {
      role: state.properties.Role as string,
      issueCredentials: role => this.credentials.issue(role),
      endpoints: endpointsFor(reach, this.awsEndpoint.url, this.nowhere.url),
      caFile: this.caFile,
      amazonCaFile: this.amazonCaFile,
      network: Object.assign({}, ...reach.internet ? [this.databases.publicNetwork] : [], ...reach.vpc ? [this.databases.network, this.proxies.network] : [], ...responses.map(({ network }) => network)) as Record<string, number>,
      webCertificate: this.webAuthority.certificate,
      packages: this.packages,
      aheadMs: this.aheadMs,
    }, () => {
      const waiting = this.begun.get((event as { RequestId?: string }).RequestId ?? '');
      if (waiting && !(waiting.serviceToken === lambda.arn && lambda.handler.startsWith('framework.'))) {
        waiting.resolve();
      }
    });
    this.logs.push({ functionName: lambda.name, text: invocation.log });
    return invocation;
  }

  private dataApiCluster(arn: string): DataApiCluster | undefined {
    const cluster = this.existing().find(({ type, attributes }) => type === 'AWS::RDS::DBCluster' && attributes.DBClusterArn === arn);
    const writer = this.existing().find(({ type, properties }) => type === 'AWS::RDS::DBInstance' && properties.DBClusterIdentifier === cluster?.physicalId);
    return cluster && {
      server: this.databases.server(arn),
      httpEndpoint: isTrue(cluster.properties.EnableHttpEndpoint) && cluster.properties.Engine === 'aurora-postgresql',
      writerClass: writer?.properties.DBInstanceClass as string | undefined,
    };
  }

  /** Port on 127.0.0.1 of each endpoint, by `host:port`. */
  get network(): Readonly<Record<string, number>> {
    return { ...this.databases.publicNetwork, ...this.databases.network, ...this.proxies.network };
  }

  /** Files with the authorities of databases, and of proxies and AWS itself. */
  get caFiles(): { readonly database: string; readonly amazon: string } {
    return { database: this.caFile, amazon: this.amazonCaFile };
  }

  private membersOf(cluster: string): string[] {
    return this.existing()
      .filter(({ type, properties }) => type === 'AWS::RDS::DBInstance' && String(properties.DBClusterIdentifier).toLowerCase() === cluster)
      .map(({ physicalId }) => physicalId);
  }

  /** `/aws/rds/<cluster or instance>/<identifier>/iam-db-auth-error` of a database that exports it. */
  private rdsLog(group: string): { at: Date; text: string }[] | undefined {
    const [, kind, identifier] = /^\/aws\/rds\/(cluster|instance)\/([^/]+)\/iam-db-auth-error$/.exec(group) ?? [];
    const found = this.rdsDatabase(({ type, physicalId }) => type === `AWS::RDS::DB${kind === 'cluster' ? 'Cluster' : 'Instance'}` && physicalId.toLowerCase() === identifier);
    const isExported = (found?.resource.properties.EnableCloudwatchLogsExports as string[] | undefined)?.includes('iam-db-auth-error');
    return found?.server && isExported ? signInErrors(found.server.refusals) : undefined;
  }

  private rdsDatabase(isMeant: (state: ResourceState) => boolean): RdsDatabase | undefined {
    const resource = this.existing().find(state => state.type.startsWith('AWS::RDS::') && isMeant(state));
    return resource && { resource, server: this.databases.serverOf(resource) };
  }

  private functionNamed(name: string, qualifier?: string): { arn: string } | undefined {
    const state = this.existing().find(({ type, physicalId, attributes }) => type === 'AWS::Lambda::Function' && [physicalId, attributes.Arn].includes(name));
    const arn = state && `${state.attributes.Arn as string}${qualifier === undefined ? '' : `:${qualifier}`}`;
    const isThere = qualifier === undefined || qualifier === '$LATEST' || this.existing().some(({ type, physicalId }) => type === 'AWS::Lambda::Alias' && physicalId === arn);
    return arn !== undefined && isThere ? { arn } : undefined;
  }

  private roleWith(roleArn: string | undefined): ResourceState | undefined {
    return this.existing().find(({ type, attributes }) => type === 'AWS::IAM::Role' && attributes.Arn === roleArn);
  }

  private stack(name: string): Stack {
    const stack = this.stacks.get(name);
    if (!stack) {
      throw new Error(`stack ${name} was not deployed`);
    }
    return stack;
  }

  private newStack({ id: label, name, account = this.options.account ?? '111122223333', region = this.options.region ?? 'eu-central-1' }: Pick<AssemblyStack, 'id' | 'name' | 'account' | 'region'>): Stack {
    const partition = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
    const id = `arn:${partition}:cloudformation:${region}:${account}:stack/${name}/${randomUUID()}`;
    const { plan } = this.options;
    const identity: StackIdentity = { name, id, partition, account, region };
    return new Stack(identity, {
      providerFor: (type, logicalId) => this.providerFor(label, type, logicalId),
      importValue: exported => this.importValue(exported, identity),
      stackOutput: request => this.stackOutput(request, identity),
      onEvent: event => this.options.onEvent?.({ ...event, stackName: label }),
      importerOf: exported => this.importerOf(exported, identity),
      resolveReferences: text => this.resolveReferences(text),
      ...plan && {
        isNeeded: (logicalId: string) => plan.isNeeded(label, logicalId),
        inventAttribute: (state: ResourceState, attribute: string) => isCustom(state.type) && plan.isNeeded(label, state.logicalId) ? undefined : inventedAttribute(state, attribute),
      },
    });
  }

  /** The template as it is deployed: with values of its parameters, and nested templates that can be found again. */
  private prepared(definition: AssemblyStack, given: Properties): Template {
    const { plan } = this.options;
    const nested = Object.entries(definition.nested).map(([logicalId, child]) => {
      const key = `nested:${child.id}:${createHash('sha256').update(JSON.stringify(child.template)).digest('hex')}`;
      this.nestedTemplates.set(key, child);
      const resource = definition.template.Resources[logicalId];
      return [logicalId, { ...resource, Properties: { ...resource.Properties, TemplateURL: key } }] as const;
    });
    const template = { ...definition.template, Resources: { ...definition.template.Resources, ...Object.fromEntries(nested) } };
    const known = { parameters: { ...plan?.parametersOf(definition.id), ...definition.parameters, ...given }, ssm: (name: string) => this.ssmParameter(name) };
    const values = parameterValues(template, known).filter(({ from }) => plan !== undefined || from !== 'invented');
    const prepared = { ...withParameterValues(template, values), Parameters: { ...template.Parameters, ...withParameterValues(template, values).Parameters } };
    this.originals.set(prepared, definition.template);
    return prepared;
  }

  private providerFor(stackId: string, type: string, logicalId: string): ResourceProvider {
    if (type === 'AWS::CloudFormation::Stack') {
      return nestedStack({
        create: request => this.newNestedStack(request),
        find: id => [...this.stacks.values()].find(({ identity }) => identity.id === id)!,
        deploy: (stack, properties) => stack.deploy(this.prepared(this.nestedTemplate(properties, logicalId), (properties.Parameters ?? {}) as Properties)),
        forget: id => [...this.stacks].filter(([, { identity }]) => identity.id === id).forEach(([label]) => this.stacks.delete(label)),
      });
    }
    const { plan } = this.options;
    const isNeeded = plan?.isNeeded(stackId, logicalId) ?? true;
    if (!isNeeded) {
      return nativeResource;
    }
    if (isCustomResource(type)) {
      return plan === undefined || isOfLibrary(type) ? this.libraryResource(stackId, type) : this.foreign;
    }
    return plan && type === 'AWS::Lambda::Function' ? this.functionResource(stackId) : this.providers[type] ?? nativeResource;
  }

  /** A function, before which there is what its environment leads to. */
  private functionResource(stackId: string): ResourceProvider {
    const prepare = ({ stack, logicalId, properties }: ResourceRequest) => this.standIns.forFunction(stack, stackId, logicalId, properties);
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
    if (this.options.plan === undefined || type !== IAM_AUTHENTICATION_RESOURCE_TYPE) {
      return this.custom;
    }
    return {
      ...this.custom,
      create: async (request) => {
        await this.standIns.forIamAuthentication(request.stack, stackId, request.logicalId, request.properties);
        return this.custom.create(request);
      },
    };
  }

  private newNestedStack({ stack, logicalId, properties }: ResourceRequest): Stack {
    const { id } = this.nestedTemplate(properties, logicalId);
    const nested = this.newStack({ id, name: generatedName({ stack, logicalId }), account: stack.account, region: stack.region });
    this.stacks.set(id, nested);
    return nested;
  }

  private nestedTemplate({ TemplateURL: url }: Properties, logicalId: string): AssemblyStack {
    const found = this.nestedTemplates.get(String(url));
    if (!found) {
      throw new Error(`the template of nested stack ${logicalId} is not in the cloud assembly`);
    }
    return found;
  }

  private idOf(stack: StackIdentity): string {
    return [...this.stacks].find(([, { identity }]) => identity.id === stack.id)?.[0] ?? stack.name;
  }

  private importValue(name: string, { account, region }: StackIdentity): string {
    // Names of exports are unique in an account and Region; an app may have several of these, as stages.
    const exporting = this.nearest(account, region).find(stack => Object.hasOwn(stack.exports, name));
    const { exports = {} } = this.options.plan ?? {};
    if (exporting || Object.hasOwn(exports, name)) {
      return exporting?.exports[name] ?? exports[name];
    }
    if (this.options.plan) {
      return inventedExport(name);
    }
    throw new Error(`no export named ${name} found: deploy the stack that exports it first`);
  }

  private stackOutput({ stackName, outputName, region }: StackOutputRequest, asking: StackIdentity): string {
    const stack = this.nearest(asking.account, region ?? asking.region).find(({ identity }) => identity.name === stackName);
    const { exports = {} } = this.options.plan ?? {};
    const value = stack?.outputs[outputName] ?? (Object.hasOwn(exports, `${stackName}.${outputName}`) ? exports[`${stackName}.${outputName}`] : undefined);
    if (value !== undefined) {
      return value;
    }
    if (this.options.plan && !stack) {
      return inventedExport(`${stackName}.${outputName}`);
    }
    throw new Error(stack ? `stack ${stackName} has no output ${outputName} at this moment` : `no stack ${stackName} exists: deploy it first`);
  }

  /** All stacks, those of an account and Region first. */
  private nearest(account: string, region: string): Stack[] {
    const distance = ({ identity }: Stack) => Number(identity.account !== account) + Number(identity.region !== region);
    return [...this.stacks.values()].sort((a, b) => distance(a) - distance(b));
  }

  private importerOf(name: string, { account, region }: StackIdentity): string | undefined {
    const imports = (stack: Stack) => stack.identity.account === account && stack.identity.region === region && valuesOf(stack.deployed?.Resources, 'Fn::ImportValue').some(({ argument }) => argument === name);
    return [...this.stacks.values()].find(imports)?.identity.name;
  }

  /** Of a stack, or one that was given. */
  private ssmParameter(name: string): string | undefined {
    const own = this.existing().find(({ type, properties, physicalId }) => type === 'AWS::SSM::Parameter' && [properties.Name, physicalId].includes(name));
    const { ssm = {} } = this.options.plan ?? {};
    return (own?.properties.Value as string | undefined) ?? (Object.hasOwn(ssm, name) ? ssm[name] : undefined);
  }

  /** Those of Systems Manager. References to secrets are resolved where a database is made. */
  private resolveReferences(text: string): string {
    return text.replace(/\{\{resolve:ssm:([^:}]+)(?::\d+)?\}\}/g, (reference, name: string) =>
      this.ssmParameter(name) ?? (this.options.plan ? `invented-${name.split('/').at(-1)}` : reference));
  }

  /** Those of the stacks, and those that stacks have left behind. */
  private existing(): ResourceState[] {
    const stacks = [...this.stacks.values()];
    return [...stacks.flatMap(({ resources }) => [...resources.values()]), ...stacks.flatMap(({ retained }) => retained), ...this.standIns.databases];
  }

  private find(type: string, id: string): ResourceState {
    const found = this.existing().find(state => state.type === type && [state.physicalId, state.attributes.Arn].includes(id));
    if (!found) {
      throw new Error(`${type} ${id} does not exist at this moment`);
    }
    return found;
  }
}

/** The same for the same name. Where it may be the id of a VPC, it looks like one. */
function inventedExport(name: string): string {
  return `invented-${name.replace(/[^\w-]/g, '-')}`;
}

/** The AWS SDK, which Lambda's runtime has beside Node.js. Nothing else of this project can be loaded from there. */
function sdkFolder(): string {
  const folder = join(RunFolder.open().newFolder('packages'), '@aws-sdk');
  mkdirSync(folder);
  for (const name of SDK_PACKAGES) {
    symlinkSync(dirname(require.resolve(`@aws-sdk/${name}/package.json`)), join(folder, name));
  }
  return dirname(folder);
}
