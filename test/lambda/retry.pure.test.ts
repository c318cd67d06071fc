import { Budget, PATIENCE_MS } from '../../lambda/provisioner/budget';
import { ProvisionError } from '../../lambda/provisioner/errors';
import { withRetries } from '../../lambda/provisioner/retry';
import { Clock } from '../../lambda/shared/clock';

/** Time passes only by sleeping, or as a test says. */
class Time implements Clock {
  public time = 1_000;
  public now(): number {
    return this.time;
  }

  public sleep(milliseconds: number): Promise<void> {
    this.time += milliseconds;
    return Promise.resolve();
  }
}

describe('Budget', () => {
  test('work ends before the Lambda does, patience before the work', () => {
    const time = new Time();
    const budget = new Budget(time, 300_000);
    expect([budget.elapsedMs(), budget.remainingMs(), budget.waitLimitMs()]).toEqual([0, 295_000, PATIENCE_MS]);
    time.time += 20_000;
    expect([budget.elapsedMs(), budget.remainingMs(), budget.waitLimitMs()]).toEqual([20_000, 275_000, 30_000]);
  });

  test('time spent in a queue that moves does not try the patience, but is time', () => {
    const time = new Time();
    const budget = new Budget(time, 300_000);
    time.time += 100_000;
    budget.discountMs(90_000);
    expect([budget.elapsedMs(), budget.waitedMs(), budget.remainingMs(), budget.waitLimitMs()]).toEqual([
      100_000, 10_000, 195_000, 40_000,
    ]);
  });

  test('what was spent in a queue that moves does not count as waiting, but as work', () => {
    const time = new Time();
    const budget = new Budget(time, 300_000);
    time.time += 60_000;
    budget.discountMs(55_000);
    expect([budget.elapsedMs(), budget.waitedMs(), budget.remainingMs(), budget.waitLimitMs()]).toEqual([
      60_000, 5_000, 235_000, 45_000,
    ]);
  });

  test('never 0, which means "no limit" to PostgreSQL', () => {
    const time = new Time();
    const budget = new Budget(time, 6_000);
    time.time += 60_000;
    expect([budget.remainingMs(), budget.waitLimitMs()]).toEqual([1, 1]);
  });
});

describe('withRetries', () => {
  const failing = (time: Time, error: Error, attemptMs = 0) => {
    const attempt = jest.fn(() => {
      time.time += attemptMs;
      return Promise.reject(error);
    });
    return attempt;
  };

  test('stops when the error says so', async () => {
    const time = new Time();
    const attempt = failing(time, new ProvisionError('x', { retryUntil: 5_000 }), 100);
    await expect(withRetries(new Budget(time, 300_000), attempt, () => undefined)).rejects.toThrow('x');
    expect(time.time).toBeLessThanOrEqual(6_100);
    expect(attempt.mock.calls.length).toBeGreaterThan(3);
  });

  test('stops when the Lambda runs out of time', async () => {
    const time = new Time();
    await expect(
      withRetries(
        new Budget(time, 8_000),
        failing(time, new ProvisionError('x', { retryUntil: 50_000 }), 100),
        () => undefined,
      ),
    ).rejects.toThrow('x');
    expect(time.time).toBeLessThanOrEqual(4_100);
  });

  test.each([
    ['an error that is final', new ProvisionError('x')],
    ['an error of the program', new TypeError('x')],
  ])('does not try %s again', async (_, error) => {
    const time = new Time();
    const attempt = failing(time, error);
    await expect(withRetries(new Budget(time, 300_000), attempt, () => undefined)).rejects.toBe(error);
    expect(attempt).toHaveBeenCalledTimes(1);
  });

  test('leaves an error to others that is not for this place', async () => {
    const time = new Time();
    const attempt = failing(time, new ProvisionError('x', { retryUntil: 5_000 }), 100);
    await expect(withRetries(new Budget(time, 300_000), attempt, () => undefined, () => false)).rejects.toThrow('x');
    expect(attempt).toHaveBeenCalledTimes(1);
  });

  test('what was spent in a queue is no reason to stop', async () => {
    const time = new Time();
    const budget = new Budget(time, 300_000);
    time.time += 60_000;
    budget.discountMs(60_000);
    const attempt = failing(time, new ProvisionError('x', { retryUntil: 5_000 }), 100);
    await expect(withRetries(budget, attempt, () => undefined)).rejects.toThrow('x');
    expect(attempt.mock.calls.length).toBeGreaterThan(3);
    expect(time.time).toBeLessThanOrEqual(66_100);
  });

  test('leaves to the level above what is not worth it here', async () => {
    const time = new Time();
    const attempt = failing(time, new ProvisionError('x', { retryUntil: 50_000 }));
    await expect(
      withRetries(
        new Budget(time, 300_000),
        attempt,
        () => undefined,
        ({ message }) => message !== 'x',
      ),
    ).rejects.toThrow('x');
    expect(attempt).toHaveBeenCalledTimes(1);
  });

  test('tells each error before it waits, and returns what the attempt returns', async () => {
    const time = new Time();
    let round = 0;
    const told: string[] = [];
    const result = await withRetries(
      new Budget(time, 300_000),
      () =>
        round++ < 2
          ? Promise.reject(new ProvisionError(`round ${round}`, { retryUntil: 9_000 }))
          : Promise.resolve('done'),
      ({ message }) => told.push(message),
    );
    expect(result).toBe('done');
    expect(told).toEqual(['round 1', 'round 2']);
  });
});
