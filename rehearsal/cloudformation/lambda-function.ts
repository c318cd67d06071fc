import { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { existsSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { Credentials } from '../iam/credentials';
import { RunFolder } from '../run-folder';
import { ResourceState } from './template';

/** A function as its synthesized template describes it. */
export interface LambdaFunction {
  readonly name: string;
  readonly arn: string;
  /** The ARN that is invoked, which ends with an alias if it was invoked by one. @default - that of the function */
  readonly invokedArn?: string;
  /** `Handler`, such as index.handler. */
  readonly handler: string;
  /** Folder of the bundled code. */
  readonly code: string;
  readonly timeoutSeconds: number;
  readonly logGroup: string;
  readonly environment: Record<string, string>;
}

export interface LambdaSurroundings {
  /** The role that its credentials are of. */
  readonly role: string;
  /** New ones for each environment. */
  readonly issueCredentials: (role: string) => Credentials;
  /** Where the AWS SDK finds the services, as its environment variables. */
  readonly endpoints: Record<string, string>;
  /** Certificate authority of databases in the rehearsal. */
  readonly caFile: string;
  /** The one that stands for those of Amazon. */
  readonly amazonCaFile: string;
  /** Port on 127.0.0.1 of each endpoint of a database, of a proxy and of Amazon S3, by `host:port`. */
  readonly network: Record<string, number>;
  /** What the certificates of Amazon S3 and of proxies are verified with. */
  readonly webCertificate: string;
  /** Folder of the packages that Lambda's runtime has: the AWS SDK. */
  readonly packages: string;
  /** Milliseconds by which its clock is ahead of the one of this machine. */
  readonly aheadMs: number;
}

export interface Invocation {
  readonly result?: unknown;
  readonly error?: { readonly name: string; readonly message: string; readonly trace?: string[] };
  /** What the function wrote to its standard output and error. */
  readonly log: string;
}

/** The certificates of Amazon RDS, as Lambda's runtime for Node.js has them. */
const RUNTIME_CA_FILE = '/var/runtime/ca-cert.pem';

/** The certificates of Amazon, as a function of this library has them in its code. */
const AMAZON_CA_FILE = '/var/task/amazon-ca-certificates.pem';

/** Where the code of a function is. */
const TASK_FOLDER = '/var/task/';

/**
 * Where functions run: a process of its own for each environment, which sees nothing of this process' environment. As
 * on Lambda it is kept for the next invocation of the same function, takes one invocation at a time, and ends with a
 * function that fails to return. Invocations at the same time start at the same pace, each in a new one: a later one
 * does not overtake, which on AWS it hardly could.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 */
export class ExecutionEnvironments {
  private readonly idle = new Map<string, ExecutionEnvironment>();
  private readonly underWay = new Map<string, number>();
  private readonly closed = new AbortController();

  constructor() {
    setMaxListeners(0, this.closed.signal);
  }

  /** @param wrote called with whatever the function writes */
  async invoke(
    lambda: LambdaFunction,
    event: unknown,
    surroundings: LambdaSurroundings,
    wrote: () => void = () => undefined,
  ): Promise<Invocation> {
    const variables = variablesOf(lambda, surroundings);
    const key = JSON.stringify([lambda.arn, lambda.code, surroundings.role, variables]);
    const underWay = this.underWay.get(key) ?? 0;
    const kept = underWay === 0 ? this.idle.get(key) : undefined;
    if (kept) {
      this.idle.delete(key);
    }
    this.underWay.set(key, underWay + 1);
    const environment
      = kept
        ?? new ExecutionEnvironment(lambda.code, { ...variables, ...variablesFor(surroundings) }, this.closed.signal);
    try {
      return await environment.invoke(lambda, event, surroundings, wrote);
    } finally {
      this.underWay.set(key, this.underWay.get(key)! - 1);
      if (environment.isRunning && !this.idle.has(key)) {
        this.idle.set(key, environment);
      } else {
        environment.end();
      }
    }
  }

  /** Ends all of them at once. */
  close(): void {
    this.closed.abort();
  }
}

type Answer = Omit<Invocation, 'log'>;

class ExecutionEnvironment {
  private readonly logStreamName = `rehearsal/[$LATEST]${randomUUID().replaceAll('-', '')}`;
  private readonly child: ChildProcess;
  private readonly exited: Promise<number | null>;
  private log = '';
  private wrote: () => void = () => undefined;

  constructor(code: string, variables: Record<string, string | undefined>, signal: AbortSignal) {
    this.child = RunFolder.open().spawn(process.execPath, [join(__dirname, 'lambda-runtime.mjs')], 'KILL', {
      cwd: code,
      env: { ...variables, AWS_LAMBDA_LOG_STREAM_NAME: this.logStreamName },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      signal,
      killSignal: 'SIGKILL',
    });
    this.exited = new Promise((resolve, reject) => this.child.once('error', reject).once('close', resolve));
    this.exited.catch(() => undefined);
    for (const stream of [this.child.stdout!, this.child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.log += text;
        this.wrote();
      });
    }
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null && this.child.connected;
  }

  end(): void {
    this.child.kill('SIGKILL');
  }

  async invoke(
    lambda: LambdaFunction,
    event: unknown,
    { network, webCertificate, aheadMs }: LambdaSurroundings,
    wrote: () => void,
  ): Promise<Invocation> {
    const [module, handlerName] = lambda.handler.split('.');
    const awsRequestId = randomUUID();
    this.wrote = wrote;
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      this.child.kill('SIGKILL');
    }, lambda.timeoutSeconds * 1000);
    this.keepsThisProcess(true);
    const answered = this.answerTo(awsRequestId);
    this.child.send({
      entry: entryOf(lambda.code, module),
      handlerName,
      event,
      deadline: Date.now() + lambda.timeoutSeconds * 1000,
      aheadMs,
      network,
      webCertificate,
      context: {
        awsRequestId,
        functionName: lambda.name,
        invokedFunctionArn: lambda.invokedArn ?? lambda.arn,
        logStreamName: this.logStreamName,
        logGroupName: lambda.logGroup,
      },
    }, () => undefined); // a process that cannot be reached is closed, and that is told below
    const ended = this.exited.then((code): Answer => ({
      error: timedOut
        ? { name: 'Sandbox.Timedout', message: `Task timed out after ${lambda.timeoutSeconds.toFixed(2)} seconds` }
        : { name: 'Runtime.ExitError', message: `Runtime exited with exit status ${code}` },
    }));
    try {
      const answer = await Promise.race([answered, ended]);
      const log = this.log.replaceAll(endOf(awsRequestId), '');
      this.log = '';
      return { ...answer, log };
    } finally {
      clearTimeout(timer);
      this.child.removeAllListeners('message');
      this.keepsThisProcess(false);
    }
  }

  /**
   * The answer, once all that the function has written before is here: it comes through other pipes, each of which says
   * where it ends.
   */
  private async answerTo(awsRequestId: string): Promise<Answer> {
    const answer = new Promise<Answer>(resolve => this.child.once('message', message => resolve(message as Answer)));
    const ends = [this.child.stdout!, this.child.stderr!].map(stream => new Promise<void>((resolve) => {
      let tail = '';
      const look = (text: string) => {
        tail = (tail + text).slice(-1000);
        if (tail.includes(endOf(awsRequestId))) {
          stream.off('data', look);
          resolve();
        }
      };
      stream.on('data', look);
    }));
    await Promise.all(ends);
    return answer;
  }

  /** One that is idle does not keep this process running, should a caller forget to close it. */
  private keepsThisProcess(keeps: boolean): void {
    for (const handle of [this.child, this.child.channel, this.child.stdout as Socket, this.child.stderr as Socket]) {
      handle?.[keeps ? 'ref' : 'unref']();
    }
  }
}

/** What lambda-runtime.mjs writes at the end of an invocation. */
const endOf = (awsRequestId: string) => `\0END ${awsRequestId}\0`;

/** @param asset folder of an asset, by its object key */
export function lambdaFunction(state: ResourceState, asset: (objectKey: string) => string | undefined): LambdaFunction {
  const { Code, Handler: handler, Timeout: timeoutSeconds = 3, Environment, LoggingConfig } = state.properties;
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
    logGroup: (LoggingConfig as { LogGroup?: string } | undefined)?.LogGroup ?? `/aws/lambda/${state.physicalId}`,
    environment: (Environment as { Variables?: Record<string, string> } | undefined)?.Variables ?? {},
  };
}

/** File of a module of a function, whether it is there or not. */
export function entryOf(folder: string, module: string): string {
  const files = ['.js', '.mjs', '.cjs'].map(extension => join(folder, `${module}${extension}`));
  return files.find(existsSync) ?? files[0];
}

function variablesOf(
  lambda: LambdaFunction,
  { endpoints, caFile, amazonCaFile, packages }: LambdaSurroundings,
): Record<string, string | undefined> {
  const region = lambda.arn.split(':')[3];
  const own = Object.entries(lambda.environment).map(([name, value]) => [
    name,
    value === RUNTIME_CA_FILE
      ? caFile
      : value === AMAZON_CA_FILE
        ? amazonCaFile
        : value.startsWith(TASK_FOLDER)
          ? join(lambda.code, value.slice(TASK_FOLDER.length))
          : value,
  ]);
  return {
    ...Object.fromEntries(own) as Record<string, string>,
    PATH: process.env.PATH,
    NODE_PATH: packages,
    TZ: ':UTC',
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    ...endpoints,
    AWS_LAMBDA_FUNCTION_NAME: lambda.name,
  };
}

function variablesFor({ role, issueCredentials }: LambdaSurroundings): Record<string, string> {
  const { accessKeyId, secretAccessKey, sessionToken } = issueCredentials(role);
  return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken };
}
