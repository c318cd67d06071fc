import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, IncomingMessage, Server } from 'node:http';
import { AddressInfo } from 'node:net';

interface Secret {
  readonly arn: string;
  readonly name: string;
  value: string;
}

/** Whether the owner of an access key may do something to a resource. */
export type Authorize = (accessKeyId: string, action: string, resource: string) => boolean;

/** The secrets that exist at this moment, and GetSecretValue over HTTP for functions: they find it by AWS_ENDPOINT_URL. */
export class SecretsManager {
  static async listen(authorize: Authorize): Promise<SecretsManager> {
    const secretsManager = new SecretsManager(authorize);
    await new Promise<void>((resolve, reject) => secretsManager.server.once('error', reject).listen(0, '127.0.0.1', resolve));
    return secretsManager;
  }

  private readonly secrets = new Map<string, Secret>();
  private readonly server: Server;

  private constructor(private readonly authorize: Authorize) {
    this.server = createServer((request, response) => {
      void this.answer(request).catch((error: unknown) => failure(500, 'InternalServiceError', String(error))).then(({ status, body }) =>
        response.writeHead(status, { 'Content-Type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body)));
    }).unref();
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise(resolve => this.server.close(resolve));
  }

  create(arnWithoutSuffix: string, value: string): string {
    const arn = `${arnWithoutSuffix}-${randomBytes(3).toString('hex')}`;
    this.secrets.set(arn, { arn, name: arnWithoutSuffix.split(':secret:')[1], value });
    return arn;
  }

  valueOf(id: string): string {
    return this.find(id)?.value ?? problem(`secret ${id} does not exist`);
  }

  put(id: string, value: string): void {
    (this.find(id) ?? problem(`secret ${id} does not exist`)).value = value;
  }

  delete(arn: string): void {
    this.secrets.delete(arn);
  }

  /** A dynamic reference to a secret, resolved; any other text as it is. */
  resolveReference(text: string): string {
    return text.replace(/\{\{resolve:secretsmanager:(.+?):SecretString(?::([^:}]*))?(?::[^:}]*){0,2}\}\}/g, (_, id: string, key?: string) => {
      const value = this.valueOf(id);
      return key ? (JSON.parse(value) as Record<string, string>)[key] ?? problem(`secret ${id} has no key ${key}`) : value;
    });
  }

  /** By ARN, by ARN without the random suffix, or by name. */
  private find(id: string): Secret | undefined {
    return [...this.secrets.values()].find(({ arn, name }) => id === arn || id === name || id === arn.slice(0, -7));
  }

  private async answer(request: IncomingMessage): Promise<Answer> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk as Buffer);
    }
    const target = request.headers['x-amz-target'];
    if (target !== 'secretsmanager.GetSecretValue') {
      return failure(400, 'UnknownOperationException', `${String(target)} is not rehearsed`);
    }
    const { SecretId: id } = JSON.parse(Buffer.concat(chunks).toString()) as { SecretId: string };
    const accessKeyId = /Credential=([^/]+)\//.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const secret = this.find(id);
    if (!secret) {
      return failure(400, 'ResourceNotFoundException', 'Secrets Manager can\'t find the specified secret.');
    }
    if (!this.authorize(accessKeyId, 'secretsmanager:GetSecretValue', secret.arn)) {
      return failure(400, 'AccessDeniedException', `not authorized to perform: secretsmanager:GetSecretValue on resource: ${secret.arn} `
        + 'because no identity-based policy allows the secretsmanager:GetSecretValue action');
    }
    const { arn: ARN, name: Name, value: SecretString } = secret;
    return { status: 200, body: { ARN, Name, SecretString, VersionId: randomUUID(), VersionStages: ['AWSCURRENT'] } };
  }
}

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

function failure(status: number, type: string, message: string): Answer {
  return { status, body: { __type: type, message } };
}

function problem(message: string): never {
  throw new Error(message);
}
