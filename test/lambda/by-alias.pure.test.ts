import { byAlias } from '../../lambda/provisioner/by-alias';

const ARN = 'arn:aws:lambda:eu-central-1:123456789012:function:handler';
const handle = byAlias({ plan: () => Promise.resolve('planned') }, () => Promise.resolve('executed'));
const invoked = (invokedFunctionArn: string | undefined, event: unknown = {}) =>
  handle(event, {
    awsRequestId: 'r',
    functionName: 'handler',
    invokedFunctionArn,
    getRemainingTimeInMillis: () => 1000,
  });

test.each([
  ['the function', ARN, 'executed'],
  ['its latest version', `${ARN}:$LATEST`, 'executed'],
  ['an alias', `${ARN}:plan`, 'planned'],
])('%s', async (_, arn, answer) => {
  await expect(invoked(arn)).resolves.toBe(answer);
});

test.each([`${ARN}:plan:$LATEST`, `${ARN}:plan:drift`])(
  'what stands behind the alias counts for nothing: %s',
  async (arn) => {
    await expect(invoked(arn)).resolves.toBe('planned');
  },
);

test('an event does not say by which alias it came', async () => {
  await expect(invoked(`${ARN}:plan`, { invokedFunctionArn: ARN, RequestType: 'Delete' })).resolves.toBe('planned');
});

test.each(['drift', '7', 'toString', '__proto__', 'constructor', 'PLAN', 'plan ', ''])(
  'another alias, %j, gets nowhere',
  async (alias) => {
    await expect(invoked(`${ARN}:${alias}`)).rejects.toThrow(
      `alias ${JSON.stringify(alias)} is not one of this function: known are plan; invoke one of them`,
    );
  },
);
