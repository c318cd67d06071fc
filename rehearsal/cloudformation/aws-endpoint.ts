import { createServer, IncomingMessage, Server } from 'node:http';
import { AddressInfo } from 'node:net';

/** A call of an AWS API, as the SDK sends it. */
export interface AwsCall {
  readonly method: string;
  readonly path: string;
  /** Service and action, for the APIs that are called by a header. */
  readonly target?: string;
  readonly body: string;
  /** Whose access key it is signed with. */
  readonly accessKeyId: string;
  /** Which Region it is signed for. */
  readonly region: string;
}

export interface AwsAnswer {
  readonly status: number;
  /** Of services that answer JSON. */
  readonly body: unknown;
  /** In its place, as it is written. */
  readonly text?: string;
  readonly headers?: Record<string, string>;
}

/** Answers the calls that are its own. */
export type AwsService = (call: AwsCall) => Promise<AwsAnswer | undefined> | AwsAnswer | undefined;

/** Where rehearsed functions find AWS, by AWS_ENDPOINT_URL. What no service answers is an error. */
export class AwsEndpoint {
  static async listen(services: AwsService[]): Promise<AwsEndpoint> {
    const endpoint = new AwsEndpoint(services);
    await new Promise<void>((resolve, reject) => endpoint.server.once('error', reject).listen(0, '127.0.0.1', resolve));
    return endpoint;
  }

  /** The clock of AWS. */
  now = () => new Date();

  private readonly server: Server;

  private constructor(private readonly services: AwsService[]) {
    this.server = createServer((request, response) => {
      void this.answer(request)
        .catch((error: unknown) => failure(500, 'InternalServiceError', String(error)))
        .then(({ status, body, text = JSON.stringify(body), headers }) =>
          response
            .writeHead(status, {
              'Content-Type': 'application/x-amz-json-1.1',
              'Date': this.now().toUTCString(),
              ...headers,
            })
            .end(text),
        );
    }).unref();
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise(resolve => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage): Promise<AwsAnswer> {
    const { method = '', url: path = '', headers } = request;
    const target = headers['x-amz-target'] as string | undefined;
    // Credential=<access key id>/<date>/<region>/<service>/aws4_request
    const [, accessKeyId = '', region = '']
      = /Credential=([^/]+)\/\d+\/([^/]+)\//.exec(headers.authorization ?? '') ?? [];
    const call = { method, path, target, accessKeyId, region, body: await bodyOf(request) };
    for (const service of this.services) {
      const answer = await service(call);
      if (answer) {
        return answer;
      }
    }
    return failure(400, 'UnknownOperationException', `${target ?? `${method} ${path}`} is not rehearsed`);
  }
}

/** As services answer that use JSON. */
export function failure(status: number, type: string, message: string): AwsAnswer {
  return { status, body: { __type: type, message, Message: message }, headers: { 'x-amzn-ErrorType': type } };
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}
