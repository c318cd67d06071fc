import { Stack, StackEvent } from '../../rehearsal/cloudformation/stack';
import {
  Properties,
  ResourceDefinition,
  ResourceFailure,
  ResourceProvider,
} from '../../rehearsal/cloudformation/template';

const IDENTITY = {
  name: 'Shop',
  id: 'arn:aws:cloudformation:eu-west-1:111122223333:stack/Shop/1',
  partition: 'aws',
  region: 'eu-west-1',
  account: '111122223333',
};

/** Keeps what a stack asks of it. Its physical id is `Name`, as of a resource that is replaced when it is renamed. */
class Recorder implements ResourceProvider {
  readonly calls: string[] = [];
  /** Calls that fail. */
  failing: string[] = [];

  create: ResourceProvider['create'] = ({ logicalId, properties }) => this.answer(`create ${logicalId}`, properties);

  readonly update: ResourceProvider['update'] = ({ logicalId, properties }, { physicalId, properties: old }) =>
    this.answer(`update ${logicalId} ${physicalId}: ${show(old)} to ${show(properties)}`, properties);

  readonly delete: ResourceProvider['delete'] = async (_stack, { logicalId, physicalId, properties }) => {
    await this.answer(`delete ${logicalId} ${physicalId}: ${show(properties)}`, properties);
  };

  /** The calls since the last time. */
  take(): string[] {
    return this.calls.splice(0);
  }

  private answer(call: string, { Name }: Properties) {
    this.calls.push(call);
    if (this.failing.some(failing => call.startsWith(failing))) {
      return Promise.reject(new Error('no luck'));
    }
    return Promise.resolve({ physicalId: Name as string, attributes: { Upper: (Name as string).toUpperCase() } });
  }
}

const show = (properties: Properties) => Object.values(properties).join(',');

const resource = (Name: unknown, others: Partial<ResourceDefinition> & { Size?: unknown } = {}): ResourceDefinition => {
  const { Size, ...definition } = others;
  return { Type: 'Custom::Recorded', Properties: { Name, ...Size === undefined ? {} : { Size } }, ...definition };
};

describe('Stack', () => {
  let recorder: Recorder;
  let events: StackEvent[];
  let stack: Stack;

  beforeEach(() => {
    recorder = new Recorder();
    events = [];
    stack = new Stack(IDENTITY, {
      providerFor: () => recorder,
      importValue: name => `imported-${name}`,
      onEvent: event => void events.push(event),
    });
  });

  const deploy = (Resources: Record<string, ResourceDefinition>, others = {}) => stack.deploy({ Resources, ...others });

  describe('create', () => {
    test('creates in dependency order and answers with the outputs', async () => {
      const { status, outputs } = await deploy(
        { Late: resource({ 'Fn::GetAtt': ['Early', 'Upper'] }), Early: resource('early') },
        { Outputs: { Late: { Value: { Ref: 'Late' }, Export: { Name: { 'Fn::Sub': '${AWS::StackName}:late' } } } } },
      );
      expect(status).toBe('CREATE_COMPLETE');
      expect(recorder.take()).toEqual(['create Early', 'create Late']);
      expect(outputs).toEqual({ Late: 'EARLY' });
      expect(stack.exports).toEqual({ 'Shop:late': 'EARLY' });
      expect(events.map(({ status: each, logicalId }) => `${each} ${logicalId}`)).toEqual([
        'CREATE_IN_PROGRESS Early', 'CREATE_COMPLETE Early', 'CREATE_IN_PROGRESS Late', 'CREATE_COMPLETE Late',
      ]);
    });

    test('leaves out resources whose condition is false', async () => {
      await deploy(
        { A: resource('a'), B: resource('b', { Condition: 'Never' }) },
        { Conditions: { Never: { 'Fn::Equals': [1, 2] } } },
      );
      expect(recorder.take()).toEqual(['create A']);
    });

    test('that fails deletes what was created, in reverse order, but not what failed', async () => {
      recorder.failing = ['create C'];
      const { status, reason } = await deploy({
        A: resource('a'),
        B: resource('b', { DependsOn: 'A' }),
        C: resource('c', { DependsOn: 'B' }),
        D: resource('d', { DependsOn: 'C' }),
      });
      expect(status).toBe('ROLLBACK_COMPLETE');
      expect(reason).toBe('C (Custom::Recorded): no luck');
      expect(recorder.take()).toEqual(['create A', 'create B', 'create C', 'delete B b: b', 'delete A a: a']);
      recorder.failing = [];
      expect((await deploy({ A: resource('a') })).status).toBe('CREATE_COMPLETE');
    });

    test('whose rollback fails, too, says both reasons', async () => {
      recorder.failing = ['create B', 'delete A'];
      const { status, reason } = await deploy({ A: resource('a'), B: resource('b') });
      expect(status).toBe('ROLLBACK_FAILED');
      expect(reason).toBe('B (Custom::Recorded): no luck; and then the rollback failed: A (Custom::Recorded): no luck');
    });
  });

  describe('update', () => {
    test('that changes nothing calls nothing', async () => {
      await deploy({ A: resource('a', { Size: [{ x: 1 }] }) });
      recorder.take();
      expect((await deploy({ A: resource('a', { Size: [{ x: 1 }] }) })).status).toBe('UPDATE_COMPLETE');
      expect(recorder.take()).toEqual([]);
    });

    test('of metadata alone calls nothing, and is kept', async () => {
      await deploy({ A: resource('a', { Metadata: { Access: ['shop: CONNECT'] } }) });
      recorder.take();
      expect(
        (await deploy({ A: resource('a', { Metadata: { Access: ['shop: CONNECT', 'shop.public: USAGE'] } }) })).status,
      ).toBe('UPDATE_COMPLETE');
      expect(recorder.take()).toEqual([]);
      expect(stack.resources.get('A')?.definition.Metadata).toEqual({
        Access: ['shop: CONNECT', 'shop.public: USAGE'],
      });
    });

    test('calls what changed, also through what it refers to', async () => {
      await deploy({ A: resource('a'), B: resource('b', { Size: { Ref: 'A' } }), C: resource('c') });
      recorder.take();
      await deploy({ A: resource('a2'), B: resource('b', { Size: { Ref: 'A' } }), C: resource('c') });
      expect(recorder.take()).toEqual(['update A a: a to a2', 'update B b: b,a to b,a2', 'delete A a: a']);
    });

    test('deletes what was replaced with its old id and properties, after all updates', async () => {
      await deploy({ A: resource('a', { Size: 1 }), B: resource('b') });
      recorder.take();
      await deploy({ A: resource('a2', { Size: 2 }), B: resource('b2') });
      expect(recorder.take()).toEqual([
        'update A a: a,1 to a2,2',
        'update B b: b to b2',
        'delete B b: b',
        'delete A a: a,1',
      ]);
      expect(stack.resources.get('A')?.physicalId).toBe('a2');
    });

    test('deletes what was dropped after the updates, in reverse dependency order', async () => {
      await deploy({ A: resource('a'), C: resource('c', { DependsOn: 'B' }), B: resource('b') });
      recorder.take();
      await deploy({ A: resource('a', { Size: 2 }), D: resource('d') });
      expect(recorder.take()).toEqual(['update A a: a to a,2', 'create D', 'delete C c: c', 'delete B b: b']);
    });

    test('creates under a new logical id before it deletes the old one', async () => {
      await deploy({ A: resource('a') });
      recorder.take();
      await deploy({ B: resource('a') });
      expect(recorder.take()).toEqual(['create B', 'delete A a: a']);
    });

    test('is complete even when a deletion afterwards fails', async () => {
      await deploy({ A: resource('a'), B: resource('b') });
      recorder.take();
      recorder.failing = ['delete B'];
      expect((await deploy({ A: resource('a2') })).status).toBe('UPDATE_COMPLETE');
      expect(recorder.take()).toEqual(['update A a: a to a2', 'delete B b: b', 'delete A a: a']);
      expect(events).toContainEqual(
        expect.objectContaining({ status: 'DELETE_FAILED', logicalId: 'B', reason: 'no luck' }),
      );
    });

    test('keeps what has the policy to retain', async () => {
      await deploy({
        A: resource('a', { UpdateReplacePolicy: 'Retain' }),
        B: resource('b', { DeletionPolicy: 'Retain' }),
      });
      recorder.take();
      await deploy({ A: resource('a2', { UpdateReplacePolicy: 'Retain' }) });
      expect(recorder.take()).toEqual(['update A a: a to a2']);
      expect(stack.retained.map(({ physicalId }) => physicalId).sort()).toEqual(['a', 'b']);
      expect([...stack.resources.values()].map(({ physicalId }) => physicalId)).toEqual(['a2']);
    });

    test('of a resource type is refused before anything is done', async () => {
      await deploy({ A: resource('a'), B: resource('b') });
      recorder.take();
      const { status, reason } = await deploy({ A: resource('a2'), B: resource('b', { Type: 'Custom::Other' }) });
      expect(status).toBe('UPDATE_ROLLBACK_COMPLETE');
      expect(reason).toMatch(/^Update of resource type is not permitted: B is Custom::Recorded/);
      expect(recorder.take()).toEqual([]);
    });

    describe('that fails', () => {
      test('updates back what it updated, the failed one included, and deletes what it created', async () => {
        await deploy({ A: resource('a', { Size: 1 }), C: resource('c', { Size: 1 }) });
        recorder.take();
        recorder.failing = ['update C c: c,1 to c,2'];
        const { status, reason } = await deploy({
          A: resource('a', { Size: 2 }), B: resource('b'), C: resource('c', { Size: 2, DependsOn: 'B' }),
        });
        expect(status).toBe('UPDATE_ROLLBACK_COMPLETE');
        expect(reason).toBe('C (Custom::Recorded): no luck');
        expect(recorder.take()).toEqual([
          'update A a: a,1 to a,2', 'create B', 'update C c: c,1 to c,2',
          'update A a: a,2 to a,1', 'update C c: c,2 to c,1', 'delete B b: b',
        ]);
      });

      test('goes back to what was replaced, and deletes the replacement with the new id and properties', async () => {
        await deploy({ A: resource('a'), B: resource('b', { Size: 1 }) });
        recorder.take();
        recorder.failing = ['update B b: b,1 to b,2'];
        await deploy({ A: resource('a2'), B: resource('b', { Size: 2 }) });
        expect(recorder.take()).toEqual([
          'update A a: a to a2', 'update B b: b,1 to b,2',
          'update A a2: a2 to a', 'update B b: b,2 to b,1', 'delete A a2: a2',
        ]);
        expect(stack.resources.get('A')?.physicalId).toBe('a');
      });

      test('deletes nothing that was to be dropped', async () => {
        await deploy({ A: resource('a'), B: resource('b') });
        recorder.take();
        recorder.failing = ['create C'];
        await deploy({ A: resource('a'), C: resource('c') });
        expect(recorder.take()).toEqual(['create C']);
        expect([...stack.resources.keys()]).toEqual(['A', 'B']);
      });

      test('and whose rollback fails is UPDATE_ROLLBACK_FAILED', async () => {
        await deploy({ A: resource('a', { Size: 1 }) });
        recorder.failing = ['update A'];
        expect((await deploy({ A: resource('a', { Size: 2 }) })).status).toBe('UPDATE_ROLLBACK_FAILED');
      });
    });
  });

  describe('at the same time', () => {
    /** Every call takes until the next turn of the event loop, so that those at the same time are seen to be. */
    const atWork = () => {
      let running = 0;
      const seen: number[] = [];
      const during = async <T>(result: Promise<T>) => {
        seen.push(++running);
        await new Promise(setImmediate);
        running--;
        return result;
      };
      stack = new Stack(IDENTITY, {
        providerFor: () => ({
          create: request => during(recorder.create(request)),
          update: (request, current) => during(recorder.update(request, current)),
          delete: (identity, state) => during(recorder.delete(identity, state)),
        }),
        importValue: () => undefined,
        onEvent: () => undefined,
      });
      return seen;
    };

    test('works on what does not depend on each other', async () => {
      const seen = atWork();
      const resources = { A: resource('a'), B: resource('b'), C: resource('c', { DependsOn: ['A', 'B'] }) };
      await deploy(resources);
      expect(seen.splice(0)).toEqual([1, 2, 1]);
      await stack.destroy();
      expect(seen).toEqual([1, 1, 2]);
    });

    test('begins nothing after a failure, and takes back what was under way', async () => {
      atWork();
      recorder.failing = ['create A'];
      const { status } = await deploy({ A: resource('a'), B: resource('b'), C: resource('c', { DependsOn: 'B' }) });
      expect(status).toBe('ROLLBACK_COMPLETE');
      expect(recorder.take()).toEqual(['create A', 'create B', 'delete B b: b']);
    });
  });

  describe('a creation that fails and has a physical id', () => {
    const marked = () => {
      recorder.create = ({ logicalId, properties, cancelled }) => new Promise((resolve, reject) => {
        recorder.calls.push(`create ${logicalId}`);
        if (logicalId === 'B') {
          reject(new ResourceFailure('no luck', 'marker'));
        } else if (cancelled?.aborted === false && logicalId === 'C') {
          cancelled.addEventListener('abort', () =>
            reject(new ResourceFailure('Resource creation cancelled', 'made up')),
          );
        } else {
          resolve({ physicalId: properties.Name as string, attributes: {} });
        }
      });
    };

    test('is deleted, and what it has cancelled, too', async () => {
      marked();
      const { status, reason } = await deploy({
        A: resource('a'),
        B: resource('b', { DependsOn: 'A' }),
        C: resource('c', { DependsOn: 'A' }),
      });
      expect({ status, reason }).toEqual({ status: 'ROLLBACK_COMPLETE', reason: 'B (Custom::Recorded): no luck' });
      expect(recorder.take()).toEqual([
        'create A',
        'create B',
        'create C',
        'delete C made up: c',
        'delete B marker: b',
        'delete A a: a',
      ]);
      expect(
        events.filter(event => event.status === 'CREATE_FAILED').map(({ logicalId, reason }) => [logicalId, reason]),
      ).toEqual([['B', 'no luck'], ['C', 'Resource creation cancelled']]);
    });

    test('is deleted by an update that is rolled back', async () => {
      await deploy({ A: resource('a') });
      recorder.take();
      marked();
      expect(await deploy({ A: resource('a'), B: resource('b') })).toMatchObject({
        status: 'UPDATE_ROLLBACK_COMPLETE',
      });
      expect(recorder.take()).toEqual(['create B', 'delete B marker: b']);
    });
  });

  test.each([[{ Ref: 'AWS::NotificationARNs' }, '[]'], [{ Ref: 'AWS::NoValue' }, 'AWS::NoValue']])(
    'an output that is no string is refused: %j',
    async (Value, shown) => {
      expect(await deploy({ A: resource('a') }, { Outputs: { Out: { Value } } })).toMatchObject({
        status: 'ROLLBACK_COMPLETE',
        reason: `Outputs.Out: expected a string, not ${shown}`,
      });
    },
  );

  describe('destroy', () => {
    test('deletes in reverse dependency order', async () => {
      await deploy({ B: resource('b', { DependsOn: 'A' }), A: resource('a'), C: resource('c', { DependsOn: 'B' }) });
      recorder.take();
      expect((await stack.destroy()).status).toBe('DELETE_COMPLETE');
      expect(recorder.take()).toEqual(['delete C c: c', 'delete B b: b', 'delete A a: a']);
    });

    test('keeps what has the policy to retain', async () => {
      await deploy({ A: resource('a', { DeletionPolicy: 'Retain' }), B: resource('b') });
      recorder.take();
      await stack.destroy();
      expect(recorder.take()).toEqual(['delete B b: b']);
      expect(stack.retained).toMatchObject([{ logicalId: 'A', physicalId: 'a' }]);
    });

    test('keeps what has the policy to retain it except on creation, unless the creation is rolled back', async () => {
      const kept = resource('a', { DeletionPolicy: 'RetainExceptOnCreate' });
      recorder.failing = ['create B'];
      await deploy({ A: kept, B: resource('b', { DependsOn: 'A' }) });
      expect(recorder.take()).toEqual(['create A', 'create B', 'delete A a: a']);
      recorder.failing = [];
      await deploy({ A: kept });
      await stack.destroy();
      expect(recorder.take()).toEqual(['create A']);
    });

    test('that fails can be repeated', async () => {
      await deploy({ A: resource('a'), B: resource('b', { DependsOn: 'A' }), C: resource('c', { DependsOn: 'B' }) });
      recorder.take();
      recorder.failing = ['delete B'];
      expect(await stack.destroy()).toMatchObject({ status: 'DELETE_FAILED', reason: 'B (Custom::Recorded): no luck' });
      recorder.failing = [];
      expect((await stack.destroy()).status).toBe('DELETE_COMPLETE');
      expect(recorder.take()).toEqual(['delete C c: c', 'delete B b: b', 'delete B b: b', 'delete A a: a']);
    });

    test('waits for those who look on', async () => {
      let looked = 0;
      stack = new Stack(IDENTITY, {
        providerFor: () => ({ ...recorder, delete: () => Promise.resolve(void expect(looked).toBeGreaterThan(0)) }),
        importValue: () => undefined,
        onEvent: async () => {
          await new Promise(resolve => setTimeout(resolve, 5));
          looked++;
        },
      });
      await deploy({ A: resource('a') });
      expect(looked).toBe(2);
      await stack.destroy();
      expect(looked).toBe(4);
    });
  });

  describe('an export that another stack imports', () => {
    const exporting = (Value: string, name = 'Shop:Id') => ({ Outputs: { Id: { Value, Export: { Name: name } } } });
    let importer: string | undefined;

    beforeEach(async () => {
      importer = 'Team';
      stack = new Stack(IDENTITY, {
        providerFor: () => recorder,
        importValue: () => undefined,
        importerOf: name => (name === 'Shop:Id' ? importer : undefined),
        onEvent: () => undefined,
      });
      await deploy({ A: resource('a') }, exporting('1'));
    });

    test('cannot go, nor change, while it is imported', async () => {
      expect(await deploy({ A: resource('a') })).toMatchObject({
        status: 'UPDATE_ROLLBACK_COMPLETE',
        reason: 'Cannot delete export Shop:Id as it is in use by Team.',
      });
      expect(await deploy({ A: resource('a') }, exporting('2'))).toMatchObject({
        status: 'UPDATE_ROLLBACK_COMPLETE',
        reason: 'Cannot update export Shop:Id as it is in use by Team.',
      });
      expect(await stack.destroy()).toMatchObject({
        status: 'DELETE_FAILED',
        reason: 'Cannot delete export Shop:Id as it is in use by Team.',
      });
      expect(stack.exports).toEqual({ 'Shop:Id': '1' });
    });

    test('can go when it is not any more', async () => {
      importer = undefined;
      expect(await deploy({ A: resource('a') }, exporting('2'))).toMatchObject({ status: 'UPDATE_COMPLETE' });
      expect(await stack.destroy()).toMatchObject({ status: 'DELETE_COMPLETE' });
    });
  });
});
