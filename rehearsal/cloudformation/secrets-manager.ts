import { randomBytes, randomUUID } from 'node:crypto';
import { AwsService, failure } from './aws-endpoint';
import { arn } from './native-resource';
import { StackIdentity } from './template';

export interface Secret {
  readonly arn: string;
  readonly name: string;
  value: string;
}

/** Whether the owner of an access key may do something to a resource. */
export type Authorize = (accessKeyId: string, action: string, resource: string) => boolean;

/** The secrets that exist at this moment. */
export class SecretsManager {
  private readonly secrets = new Map<string, Secret>();
  constructor(private readonly authorize: Authorize) {}

  create(arnWithoutSuffix: string, value: string): string {
    const arn = `${arnWithoutSuffix}-${randomBytes(3).toString('hex')}`;
    this.secrets.set(arn, { arn, name: arnWithoutSuffix.split(':secret:')[1], value });
    return arn;
  }

  /** A secret of another app, with a username and a password that nothing else knows. */
  standIn(stack: StackIdentity, id: string, username = 'postgres'): { username: string; password: string } {
    const value = { username, password: randomBytes(12).toString('hex') };
    const isComplete = /^arn:.+-[A-Za-z0-9]{6}$/.test(id);
    const withoutSuffix = id.startsWith('arn:') ? id : arn(stack, 'secretsmanager', `secret:${id}`);
    if (isComplete) {
      this.secrets.set(id, { arn: id, name: id.split(':secret:')[1].slice(0, -7), value: JSON.stringify(value) });
    } else {
      this.create(withoutSuffix, JSON.stringify(value));
    }
    return value;
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

  /** ARN of the secret that a text refers to. */
  referenceIn(text: string): string {
    return /\{\{resolve:secretsmanager:(.+?):SecretString/.exec(text)?.[1] ?? problem(`${text} refers to no secret`);
  }

  /** A dynamic reference to a secret, resolved; any other text as it is. */
  resolveReference(text: string): string {
    return text.replace(
      /\{\{resolve:secretsmanager:(.+?):SecretString(?::([^:}]*))?(?::[^:}]*){0,2}\}\}/g,
      (_, id: string, key?: string) => {
        const value = this.valueOf(id);
        return key
          ? ((JSON.parse(value) as Record<string, string>)[key] ?? problem(`secret ${id} has no key ${key}`))
          : value;
      },
    );
  }

  /** By ARN, by ARN without the random suffix, or by name. */
  find(id: string): Secret | undefined {
    return [...this.secrets.values()].find(({ arn, name }) => id === arn || id === name || id === arn.slice(0, -7));
  }

  /** GetSecretValue, for whom a policy allows it. */
  readonly service: AwsService = ({ target, body, accessKeyId }) => {
    if (target !== 'secretsmanager.GetSecretValue') {
      return undefined;
    }
    const { SecretId: id } = JSON.parse(body) as { SecretId: string };
    const secret = this.find(id);
    if (!secret) {
      return failure(400, 'ResourceNotFoundException', 'Secrets Manager can\'t find the specified secret.');
    }
    if (!this.authorize(accessKeyId, 'secretsmanager:GetSecretValue', secret.arn)) {
      return failure(
        400,
        'AccessDeniedException',
        `not authorized to perform: secretsmanager:GetSecretValue on resource: ${secret.arn} `
        + 'because no identity-based policy allows the secretsmanager:GetSecretValue action',
      );
    }
    const { arn: ARN, name: Name, value: SecretString } = secret;
    return { status: 200, body: { ARN, Name, SecretString, VersionId: randomUUID(), VersionStages: ['AWSCURRENT'] } };
  };
}

function problem(message: string): never {
  throw new Error(message);
}
