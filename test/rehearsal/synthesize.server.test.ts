import { synthesize } from '../../rehearsal/cloudformation/synthesize';

describe('synthesize', () => {
  test('runs an app with its context', async () => {
    const { stacks } = await synthesize('test/rehearsal/fixtures/synthesized-app.ts', { size: '3' });
    expect(stacks).toMatchObject([{ name: 'Shop', template: { Outputs: { Size: { Value: '3' } } } }]);
  });

  test('tells in one line why an app does not synthesize', async () => {
    await expect(synthesize('test/rehearsal/fixtures/synthesized-app.ts')).rejects.toThrow(
      /^test\/rehearsal\/fixtures\/synthesized-app\.ts does not synthesize: Error: no size in the context$/,
    );
    await expect(synthesize('test/rehearsal/fixtures/none.ts')).rejects.toThrow(
      'none.ts does not synthesize: there is no such file',
    );
  });
});
