import { customResource } from '../../rehearsal/cloudformation/custom-resource';
import { Properties, ResourceState } from '../../rehearsal/cloudformation/template';

const STACK = { name: 'Shop', id: 'arn:aws:cloudformation:eu-west-1:111122223333:stack/Shop/1', partition: 'aws', region: 'eu-west-1', account: '111122223333' };
const PROPERTIES = { ServiceToken: 'token', ServiceTimeout: 420, Port: 5432, Flags: [true, false, { Size: 1.5 }], Text: 'x' };
const STRINGS = { ServiceToken: 'token', ServiceTimeout: '420', Port: '5432', Flags: ['true', 'false', { Size: '1.5' }], Text: 'x' };

const request = (properties: Properties = PROPERTIES) => ({ stack: STACK, logicalId: 'It', type: 'Custom::It', properties });
const state = (properties: Properties = PROPERTIES): ResourceState =>
  ({ logicalId: 'It', type: 'Custom::It', physicalId: 'it-1', properties, attributes: {}, definition: { Type: 'Custom::It' } });

/** A provider whose handler answers always the same, and the events it got. */
function answering(result: unknown, error?: { name: string; message: string }) {
  const events: Properties[] = [];
  const provider = customResource((serviceToken, event) => {
    events.push({ ...event, serviceToken });
    return Promise.resolve({ result, error, log: '' });
  });
  return { provider, events };
}

describe('customResource', () => {
  test('Create: the event has strings only, and no physical id', async () => {
    const { provider, events } = answering({ PhysicalResourceId: 'it-1', Data: { Answer: 42 } });
    expect(await provider.create(request())).toEqual({ physicalId: 'it-1', attributes: { Answer: 42 } });
    expect(events).toEqual([{
      serviceToken: 'token',
      RequestType: 'Create',
      RequestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      StackId: STACK.id,
      ResponseURL: expect.stringMatching(/^https:/) as string,
      LogicalResourceId: 'It',
      ResourceType: 'Custom::It',
      ResourceProperties: STRINGS,
    }]);
  });

  test('Update: the event has the old properties, too', async () => {
    const { provider, events } = answering({ PhysicalResourceId: 'it-2' });
    expect(await provider.update(request(), state({ ...PROPERTIES, Port: 1 }))).toEqual({ physicalId: 'it-2', attributes: {} });
    expect(events[0]).toMatchObject({
      RequestType: 'Update', PhysicalResourceId: 'it-1', ResourceProperties: STRINGS, OldResourceProperties: { ...STRINGS, Port: '1' },
    });
  });

  test('Delete: the event has the physical id and no old properties; the answer may be empty', async () => {
    const { provider, events } = answering(undefined);
    await provider.delete(STACK, state());
    expect(events[0]).toMatchObject({ RequestType: 'Delete', PhysicalResourceId: 'it-1', ResourceProperties: STRINGS });
    expect(events[0]).not.toHaveProperty('OldResourceProperties');
  });

  test('fails with the message of the handler\'s error', async () => {
    const { provider } = answering(undefined, { name: 'ProvisionError', message: 'no such role' });
    await expect(provider.create(request())).rejects.toThrow(/^no such role$/);
  });

  test.each<[string, unknown]>([['no answer', undefined], ['no id', { Data: {} }], ['an empty id', { PhysicalResourceId: '' }]])(
    'refuses %s to Create and Update', async (_name, answer) => {
      const { provider } = answering(answer);
      await expect(provider.create(request())).rejects.toThrow('the answer to Create has no PhysicalResourceId');
      await expect(provider.update(request(), state())).rejects.toThrow('the answer to Update has no PhysicalResourceId');
    });

  test('refuses another id in the answer to Delete', async () => {
    const { provider } = answering({ PhysicalResourceId: 'it-2' });
    await expect(provider.delete(STACK, state())).rejects.toThrow('cannot change the physical resource ID from "it-1" to "it-2"');
  });

  test('refuses answers of more than 4,096 bytes in all', async () => {
    const create = (length: number) => answering({ PhysicalResourceId: 'it-1', Data: { x: 'ü'.repeat(length / 2) } }).provider.create(request());
    await expect(create(4096)).rejects.toThrow(/^Response object is too long: \d+ bytes, 4096 are allowed$/);
    await expect(create(3600)).resolves.toMatchObject({ physicalId: 'it-1' });
  });

  test('refuses another service token', async () => {
    const { provider, events } = answering({ PhysicalResourceId: 'it-1' });
    await expect(provider.update(request({ ...PROPERTIES, ServiceToken: 'other' }), state())).rejects.toThrow('Modifying service token is not allowed.');
    expect(events).toEqual([]);
  });

  test('refuses a reference to a secret', async () => {
    const { provider } = answering({ PhysicalResourceId: 'it-1' });
    await expect(provider.create(request({ Password: '{{resolve:secretsmanager:x:SecretString:password::}}' })))
      .rejects.toThrow('It.Password: CloudFormation resolves no reference to a secret in a custom resource');
  });
});
