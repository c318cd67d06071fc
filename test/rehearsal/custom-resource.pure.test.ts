import { customResource } from '../../rehearsal/cloudformation/custom-resource';
import { Properties, ResourceFailure, ResourceState } from '../../rehearsal/cloudformation/template';

const STACK = {
  name: 'Shop',
  id: 'arn:aws:cloudformation:eu-west-1:111122223333:stack/Shop/1',
  partition: 'aws',
  region: 'eu-west-1',
  account: '111122223333',
};
const PROPERTIES = {
  ServiceToken: 'token',
  ServiceTimeout: 420,
  Port: 5432,
  Flags: [true, false, { Size: 1.5 }],
  Text: 'x',
};
const STRINGS = {
  ServiceToken: 'token',
  ServiceTimeout: '420',
  Port: '5432',
  Flags: ['true', 'false', { Size: '1.5' }],
  Text: 'x',
};
const URL = 'https://response.invalid/1';

const request = (properties: Properties = PROPERTIES, cancelled?: AbortSignal) => ({
  stack: STACK,
  logicalId: 'It',
  type: 'Custom::It',
  properties,
  cancelled,
});
const state = (properties: Properties = PROPERTIES): ResourceState => ({
  logicalId: 'It',
  type: 'Custom::It',
  physicalId: 'it-1',
  properties,
  attributes: {},
  definition: { Type: 'Custom::It' },
});

type Upload = (answer: object) => void;
type Run = (event: Properties, upload: Upload) => Promise<void> | void;

/** A provider with such a function, and the events it got. What the function throws is its error. */
function running(run: Run) {
  const events: Properties[] = [];
  let upload: (text: string) => void = () => undefined;
  const provider = customResource({
    invoke: async (serviceToken, event) => {
      events.push({ ...event, serviceToken });
      try {
        await run(event, answer => upload(JSON.stringify(answer)));
        return { log: '' };
      } catch (error) {
        return { error: { name: 'Error', message: (error as Error).message }, log: '' };
      }
    },
    expectAnswer: () => Promise.resolve({ url: URL, answer: new Promise<string>(resolve => upload = resolve) }),
  });
  return { provider, events };
}

const answering = (answer: object) =>
  running((event, upload) =>
    upload({
      Status: 'SUCCESS',
      PhysicalResourceId: event.PhysicalResourceId ?? 'it-1',
      StackId: event.StackId,
      RequestId: event.RequestId,
      LogicalResourceId: event.LogicalResourceId,
      ...answer,
    }),
  );

async function failureOf(promise: Promise<unknown>): Promise<{ message: string; physicalId?: string }> {
  const error: unknown = await promise.then(() => undefined, (thrown: unknown) => thrown);
  return {
    message: (error as Error).message,
    physicalId: error instanceof ResourceFailure ? error.physicalId : undefined,
  };
}

const MADE_UP = expect.stringMatching(/^Shop-It-[0-9A-F]{12}$/) as string;

describe('customResource', () => {
  test('Create: the event has strings only, and no physical id', async () => {
    const { provider, events } = answering({ Data: { Answer: 42 } });
    expect(await provider.create(request())).toEqual({ physicalId: 'it-1', attributes: { Answer: 42 } });
    expect(events).toEqual([{
      serviceToken: 'token',
      RequestType: 'Create',
      RequestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      StackId: STACK.id,
      ResponseURL: URL,
      LogicalResourceId: 'It',
      ResourceType: 'Custom::It',
      ResourceProperties: STRINGS,
    }]);
  });

  test('Update: the event has the old properties, too', async () => {
    const { provider, events } = answering({ PhysicalResourceId: 'it-2' });
    expect(await provider.update(request(), state({ ...PROPERTIES, Port: 1 }))).toEqual({
      physicalId: 'it-2',
      attributes: {},
    });
    expect(events[0]).toMatchObject({
      RequestType: 'Update',
      PhysicalResourceId: 'it-1',
      ResourceProperties: STRINGS,
      OldResourceProperties: { ...STRINGS, Port: '1' },
    });
  });

  test('Delete: the event has the physical id and no old properties', async () => {
    const { provider, events } = answering({});
    await provider.delete(STACK, state());
    expect(events[0]).toMatchObject({ RequestType: 'Delete', PhysicalResourceId: 'it-1', ResourceProperties: STRINGS });
    expect(events[0]).not.toHaveProperty('OldResourceProperties');
  });

  test('fails with the reason of the answer, and keeps its physical id for the Delete', async () => {
    const { provider } = answering({ Status: 'FAILED', Reason: 'no such role', PhysicalResourceId: 'marker' });
    expect(await failureOf(provider.create(request()))).toEqual({ message: 'no such role', physicalId: 'marker' });
    expect(await failureOf(provider.update(request(), state()))).toEqual({
      message: 'no such role',
      physicalId: 'marker',
    });
    expect(await failureOf(answering({ Status: 'FAILED' }).provider.create(request()))).toMatchObject({
      message: 'it failed without a reason',
    });
  });

  test.each<[string, object, string]>([
    ['no id', { PhysicalResourceId: undefined }, 'Invalid PhysicalResourceId: undefined'],
    ['an empty id', { PhysicalResourceId: '' }, 'Invalid PhysicalResourceId: ""'],
    ['another status', { Status: 'DONE' }, 'the answer has the Status "DONE": SUCCESS and FAILED are allowed'],
    ['another stack', { StackId: 'x' }, 'the answer is about another StackId: "x"'],
    ['another request', { RequestId: 'x' }, 'the answer is about another RequestId: "x"'],
    ['another resource', { LogicalResourceId: 'x' }, 'the answer is about another LogicalResourceId: "x"'],
  ])('refuses an answer with %s', async (_name, answer, message) => {
    const { provider } = answering(answer);
    expect(await failureOf(provider.create(request()))).toEqual({ message, physicalId: MADE_UP });
    expect(await failureOf(provider.update(request(), state()))).toMatchObject({ message });
  });

  test('refuses another id in the answer to Delete', async () => {
    expect(await failureOf(answering({ PhysicalResourceId: 'it-2' }).provider.delete(STACK, state()))).toMatchObject({
      message: 'the answer to Delete is about it-2, not it-1',
    });
  });

  test('refuses answers of more than 4,096 bytes in all', async () => {
    const create = (length: number) => {
      let bytes = 0;
      const { provider } = running((event, upload) => {
        const answer = {
          Status: 'SUCCESS',
          PhysicalResourceId: 'it-1',
          StackId: event.StackId,
          RequestId: event.RequestId,
          LogicalResourceId: 'It',
          Data: { x: 'ü' },
        };
        bytes = Buffer.byteLength(JSON.stringify(answer));
        upload({ ...answer, Data: { x: `ü${'x'.repeat(length - bytes)}` } });
      });
      return provider.create(request());
    };
    await expect(create(4096)).resolves.toMatchObject({ physicalId: 'it-1' });
    expect(await failureOf(create(4097))).toEqual({
      message: 'Response object is too long: 4097 bytes, 4096 are allowed',
      physicalId: MADE_UP,
    });
  });

  test('without an answer it fails, and a Delete follows for an id that is made up', async () => {
    const { provider, events } = running(() => undefined);
    const { message, physicalId } = await failureOf(provider.create(request()));
    expect(message).toBe(
      'CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId '
      + `[${events[0].RequestId as string}]. (the function ended without one)`,
    );
    expect(physicalId).toEqual(MADE_UP);
  });

  test('a function that fails is tried again twice', async () => {
    const { provider, events } = running(() => {
      throw new Error('out of memory');
    });
    expect((await failureOf(provider.create(request()))).message).toMatch(
      /\(the function failed 3 times: out of memory\)$/,
    );
    expect(events).toHaveLength(3);
    expect(new Set(events.map(({ RequestId }) => RequestId)).size).toBe(1);
  });

  test('waits for the answer no longer than ServiceTimeout says', async () => {
    const { provider } = running(() => new Promise(() => undefined));
    expect((await failureOf(provider.create(request({ ...PROPERTIES, ServiceTimeout: '1' })))).message).toMatch(
      /\(there was none within 1 s\)$/,
    );
  });

  test.each([['1', true], ['3600', true], ['0', false], ['3601', false], ['1.5', false], ['soon', false]])(
    'ServiceTimeout %s',
    async (ServiceTimeout, valid) => {
      const created = answering({}).provider.create(request({ ...PROPERTIES, ServiceTimeout }));
      await (valid
        ? expect(created).resolves.toBeDefined()
        : expect(created).rejects.toThrow(
            `ServiceTimeout "${ServiceTimeout}" is not valid: it is a whole number of seconds from 1 to 3600`,
          ));
    },
  );

  test('is cancelled when another resource fails, whatever its function does', async () => {
    const { provider } = running(() => new Promise(() => undefined));
    const cancel = new AbortController();
    const [created, updated] = [
      provider.create(request(PROPERTIES, cancel.signal)),
      provider.update(request(PROPERTIES, cancel.signal), state()),
    ].map(failureOf);
    cancel.abort();
    expect(await created).toEqual({ message: 'Resource creation cancelled', physicalId: MADE_UP });
    expect(await updated).toEqual({ message: 'Resource update cancelled', physicalId: undefined });
  });

  test('refuses another service token', async () => {
    const { provider, events } = answering({});
    await expect(provider.update(request({ ...PROPERTIES, ServiceToken: 'other' }), state())).rejects.toThrow(
      'Modifying service token is not allowed.',
    );
    expect(events).toEqual([]);
  });

  test('refuses a reference to a secret', async () => {
    await expect(
      answering({}).provider.create(request({ Password: '{{resolve:secretsmanager:x:SecretString:password::}}' })),
    ).rejects.toThrow('It.Password: CloudFormation resolves no reference to a secret in a custom resource');
  });
});
