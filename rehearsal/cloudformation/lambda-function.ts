import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Credentials } from '../iam/credentials';
import { RunFolder } from '../run-folder';
import { ResourceState } from './template';

/** A function as its synthesized template describes it. */
export interface LambdaFunction {
  readonly name: string;
  readonly arn: string;
  /** `Handler`, such as index.handler. */
  readonly handler: string;
  /** Folder of the bundled code. */
  readonly code: string;
  readonly timeoutSeconds: number;
  readonly environment: Record<string, string>;
}

export interface LambdaSurroundings {
  readonly credentials: Credentials;
  /** Where the AWS SDK finds the services, as its environment variables. */
  readonly endpoints: Record<string, string>;
  /** Certificate authority of the rehearsal. */
  readonly caFile: string;
  /** Port on 127.0.0.1 of each endpoint of a database, of a proxy and of Amazon S3, by `host:port`. */
  readonly network: Record<string, number>;
  /** What the certificates of Amazon S3 and of proxies are verified with. */
  readonly webCertificate: string;
  /** Folder of the packages that Lambda's runtime has: the AWS SDK. */
  readonly packages: string;
  /** Ends it at once. */
  readonly signal: AbortSignal;
}

export interface Invocation {
  readonly result?: unknown;
  readonly error?: { readonly name: string; readonly message: string; readonly trace?: string[] };
  /** What the function wrote to its standard output and error. */
  readonly log: string;
}

/** The certificates of Amazon RDS, as Lambda's runtime for Node.js has them. */
const RUNTIME_CA_FILE = '/var/runtime/ca-cert.pem';

/** Runs a function in a process of its own, which sees nothing of this process' environment. */
export async function invoke(lambda: LambdaFunction, event: unknown, surroundings: LambdaSurroundings): Promise<Invocation> {
  const [module, handlerName] = lambda.handler.split('.');
  const logStreamName = `rehearsal/[$LATEST]${randomUUID().replaceAll('-', '')}`;
  const awsRequestId = randomUUID();
  const child = RunFolder.open().spawn(process.execPath, [join(__dirname, 'lambda-runtime.mjs')], 'KILL', {
    cwd: lambda.code,
    env: environmentOf(lambda, surroundings, logStreamName),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    signal: surroundings.signal,
    killSignal: 'SIGKILL',
  });
  let log = '';
  let answer: Omit<Invocation, 'log'> | undefined;
  const append = (text: string) => log += text;
  child.stdout?.setEncoding('utf8').on('data', append);
  child.stderr?.setEncoding('utf8').on('data', append);
  child.once('message', message => answer = message as Omit<Invocation, 'log'>);
  const closed = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill('SIGKILL');
  }, lambda.timeoutSeconds * 1000);
  child.send({
    entry: entryOf(lambda.code, module),
    handlerName,
    event,
    deadline: Date.now() + lambda.timeoutSeconds * 1000,
    network: surroundings.network,
    webCertificate: surroundings.webCertificate,
    context: { awsRequestId, functionName: lambda.name, invokedFunctionArn: lambda.arn, logStreamName, logGroupName: `/aws/lambda/${lambda.name}` },
  }, () => undefined); // a process that cannot be reached is closed, and that is told below
  const code = await closed.finally(() => clearTimeout(timer));
  const failure = timedOut
    ? { name: 'Sandbox.Timedout', message: `Task timed out after ${lambda.timeoutSeconds.toFixed(2)} seconds` }
    : { name: 'Runtime.ExitError', message: `Runtime exited with exit status ${code}` };
  return { ...answer ?? { error: failure }, log };
}

/** @param asset folder of an asset, by its object key */
export function lambdaFunction(state: ResourceState, asset: (objectKey: string) => string | undefined): LambdaFunction {
  const { Code, Handler: handler, Timeout: timeoutSeconds = 3, Environment } = state.properties;
  const code = asset((Code as { S3Key?: string }).S3Key ?? '');
  if (code === undefined) {
    throw new Error(`code of ${state.logicalId} is not rehearsed: it is not an asset of the app`);
  }
  return {
    name: state.physicalId,
    arn: state.attributes.Arn as string,
    handler: handler as string,
    code,
    timeoutSeconds: Number(timeoutSeconds),
    environment: (Environment as { Variables?: Record<string, string> } | undefined)?.Variables ?? {},
  };
}

function entryOf(folder: string, module: string): string {
  const files = ['.js', '.mjs', '.cjs'].map(extension => join(folder, `${module}${extension}`));
  return files.find(existsSync) ?? files[0];
}

function environmentOf(lambda: LambdaFunction, { credentials, endpoints, caFile, packages }: LambdaSurroundings, logStreamName: string) {
  const region = lambda.arn.split(':')[3];
  const own = Object.entries(lambda.environment).map(([name, value]) =>
    [name, name === 'NODE_EXTRA_CA_CERTS' && value === RUNTIME_CA_FILE ? caFile : value]);
  return {
    ...Object.fromEntries(own) as Record<string, string>,
    PATH: process.env.PATH,
    NODE_PATH: packages,
    TZ: ':UTC',
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    ...endpoints,
    AWS_LAMBDA_FUNCTION_NAME: lambda.name,
    AWS_LAMBDA_LOG_STREAM_NAME: logStreamName,
  };
}
