/** Whether all tests run, on all set-ups and with the full numbers of runs, faults and names: `npm run test:full`. */
export const FULL = process.env.ALL_SETUPS !== undefined;

/** For tests that `npm run test:full` alone runs: `full.test('...', ...)`. `npm test` reports them as skipped. */
export const full = FULL ? { describe, test } : { describe: describe.skip, test: test.skip };

/** For the cases of one rule: `npm test` has the first ones, `npm run test:full` all. */
export function firstOf<Case>(count: number, cases: readonly Case[]): Case[] {
  return FULL ? [...cases] : cases.slice(0, count);
}
