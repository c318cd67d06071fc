import { full } from '../full';
import { expectSignIns } from './app-life-cycle';
import { AppRun } from './app-run';
import { INTEG_TESTS } from './apps';

full.test.each(Object.entries(INTEG_TESTS))(
  '%s is deployed, what it asserts of AWS is so here, and it is destroyed',
  async (app, signIns) => {
    const run = await AppRun.of(app);
    try {
      expect(await run.deploy()).toMatchObject({ status: 'CREATE_COMPLETE' });
      expect(run.assertions).toBeGreaterThan(0);
      await expectSignIns(run, signIns);
      await run.destroy();
      expect(run.after).toEqual(run.born);
    } finally {
      await run.rehearsal.close();
    }
  },
);
