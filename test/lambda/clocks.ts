import { setTimeout } from 'node:timers/promises';
import { Clock } from '../../lambda/shared/clock';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';

/** A clock of a handler that tells how long it was to sleep. */
export interface CountingClock extends Clock {
  /** Milliseconds of all sleeps together. */
  readonly slept: () => number;
}

/** Sleeps are over at once. Time passes by sleeping alone, so that no limit depends on the speed of the machine. */
export function sleepingClock(): CountingClock {
  return countingClock(() => 0);
}

/** Sleeps are over at once, and work takes the time that it takes. */
export function skippingClock(): CountingClock {
  return countingClock(() => performance.now());
}

function countingClock(worked: () => number): CountingClock {
  let slept = 0;
  return {
    now: () => worked() + slept,
    sleep: (milliseconds) => {
      slept += milliseconds;
      return Promise.resolve();
    },
    slept: () => slept,
  };
}

/**
 * Time passes so many times faster, so that a limit of minutes is reached in seconds. Timeouts that PostgreSQL keeps
 * are as long as ever.
 */
export function fastClock(times: number): Clock {
  return { now: () => performance.now() * times, sleep: milliseconds => setTimeout(milliseconds / times) };
}

/** Waits for a condition, for as long as the test may take. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!await condition()) {
    await setTimeout(5);
  }
}

/** Waits until a session of that role sleeps in `pg_sleep`. */
export function untilSleeping(server: AuroraLikeServer, role: string): Promise<void> {
  return until(
    async () =>
      (await server.sql("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND usename = $1", [role])).length
      > 0,
  );
}

/** Waits until so many sessions wait for a lock. */
export function untilWaiting(server: AuroraLikeServer, sessions: number): Promise<void> {
  return until(
    async () => (await server.sql("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'")).length >= sessions,
  );
}
