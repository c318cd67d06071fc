import { AuroraLikeServer } from './aurora-like-server';
import { AwsServices, ServedAccount } from './aws-services';
import { AwsEndpoint } from './cloudformation/aws-endpoint';
import { CloudAssembly } from './cloudformation/cloud-assembly';
import { databaseArnOf } from './cloudformation/database-properties';
import { DatabaseProxies } from './cloudformation/database-proxies';
import { DatabaseServers } from './cloudformation/database-servers';
import { ExistingResources } from './cloudformation/existing-resources';
import { FunctionInvocations, FunctionLog } from './cloudformation/function-invocations';
import { Invocation } from './cloudformation/lambda-function';
import { InertResource, ResourceProviders } from './cloudformation/resource-providers';
import { ResponseEndpoints } from './cloudformation/response-endpoint';
import { roleAllows } from './cloudformation/role-policies';
import { PastSchedules, ScheduledCall, Scheduler } from './cloudformation/scheduler';
import { StackEvent, StackResult } from './cloudformation/stack';
import { Stacks } from './cloudformation/stacks';
import { makeExpected, StandIns } from './cloudformation/stand-ins';
import { ResourceState, whyNotRehearsed } from './cloudformation/template';
import { CertificateAuthority } from './gateway/certificate-authority';
import { Credentials, IssuedCredentials } from './iam/credentials';
import { DeploymentPlan } from './plan/deployment-plan';
import { RoleRules } from './postgresql/bootstrap';
import { RdsApi } from './rds-api/rds-api';
import { RdsProxy } from './rds-proxy';
import { RunFolder } from './run-folder';

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

/** A stand-in for an AWS account: deploys the templates of a CDK app, with real databases and the bundled handlers. */
export class Rehearsal {
  static async start(options: RehearsalOptions = {}): Promise<Rehearsal> {
    const names = [undefined, 'Rehearsal of Amazon Trust Services'];
    const authorities = await Promise.all(names.map(name => CertificateAuthority.create(name)));
    const credentials = new IssuedCredentials();
    const services = new AwsServices({
      credentials,
      policy: arn => options.plan?.policy(arn),
      account: () => rehearsal.served,
    });
    const endpoints = await Promise.all([
      AwsEndpoint.listen(services.all),
      AwsEndpoint.listen([() => new Promise(() => undefined)]),
    ]);
    const rehearsal: Rehearsal = new Rehearsal(options, credentials, authorities, services, ...endpoints);
    return rehearsal;
  }

  /** Sums of metrics of RDS, by `<metric> <instance>`, for tests to set. */
  readonly metrics = new Map<string, number>();

  /** Files with the authorities of databases, and of proxies and AWS itself. */
  readonly caFiles: { readonly database: string; readonly amazon: string };

  private readonly assets = new Map<string, string>();
  private readonly resourcesNow: ExistingResources;
  private readonly stacks: Stacks;
  private readonly databases: DatabaseServers;
  private readonly proxies = new DatabaseProxies();
  private readonly standIns: StandIns;
  private readonly functions: FunctionInvocations;
  private readonly responses: ResponseEndpoints;
  private readonly scheduler: Scheduler;
  private readonly providers: ResourceProviders;
  private aheadMs = 0;

  private constructor(
    private readonly options: RehearsalOptions,
    /** Who has credentials here. */
    readonly credentials: IssuedCredentials,
    [certificateAuthority, webAuthority]: CertificateAuthority[],
    readonly services: AwsServices,
    /** Where AWS is: what AWS_ENDPOINT_URL names. */
    readonly awsEndpoint: AwsEndpoint,
    /** In place of AWS for functions that have no way there: nothing answers. */
    private readonly nowhere: AwsEndpoint,
  ) {
    const { plan } = options;
    const { secretsManager } = services;
    const allows: Rehearsal['allows'] = (...question) => this.allows(...question);
    this.caFiles = {
      database: certificateAuthority.writeCertificate('ca'),
      amazon: webAuthority.writeCertificate('amazon-ca'),
    };
    const resources = new ExistingResources(() => [...this.stacks.resources, ...this.standIns.databases]);
    this.resourcesNow = resources;
    this.stacks = new Stacks({ ...options, resources, providerFor: (...resource) => this.providers.of(...resource) });
    this.databases = new DatabaseServers({
      certificateAuthority,
      webAuthority,
      credentials,
      secretsManager,
      roleRules: options.roleRules,
      allows,
      majors: plan?.majors,
      emptySnapshot: plan && (({ stack, logicalId }, server) =>
        makeExpected(server, plan.expectedBy(this.stacks.idOf(stack), logicalId))),
    });
    this.standIns = new StandIns({
      servers: this.databases,
      secretsManager,
      find: resourceId => resources.databaseWithId(resourceId),
      expectedBy: (stackId, logicalId) => plan?.expectedBy(stackId, logicalId),
    });
    this.responses = new ResponseEndpoints(webAuthority, () => this.now());
    this.functions = new FunctionInvocations({
      resources,
      credentials,
      asset: key => this.assets.get(key),
      urls: { aws: awsEndpoint.url, nowhere: nowhere.url },
      caFiles: this.caFiles,
      webCertificate: webAuthority.certificate,
      network: () => ({
        internet: this.databases.publicNetwork,
        vpc: { ...this.databases.network, ...this.proxies.network },
      }),
      responses: this.responses,
      aheadMs: () => this.aheadMs,
    });
    this.scheduler = new Scheduler({
      pastSchedules: options.pastSchedules ?? 'refused',
      now: () => this.now(),
      existing: () => resources.all(),
      allows,
      invoke: (functionArn, event) => this.invoke(functionArn, event),
    });
    const { stacks, databases, proxies, standIns, responses, functions, scheduler } = this;
    this.providers = new ResourceProviders({
      plan, stacks, resources, databases, proxies, standIns, secretsManager, scheduler, functions, responses,
      credentials, webAuthority, allows,
    });
  }

  /** What functions wrote, in the order they ran. */
  get logs(): FunctionLog[] {
    return this.functions.logs;
  }

  /** Custom resources of the app that have done nothing, with the reason of each. */
  get inert(): readonly InertResource[] {
    return this.providers.inert;
  }

  /** Whether a custom resource of the app itself has run, and may have changed a database. */
  get othersRan(): boolean {
    return this.providers.othersRan;
  }

  /** Where tests say what is going on at a database. */
  get rdsApi(): RdsApi {
    return this.services.rdsApi;
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
    return this.stacks.deploy(definition);
  }

  async destroy(stackName: string): Promise<StackResult> {
    return this.stacks.named(stackName).destroy();
  }

  /** Ends all servers. What a stack holds is lost. */
  async close(): Promise<void> {
    this.functions.close();
    await this.services.dataApi.close();
    await this.proxies.close();
    await this.databases.close();
    await Promise.all([this.awsEndpoint, this.nowhere].map(endpoint => endpoint.close()));
    await this.responses.close();
    Object.values(this.caFiles).forEach(file => RunFolder.open().remove(file));
  }

  /** The resources of a stack at this moment. */
  resources(stackName: string): ResourceState[] {
    return [...this.stacks.named(stackName).resources.values()];
  }

  /**
   * Clusters, instances outside of clusters, replicas, and what stands for databases of other apps: all that have a
   * server.
   */
  databaseResources(): { readonly stackId?: string; readonly state: ResourceState }[] {
    const ofStacks = this.stacks.entries.flatMap(([stackId, { resources }]) =>
      [...resources.values()].map(state => ({ stackId, state })),
    );
    return [...ofStacks, ...this.standIns.databases.map(state => ({ state }))].filter(({ state }) =>
      this.hasDatabase(state),
    );
  }

  /** Whether a resource has a server. */
  hasDatabase(resource: ResourceState): boolean {
    return this.databases.serverOf(resource) !== undefined;
  }

  /** Whether a resource is a proxy that is there. */
  hasProxy({ attributes }: ResourceState): boolean {
    return this.proxies.has((attributes.DBProxyArn as string | undefined)?.split(':')[6]);
  }

  /**
   * The time of schedules and of functions, which tests turn forward. That of databases and of tokens is this
   * machine's.
   */
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
    return this.stacks.ids;
  }

  /** Port on 127.0.0.1 of each endpoint, by `host:port`. */
  get network(): Readonly<Record<string, number>> {
    return { ...this.databases.publicNetwork, ...this.databases.network, ...this.proxies.network };
  }

  /** The server of a cluster, or of an instance outside of clusters. */
  database(resource: ResourceState): AuroraLikeServer {
    return this.databases.server(databaseArnOf(resource));
  }

  /** Makes a snapshot of a cluster or instance, for others to be restored from by this identifier. */
  async createSnapshot(resource: ResourceState, identifier: string): Promise<void> {
    return this.databases.createSnapshot(databaseArnOf(resource), identifier);
  }

  /**
   * Promotes a copy of a cluster or instance that has this resource id: its name and endpoint stay, its former server
   * goes.
   */
  async switchOver(resource: ResourceState, resourceId: string): Promise<void> {
    return this.databases.switchOver(databaseArnOf(resource), resourceId);
  }

  /**
   * Gives the master of a cluster or instance another password. Meanwhile its secret has the old one, for as long as is
   * said.
   */
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
    const role = this.resourcesNow.role(roleArn);
    return role !== undefined && roleAllows(role, this.resourcesNow.all(), { action, resource, at }, {
      given: arn => this.options.plan?.policy(arn),
      // A function that cannot do its work would show nothing; what is not known of its role was told before.
      ignoreUnknown: this.options.plan !== undefined && this.functions.ranAs(role.attributes.Arn as string),
    });
  }

  /** Runs a function as Lambda does. The ARN may end with an alias. */
  async invoke(functionArn: string, event: unknown): Promise<Invocation> {
    return this.functions.invoke(functionArn, event);
  }

  /** For the services of AWS. */
  private get served(): ServedAccount {
    const { resourcesNow: resources, stacks, databases, metrics } = this;
    return {
      resources, stacks, databases, metrics,
      allows: (roleArn, action, resource) => this.allows(roleArn, action, resource),
      invoke: (functionArn, event) => this.invoke(functionArn, event),
    };
  }
}
