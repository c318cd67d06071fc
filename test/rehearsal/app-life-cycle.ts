import { isDeepStrictEqual } from 'node:util';
import { FULL, full } from '../full';
import { AppRun, both, isOurs, withFailing, withProperties } from './app-run';
import { snapshot } from '../lambda/catalog';

/**
 * Tests of apps: each is deployed, and lives through what CloudFormation may do with it.
 *
 * @param apps who signs in as whom in each; nobody else does
 */
export function describeLifeCycle(apps: Record<string, string[]>): void {
  // One of both in turn will do: what is rolled back is the same.
  const ways = (app: string) => FULL ? [true, false] : [Object.keys(apps).indexOf(app) % 2 === 0];

  for (const [app, signIns] of Object.entries(apps)) {
    (app === 'examples/quick-start/app.ts' ? describe : full.describe)(app, () => describeApp(app, signIns));
  }

  function describeApp(app: string, signIns: string[]): void {
    let run: AppRun;
    beforeAll(async () => run = await AppRun.of(app));
    afterAll(() => run.rehearsal.close());

    test('is deployed, deployed again, changed, rolled back and destroyed, and the catalog ends as it began', async () => {
      expect(await run.deploy()).toMatchObject({ status: 'CREATE_COMPLETE' });
      const deployed = await snapshot(run.server);
      expect(run.ours).toBeGreaterThan(0);

      await expectSignIns(run, signIns);

      // Unchanged: nothing is called.
      expect(await run.deploy()).toMatchObject({ status: 'UPDATE_COMPLETE' });
      expect(run.rehearsal.logs).toEqual([]);

      // Called, and nothing to do.
      expect(await run.deploy(withProperties({ Reapply: 'now' }))).toMatchObject({ status: 'UPDATE_COMPLETE' });
      expect(
        run.events.filter(({ type, status }) => isOurs({ Type: type }) && status === 'UPDATE_COMPLETE'),
      ).toHaveLength(run.ours);
      expect(run.changes).toEqual([]);
      const reapplied = await snapshot(run.server);
      const shared = (state: unknown) => (state as { shared: unknown }).shared;
      expect(shared(reapplied)).toEqual(shared(deployed));

      // Without their privileges, and with them again because another user fails: after all of them, and beside them.
      for (const dependsOnOthers of ways(app)) {
        const narrowed = both(withProperties({ Privileges: {}, Reapply: 'now' }), withFailing(dependsOnOthers));
        const { status, reason } = await run.deploy(narrowed);
        expect(status).toBe('UPDATE_ROLLBACK_COMPLETE');
        expect(reason).toMatch(
          /^Failing \(Custom::RdsIamUser\): cannot grant CONNECT on database "nowhere" to "nobody": database "nowhere" does not exist \(SQLSTATE 3D000\)/,
        );
        expect(run.changes.length).toBeGreaterThan(0);
        expect(withoutDeclarations(await snapshot(run.server))).toEqual(withoutDeclarations(reapplied));
      }

      // Changed for good.
      expect(await run.deploy(withProperties({ Privileges: {} }))).toMatchObject({ status: 'UPDATE_COMPLETE' });
      expect(isDeepStrictEqual(shared(await snapshot(run.server)), shared(deployed))).toBe(false);
      expect(await run.deploy()).toMatchObject({ status: 'UPDATE_COMPLETE' });
      expect(withoutDeclarations(await snapshot(run.server))).toEqual(withoutDeclarations(deployed));

      await run.destroy();
      expect(run.after).toEqual(run.born);
    });

    full.test('is rolled back as a whole when one user fails at the first deployment, and leaves nothing', async () => {
      for (const dependsOnOthers of ways(app)) {
        run.after = undefined;
        const { status, reason } = await run.deploy(withFailing(dependsOnOthers));
        expect(status).toBe('ROLLBACK_COMPLETE');
        expect(reason).toMatch(/^Failing \(Custom::RdsIamUser\): cannot grant CONNECT on database "nowhere"/);
        expect(withoutNotes(run.after)).toEqual(run.before);
        expect(run.rehearsal.resources(run.stackName)).toEqual([]);
      }
    });
  }
}

/**
 * A snapshot without the notes of creations that were cancelled, which are kept for a day, and the registry with it if
 * there is nothing else in it.
 */
function withoutNotes(snapshot: unknown): unknown {
  const { registry, ...others } = snapshot as { readonly [what: string]: string[] };
  const rows = registry.filter(row => !row.startsWith('(0,'));
  const isOurs = (line: string) => rows.length === 0 && line.includes('cdk_aurora_iam_auth');
  return {
    ...Object.fromEntries(Object.entries(others).map(([what, lines]) => [what, lines.filter(line => !isOurs(line))])),
    registry: rows,
  };
}

/** These, and nobody else. */
export async function expectSignIns(run: AppRun, signIns: string[]): Promise<void> {
  const attempts = await run.signIns();
  expect(
    attempts.filter(({ outcome }) => outcome === 'yes').map(({ principal, username }) => `${principal} as ${username}`),
  ).toEqual(signIns);
  const others = attempts.filter(({ outcome }) => outcome !== 'yes');
  expect(others.length).toBeGreaterThan(0);
  expect(others.filter(({ outcome }) => outcome !== 'no')).toEqual([]);
}

/** The registry remembers what was declared at a moment; how it is written down there is no access. */
function withoutDeclarations(state: unknown): unknown {
  const { registry, ...others } = state as { registry: string[] };
  return { ...others, registry: registry.length };
}
