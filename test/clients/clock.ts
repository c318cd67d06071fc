import { mock } from 'node:test';

/**
 * Runs something with the clock of this process moved on, that is the gateway's and that of clients inside this
 * process.
 */
export async function later<Result>(minutes: number, work: () => Promise<Result>): Promise<Result> {
  mock.timers.enable({ apis: ['Date'], now: Date.now() + minutes * 60_000 });
  try {
    return await work();
  } finally {
    mock.timers.reset();
  }
}
