import { Budget } from '../../lambda/provisioner/budget';
import { TransactionLost } from '../../lambda/provisioner/transport/data-api/errors';
import { ProvisionError } from '../../lambda/provisioner/errors';
import { confirmByNewSession } from '../../lambda/provisioner/transport/data-api/confirm';
import { Calls, PooledSession } from '../../lambda/provisioner/transport/data-api/session';

const LAMBDA_MS = 300_000;
const CALL_MS = 60_000;
const lost = new TransactionLost('AbortError: aborted', false);
const gone = new TransactionLost('TransactionNotFoundException: gone', true);
const throttled = new ProvisionError('too many calls', { retryUntil: 1 });
const denied = new ProvisionError('not allowed');

/**
 * A transaction whose commit nobody heard of: when its session gives up, and how often it has asked for its end until
 * then.
 */
async function settled(
  answers: (n: number) => Error | undefined,
  callMs = 0,
): Promise<{ rollbacks: number; milliseconds: number }> {
  let milliseconds = 0;
  let rollbacks = 0;
  const budget = new Budget(
    { now: () => milliseconds, sleep: delay => Promise.resolve(void (milliseconds += delay)) },
    LAMBDA_MS,
  );
  const calls: Calls = {
    begin: () => Promise.resolve('1'),
    execute: () => Promise.resolve(['1 off read committed']),
    commit: () => Promise.reject(lost),
    rollback: () => {
      milliseconds += Math.min(callMs, budget.remainingMs());
      const answer = answers(++rollbacks);
      return answer ? Promise.reject(answer) : Promise.resolve();
    },
  };
  const session = new PooledSession(calls, 'arn', 'shop', budget);
  session.begin();
  await session.execute(['SET x = 1']);
  await expect(session.commit([])).rejects.toBe(lost);
  return { rollbacks, milliseconds };
}

describe('a transaction whose commit was not answered is asked to end', () => {
  test.each([['was rolled back', undefined], ['is not there any more', gone], ['may not be ended', denied]])(
    'until it %s',
    async (_, answer) => {
      expect((await settled(n => n < 3 ? lost : answer)).rollbacks).toBe(3);
    },
  );

  test('again where there were too many calls', async () => {
    expect((await settled(n => n < 3 ? throttled : undefined)).rollbacks).toBe(3);
  });

  test('not for ever', async () => {
    expect(await settled(() => lost)).toEqual({ rollbacks: 20, milliseconds: 10_000 });
  });

  test('and the reason is given before the function is killed, also if no call is answered', async () => {
    expect((await settled(() => lost, CALL_MS)).milliseconds).toBeLessThan(LAMBDA_MS - 4_000);
  });
});

describe('whether the admin still signs in', () => {
  const callsWith = (begin: () => Promise<string>, execute: () => Promise<string[]>): Calls => ({
    begin,
    execute,
    commit: () => Promise.resolve(),
    rollback: () => Promise.resolve(),
  });

  test.each([
    ['to begin a transaction', callsWith(() => Promise.reject(lost), () => Promise.resolve(['1 2']))],
    ['to ask when its session has begun', callsWith(() => Promise.resolve('1'), () => Promise.reject(lost))],
  ])('is asked again after a call %s of which no answer came: no event is refused by it', async (_, calls) => {
    const error = await confirmByNewSession(calls, 'arn').then(() => undefined, (failed: ProvisionError) => failed);
    expect(error).toBeInstanceOf(ProvisionError);
    expect(error!.retryUntil).toBeGreaterThan(0);
    expect(error!.message).toMatch(
      /the connection broke \(AbortError: aborted\); check that the database is available$/,
    );
  });
});
