import { randomUUID } from 'node:crypto';
import { symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AuroraLikeServer } from './aurora-like-server';
import { AwsEndpoint } from './cloudformation/aws-endpoint';
import { AssemblyStack, CloudAssembly } from './cloudformation/cloud-assembly';
import { customResource } from './cloudformation/custom-resource';
import { databaseCluster } from './cloudformation/database-cluster';
import { databaseInstance } from './cloudformation/database-instance';
import { DatabaseProxies } from './cloudformation/database-proxies';
import { databaseProxy } from './cloudformation/database-proxy';
import { databaseProxyTargetGroup } from './cloudformation/database-proxy-target-group';
import { databaseArnOf, DatabaseServers, hasServer, isTrue } from './cloudformation/database-servers';
import { ExecutionEnvironments, Invocation, lambdaFunction } from './cloudformation/lambda-function';
import { Functions, lambdaService } from './cloudformation/lambda-service';
import { isCustomResource, nativeResource } from './cloudformation/native-resource';
import { endpointsFor, reachOf } from './cloudformation/network';
import { ResponseEndpoint } from './cloudformation/response-endpoint';
import { roleAllows } from './cloudformation/role-policies';
import { secret, secretTargetAttachment } from './cloudformation/secret';
import { Authorize, SecretsManager } from './cloudformation/secrets-manager';
import { Stack, StackEvent, StackResult } from './cloudformation/stack';
import { ResourceProvider, ResourceState, whyNotRehearsed } from './cloudformation/template';
import { DataApi, DataApiCluster } from './data-api/data-api';
import { CertificateAuthority } from './gateway/certificate-authority';
import { Credentials, IssuedCredentials } from './iam/credentials';
import { RdsApi } from './rds-api/rds-api';
import { RdsProxy } from './rds-proxy';
import { RunFolder } from './run-folder';

export interface RehearsalOptions {
  /** Account of stacks that leave it open. @default '111122223333' */
  readonly account?: string;
  /** Region of stacks that leave it open. @default 'eu-central-1' */
  readonly region?: string;
  /** Called after each step of a deployment, and awaited. */
  readonly onEvent?: (event: StackEvent) => void | Promise<void>;
}

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
    const functions: Functions = { find: name => rehearsal.functionNamed(name), invoke: (arn, event) => rehearsal.invoke(arn, event) };
    const dataApi = new DataApi({ authorize, secret: id => secretsManager.find(id), cluster: arn => rehearsal.dataApiCluster(arn) });
    const rdsApi = new RdsApi({ authorize, principal: accessKeyId => rehearsal.credentials.find(accessKeyId)?.principal, database: arn => rehearsal.rdsDatabase(arn) });
    const endpoints = await Promise.all([
      AwsEndpoint.listen([secretsManager.service, lambdaService(functions, authorize), dataApi.service, rdsApi.service]),
      AwsEndpoint.listen([() => new Promise(() => undefined)]),
    ]);
    const rehearsal: Rehearsal = new Rehearsal(options, authorities, secretsManager, dataApi, rdsApi, ...endpoints);
    return rehearsal;
  }

  /** What functions wrote, in the order they ran. */
  readonly logs: FunctionLog[] = [];

  private readonly credentials = new IssuedCredentials();
  private readonly stacks = new Map<string, Stack>();
  private readonly assets = new Map<string, string>();
  private readonly caFile: string;
  private readonly webAuthority: CertificateAuthority;
  private readonly databases: DatabaseServers;
  private readonly proxies = new DatabaseProxies();
  private readonly providers: Record<string, ResourceProvider>;
  private readonly responses = new Map<string, Promise<ResponseEndpoint>>();
  private readonly packages = sdkFolder();
  private readonly environments = new ExecutionEnvironments();
  /** By the request that CloudFormation waits for: told when the function that does the work writes something, which is not CDK's framework. */
  private readonly begun = new Map<string, { readonly serviceToken: string; readonly resolve: () => void }>();
  private readonly custom = customResource({
    invoke: (serviceToken, event) => this.invoke(serviceToken, event),
    begun: (serviceToken, requestId) => new Promise(resolve => this.begun.set(requestId, { serviceToken, resolve })),
    expectAnswer: async ({ stack }) => {
      const { region } = stack;
      this.responses.set(region, this.responses.get(region) ?? ResponseEndpoint.listen(this.webAuthority, region));
      return (await this.responses.get(region)!).expect(stack.id);
    },
  });

  private constructor(
    private readonly options: RehearsalOptions,
    [certificateAuthority, webAuthority]: CertificateAuthority[],
    secretsManager: SecretsManager,
    private readonly dataApi: DataApi,
    /** Where tests say what is going on at a database. */
    readonly rdsApi: RdsApi,
    private readonly awsEndpoint: AwsEndpoint,
    /** In place of AWS for functions that have no way there: nobody answers. */
    private readonly nowhere: AwsEndpoint,
  ) {
    this.webAuthority = webAuthority;
    this.caFile = `${RunFolder.open().newPath('ca')}.pem`;
    writeFileSync(this.caFile, certificateAuthority.certificate);
    this.databases = new DatabaseServers({
      certificateAuthority,
      credentials: this.credentials,
      secretsManager,
      allows: (principal, action, resource, at) => this.allows(principal, action, resource, at),
    });
    this.providers = {
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
    const definition = assembly.stacks.find(({ name }) => name === stackName);
    if (!definition) {
      throw new Error(`the app has no stack ${stackName}, only ${assembly.stacks.map(({ name }) => name).join(', ')}`);
    }
    const reason = whyNotRehearsed(definition.template);
    if (reason !== undefined) {
      throw new Error(`stack ${stackName} is not rehearsed: ${reason}`);
    }
    assembly.assets.forEach((folder, key) => this.assets.set(key, folder));
    const stack = this.stacks.get(stackName) ?? this.newStack(definition);
    this.stacks.set(stackName, stack);
    return stack.deploy(definition.template);
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
    RunFolder.open().remove(this.caFile);
  }

  /** The resources of a stack at this moment. */
  resources(stackName: string): ResourceState[] {
    return [...this.stack(stackName).resources.values()];
  }

  /** The server of a cluster, or of an instance outside of clusters. */
  database(resource: ResourceState): AuroraLikeServer {
    return this.databases.server(databaseArnOf(resource));
  }

  /** Makes a snapshot of a cluster or instance, for others to be restored from by this identifier. */
  async createSnapshot(resource: ResourceState, identifier: string): Promise<void> {
    return this.databases.createSnapshot(databaseArnOf(resource), identifier);
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
    return role !== undefined && roleAllows(role, this.existing(), { action, resource, at });
  }

  /** Runs a function as Lambda does. */
  async invoke(functionArn: string, event: unknown): Promise<Invocation> {
    const state = this.find('AWS::Lambda::Function', functionArn);
    const lambda = lambdaFunction(state, key => this.assets.get(key));
    const reach = reachOf(state, this.existing());
    const responses = reach.internet ? await Promise.all(this.responses.values()) : [];
    const invocation = await this.environments.invoke(lambda, event, {
      role: state.properties.Role as string,
      issueCredentials: role => this.credentials.issue(role),
      endpoints: endpointsFor(reach, this.awsEndpoint.url, this.nowhere.url),
      caFile: this.caFile,
      network: Object.assign({}, ...reach.vpc ? [this.databases.network, this.proxies.network] : [], ...responses.map(({ network }) => network)) as Record<string, number>,
      webCertificate: this.webAuthority.certificate,
      packages: this.packages,
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

  private rdsDatabase(arn: string): { resource: ResourceState; server?: AuroraLikeServer } | undefined {
    const resource = this.existing().find(({ type, attributes }) => type.startsWith('AWS::RDS::') && [attributes.DBClusterArn, attributes.DBInstanceArn].includes(arn));
    return resource && { resource, server: hasServer(resource) ? this.databases.server(arn) : undefined };
  }

  private functionNamed(name: string): { arn: string } | undefined {
    const state = this.existing().find(({ type, physicalId, attributes }) => type === 'AWS::Lambda::Function' && [physicalId, attributes.Arn].includes(name));
    return state && { arn: state.attributes.Arn as string };
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

  private newStack({ name, account = this.options.account ?? '111122223333', region = this.options.region ?? 'eu-central-1' }: AssemblyStack): Stack {
    const partition = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
    const id = `arn:${partition}:cloudformation:${region}:${account}:stack/${name}/${randomUUID()}`;
    return new Stack({ name, id, partition, account, region }, {
      providerFor: type => this.providerFor(type),
      importValue: exported => this.importValue(exported),
      onEvent: event => this.options.onEvent?.(event),
    });
  }

  private providerFor(type: string): ResourceProvider {
    if (type === 'AWS::CloudFormation::Stack') {
      throw new Error('nested stacks are not rehearsed');
    }
    return isCustomResource(type) ? this.custom : this.providers[type] ?? nativeResource;
  }

  private importValue(name: string): string {
    const exporting = [...this.stacks.values()].find(stack => Object.hasOwn(stack.exports, name));
    if (!exporting) {
      throw new Error(`no export named ${name} found: deploy the stack that exports it first`);
    }
    return exporting.exports[name];
  }

  /** Those of the stacks, and those that stacks have left behind. */
  private existing(): ResourceState[] {
    const stacks = [...this.stacks.values()];
    return [...stacks.flatMap(({ resources }) => [...resources.values()]), ...stacks.flatMap(({ retained }) => retained)];
  }

  private find(type: string, id: string): ResourceState {
    const found = this.existing().find(state => state.type === type && [state.physicalId, state.attributes.Arn].includes(id));
    if (!found) {
      throw new Error(`${type} ${id} does not exist at this moment`);
    }
    return found;
  }
}

/** The AWS SDK, which Lambda's runtime has beside Node.js. Nothing else of this project can be loaded from there. */
function sdkFolder(): string {
  const folder = RunFolder.open().newFolder('packages');
  symlinkSync(dirname(dirname(require.resolve('@aws-sdk/client-lambda/package.json'))), join(folder, '@aws-sdk'));
  return folder;
}
