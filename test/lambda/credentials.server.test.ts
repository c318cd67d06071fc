import { createServer } from 'node:http';
import { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { readAdmin } from '../../lambda/provisioner/transport/credentials';
import { ProvisionError } from '../../lambda/shared/errors';
import { AwsEndpoint } from '../../rehearsal/cloudformation/aws-endpoint';
import { SecretsManager } from '../../rehearsal/cloudformation/secrets-manager';
import { failure } from './stack';

const UNREACHABLE
  = 'the subnets of the provisioner need a way to Secrets Manager: a NAT gateway, or an interface endpoint for '
    + 'com.amazonaws.<region>.secretsmanager that lets its security group in on port 443';

describe('the secret of the admin', () => {
  const environment = process.env;
  let secretsManager: SecretsManager;
  let endpoint: AwsEndpoint;
  let allowed: boolean;

  beforeEach(async () => {
    allowed = true;
    secretsManager = new SecretsManager((_, action) => allowed && action === 'secretsmanager:GetSecretValue');
    endpoint = await AwsEndpoint.listen([secretsManager.service]);
    process.env = {
      ...environment,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'AKIA',
      AWS_SECRET_ACCESS_KEY: 'x',
      AWS_ENDPOINT_URL: endpoint.url,
    };
  });
  afterEach(async () => {
    process.env = environment;
    await endpoint.close();
  });

  const secret = (value: string) =>
    secretsManager.create('arn:aws:secretsmanager:eu-central-1:123456789012:secret:admin', value);

  test.each([
    ['of CDK, with host and more',
      JSON.stringify({ username: 'postgres', password: 'p"w', host: 'h', port: 5432, engine: 'postgres', dbname: 'shop' })],
    ['that RDS manages, with these two only', JSON.stringify({ username: 'postgres', password: 'p"w' })],
  ])('one %s', async (_, value) => {
    await expect(readAdmin(secret(value))).resolves.toEqual({ username: 'postgres', password: 'p"w' });
  });

  test.each([
    ['text', 'hunter2'],
    ['JSON that breaks off', '{"username":"postgres","password":"hunter2'],
    ['a list', '["hunter2"]'],
    ['null', 'null'],
    ['no password', '{"username":"hunter2"}'],
    ['an empty password', '{"username":"hunter2","password":""}'],
    ['a number', '{"username":"hunter2","password":1}'],
  ])('one that is %s is refused, without a word of it', async (_, value) => {
    const arn = secret(value);
    expect(await failure(readAdmin(arn))).toBe(
      `secret ${arn} is not a JSON object with a username and a password; store the admin's credentials in this form`,
    );
  });

  test('one that the role may not read', async () => {
    allowed = false;
    const arn = secret('{}');
    expect(await failure(readAdmin(arn))).toMatch(
      new RegExp(
        `^cannot read the admin's secret ${arn}: AccessDeniedException: .*; `
        + "allow the provisioner's role secretsmanager:GetSecretValue on it and, where it has a key of its own, kms:Decrypt on the key; check its resource policy$",
      ),
    );
  });

  test('one that does not exist', async () => {
    expect(await failure(readAdmin('arn:gone'))).toBe(
      "cannot read the admin's secret arn:gone: ResourceNotFoundException: Secrets Manager can't find the specified secret.; check that the secret still exists in this Region",
    );
  });

  test('Secrets Manager that refuses the connection: the endpoint to add is named', async () => {
    await endpoint.close();
    expect(await failure(readAdmin('arn'))).toMatch(
      new RegExp(`^cannot read the admin's secret arn: .*ECONNREFUSED.*; ${escaped(UNREACHABLE)}$`),
    );
    endpoint = await AwsEndpoint.listen([]);
  });

  test.each([
    ['no JSON', 'hunter2 is no JSON'],
    ['JSON that breaks off', '{"SecretString":"hunter2'],
    ['a list', '["hunter2"]'],
    ['a secret that is a number', '{"SecretString":7,"ARN":"hunter2"}'],
    ['a secret that is an object', '{"SecretString":{"username":"hunter2"}}'],
    [
      'a secret with a zero in the username',
      JSON.stringify({ SecretString: '{"username":"a\\u0000hunter2","password":"x"}' }),
    ],
  ])('an answer that is %s is refused, without a word of it', async (_, body) => {
    for (const status of [200, 400]) {
      const odd = createServer((_request, response) =>
        response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(body),
      );
      await new Promise<void>(resolve => odd.listen(0, '127.0.0.1', resolve));
      process.env.AWS_ENDPOINT_URL = `http://127.0.0.1:${(odd.address() as AddressInfo).port}`;
      const error = await readAdmin('arn').then(() => undefined, (problem: Error) => problem);
      odd.closeAllConnections();
      await new Promise(resolve => odd.close(resolve));
      expect(error).toBeInstanceOf(ProvisionError);
      expect(inspect(error, { depth: 5 })).not.toContain('hunter2');
    }
  });

  test('Secrets Manager that does not answer: known within 30 seconds, and the endpoint to add is named', async () => {
    const mute = createServer(() => undefined);
    await new Promise<void>(resolve => mute.listen(0, '127.0.0.1', resolve));
    process.env.AWS_ENDPOINT_URL = `http://127.0.0.1:${(mute.address() as AddressInfo).port}`;
    // Its timers are turned as fast as it sets them; until one of them gives up, nothing else happens.
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'Date'] });
    try {
      let message: string | undefined;
      void failure(readAdmin('arn')).then(text => message = text);
      for (let seconds = 0; message === undefined && seconds < 30; seconds++) {
        await new Promise(resolve => setImmediate(resolve));
        await jest.advanceTimersByTimeAsync(1_000);
      }
      expect(message).toMatch(
        new RegExp(`^cannot read the admin's secret arn: TimeoutError: .*; ${escaped(UNREACHABLE)}$`),
      );
    } finally {
      jest.useRealTimers();
      mute.closeAllConnections();
      await new Promise(resolve => mute.close(resolve));
    }
  });
});

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
