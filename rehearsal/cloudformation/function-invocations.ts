import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ExistingResources } from './existing-resources';
import { ExecutionEnvironments, Invocation, lambdaFunction } from './lambda-function';
import { qualified } from './lambda-service';
import { endpointsFor, reachOf } from './network';
import { ResponseEndpoints } from './response-endpoint';
import { IssuedCredentials } from '../iam/credentials';
import { RunFolder } from '../run-folder';

/** Clients that the functions of CDK load. */
const SDK_PACKAGES = ['client-lambda', 'client-rds-data', 'client-sfn'];

export interface FunctionLog {
  readonly functionName: string;
  readonly text: string;
}

export interface FunctionInvocationsOptions {
  readonly resources: ExistingResources;
  readonly credentials: IssuedCredentials;
  /** Folder of the code, by the key of the asset. */
  readonly asset: (key: string) => string | undefined;
  /** Where AWS is, and what is in place of it for functions that have no way there. */
  readonly urls: { readonly aws: string; readonly nowhere: string };
  readonly caFiles: { readonly database: string; readonly amazon: string };
  /** Certificate of the authority of Amazon S3 and of proxies. */
  readonly webCertificate: string;
  /** Ports on 127.0.0.1 of what is reached over the internet, and of what is in a VPC, by `host:port`. */
  readonly network: () => { readonly internet: Record<string, number>; readonly vpc: Record<string, number> };
  readonly responses: ResponseEndpoints;
  readonly aheadMs: () => number;
}

/** Runs the functions of an account as Lambda does, and keeps what they write. */
export class FunctionInvocations {
  readonly logs: FunctionLog[] = [];
  private readonly environments = new ExecutionEnvironments();
  private readonly packages = sdkFolder();
  /** ARNs of the roles of functions that ran. */
  private readonly roles = new Set<string>();
  /**
   * By the request that CloudFormation waits for: told when the function that does the work writes something, which is
   * not CDK's framework.
   */
  private readonly waiting = new Map<string, { readonly serviceToken: string; readonly resolve: () => void }>();

  constructor(private readonly options: FunctionInvocationsOptions) {}

  /** @param functionArn may end with an alias */
  async invoke(functionArn: string, event: unknown): Promise<Invocation> {
    const { resources, credentials, urls, caFiles, webCertificate } = this.options;
    const state = resources.find('AWS::Lambda::Function', qualified(functionArn).name);
    this.roles.add(state.properties.Role as string);
    const lambda = {
      ...lambdaFunction(state, this.options.asset),
      ...qualified(functionArn).qualifier === undefined ? {} : { invokedArn: functionArn },
    };
    const reach = reachOf(state, resources.all());
    const responses = reach.internet ? await this.options.responses.network() : {};
    const network = this.options.network();
    const invocation = await this.environments.invoke(lambda, event, {
      role: state.properties.Role as string,
      issueCredentials: role => credentials.issue(role),
      endpoints: endpointsFor(reach, urls.aws, urls.nowhere),
      caFile: caFiles.database,
      amazonCaFile: caFiles.amazon,
      network: { ...reach.internet ? network.internet : {}, ...reach.vpc ? network.vpc : {}, ...responses },
      webCertificate,
      packages: this.packages,
      aheadMs: this.options.aheadMs(),
    }, () => {
      const waiting = this.waiting.get((event as { RequestId?: string }).RequestId ?? '');
      if (waiting && !(waiting.serviceToken === lambda.arn && lambda.handler.startsWith('framework.'))) {
        waiting.resolve();
      }
    });
    this.logs.push({ functionName: lambda.name, text: invocation.log });
    return invocation;
  }

  /** Resolves when the function behind the one of the service token has begun with the request. */
  begun(serviceToken: string, requestId: string): Promise<void> {
    return new Promise(resolve => this.waiting.set(requestId, { serviceToken, resolve }));
  }

  /** Whether a function ran with a role. */
  ranAs(roleArn: string): boolean {
    return this.roles.has(roleArn);
  }

  close(): void {
    this.environments.close();
  }
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
