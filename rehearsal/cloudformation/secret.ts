import { randomInt } from 'node:crypto';
import { arn, generatedName } from './native-resource';
import { SecretsManager } from './secrets-manager';
import { Properties, ResourceProvider, ResourceState } from './template';

interface GenerateSecretString {
  readonly SecretStringTemplate?: string;
  readonly GenerateStringKey?: string;
  readonly PasswordLength?: number;
  readonly ExcludeCharacters?: string;
  readonly ExcludePunctuation?: boolean;
}

/** Key of the secret that says what it is attached to, by type. */
const IDENTIFIER_KEYS: Record<string, string> = {
  'AWS::RDS::DBCluster': 'dbClusterIdentifier',
  'AWS::RDS::DBInstance': 'dbInstanceIdentifier',
};

const LETTERS_AND_DIGITS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const PUNCTUATION = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';

/** `AWS::SecretsManager::Secret` */
export function secret(secretsManager: SecretsManager): ResourceProvider {
  return {
    create: async (request) => {
      const name = (request.properties.Name as string | undefined) ?? generatedName(request);
      const id = secretsManager.create(
        arn(request.stack, 'secretsmanager', `secret:${name}`),
        secretString(request.properties),
      );
      return Promise.resolve({ physicalId: id, attributes: { Id: id } });
    },
    update: async ({ properties }, current) => {
      if (JSON.stringify(valueProperties(properties)) !== JSON.stringify(valueProperties(current.properties))) {
        throw new Error('a changed name or value of a secret is not rehearsed');
      }
      return Promise.resolve(current);
    },
    delete: async (_stack, { physicalId }) => Promise.resolve(secretsManager.delete(physicalId)),
  };
}

/**
 * `AWS::SecretsManager::SecretTargetAttachment`: adds to the secret how to reach the database.
 *
 * @param target finds the cluster or instance
 */
export function secretTargetAttachment(
  secretsManager: SecretsManager,
  target: (type: string, id: string) => ResourceState,
): ResourceProvider {
  const attach = ({ SecretId, TargetId, TargetType }: Record<string, string>) => {
    if (!Object.hasOwn(IDENTIFIER_KEYS, TargetType)) {
      throw new Error(`a secret attached to ${TargetType} is not rehearsed`);
    }
    const { physicalId, attributes, properties } = target(TargetType, TargetId);
    const database = properties.DatabaseName ?? properties.DBName;
    const value = JSON.parse(secretsManager.valueOf(SecretId)) as Properties;
    secretsManager.put(SecretId, JSON.stringify({
      ...value,
      engine: 'postgres',
      host: attributes['Endpoint.Address'],
      port: Number(attributes['Endpoint.Port']),
      ...database === undefined ? {} : { dbname: database },
      [IDENTIFIER_KEYS[TargetType]]: physicalId,
    }));
    return Promise.resolve({ physicalId: SecretId, attributes: {} });
  };
  return {
    create: async ({ properties }) => attach(properties as Record<string, string>),
    update: async ({ properties }) => attach(properties as Record<string, string>),
    delete: () => Promise.resolve(),
  };
}

function secretString({ GenerateSecretString: generate, SecretString: given }: Properties): string {
  if (typeof given === 'string') {
    return given;
  }
  const { SecretStringTemplate, GenerateStringKey, ...options } = (generate ?? {}) as GenerateSecretString;
  const password = randomPassword(options);
  return GenerateStringKey === undefined
    ? password
    : JSON.stringify({ ...JSON.parse(SecretStringTemplate ?? '{}') as Properties, [GenerateStringKey]: password });
}

function valueProperties({ Name, GenerateSecretString, SecretString }: Properties): unknown[] {
  return [Name, GenerateSecretString, SecretString];
}

function randomPassword({
  PasswordLength = 32,
  ExcludeCharacters = '',
  ExcludePunctuation = false,
}: GenerateSecretString): string {
  const characters = [...LETTERS_AND_DIGITS, ...(ExcludePunctuation ? '' : PUNCTUATION)].filter(
    character => !ExcludeCharacters.includes(character),
  );
  return Array.from({ length: PasswordLength }, () => characters[randomInt(characters.length)]).join('');
}
