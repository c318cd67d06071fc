import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CloudAssembly } from '../../rehearsal/cloudformation/cloud-assembly';
import { updateProblems } from '../../rehearsal/plan/update';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { changesBetween } from './access-changes';
import { measureApp } from '../../rehearsal/rehearse/app-access';
import { firstOf } from '../full';
import { synthesized } from './synthesized';

/** The cloud assemblies of examples as former states of this library have made them, by date. */
const RELEASES = resolve(__dirname, 'fixtures/releases');

const EXAMPLES = ['quick-start', 'rds-instance', 'service-stack'];

const cases = readdirSync(RELEASES).flatMap(release =>
  EXAMPLES.filter(example => existsSync(join(RELEASES, release, example))).map(example => [example, release] as const),
);

/**
 * States whose handler reads no registry that a later one has written: it had no format number then. None of them was
 * released.
 */
const WITHOUT_WAY_BACK = ['2026-11-24'];

describe('an upgrade of this library', () => {
  test.each(firstOf(1, cases))(
    'and its rollback lose no login of examples/%s, made on %s',
    async (example, release) => {
      const old = new CloudAssembly(join(RELEASES, release, example));
      const next = await synthesized(`examples/${example}/app.ts`);
      expect({ to: updateProblems(old.stacks, next.stacks), back: updateProblems(next.stacks, old.stacks) }).toEqual({
        to: [],
        back: [],
      });

      const rehearsal = await Rehearsal.start();
      const deploy = async (assembly: CloudAssembly) => {
        const results = [];
        for (const { id } of assembly.stacks) {
          results.push((await rehearsal.deploy(assembly, id)).status);
        }
        return { results, access: await measureApp(rehearsal, () => undefined) };
      };
      const all = (status: string) => old.stacks.map(() => status);
      try {
        const { results: created, access: before } = await deploy(old);
        expect(created).toEqual(all('CREATE_COMPLETE'));
        expect(before.flatMap(({ attempts }) => attempts).filter(({ outcome }) => outcome === 'yes')).not.toEqual([]);
        const physicalIds = () =>
          old.stacks
            .flatMap(({ id }) => rehearsal.resources(id))
            .filter(({ type }) => type.startsWith('Custom::Rds'))
            .map(({ physicalId }) => physicalId);
        const ids = physicalIds();
        const back = WITHOUT_WAY_BACK.includes(release) ? 'UPDATE_ROLLBACK_COMPLETE' : 'UPDATE_COMPLETE';
        for (const [assembly, status] of [[next, 'UPDATE_COMPLETE'], [old, back], [next, 'UPDATE_COMPLETE']] as const) {
          const { results, access } = await deploy(assembly);
          expect(results).toEqual(all(status));
          expect(changesBetween(before, access).flatMap(({ lines }) => lines)).toEqual([]);
          expect(physicalIds()).toEqual(ids);
        }
        for (const { id } of [...next.stacks].reverse()) {
          expect(await rehearsal.destroy(id)).toMatchObject({ status: 'DELETE_COMPLETE' });
        }
      } finally {
        await rehearsal.close();
      }
    },
  );

  test('is refused where the type of a group role would change, which it did before the first release', async () => {
    const old = new CloudAssembly(join(RELEASES, '2026-11-24', 'shop'));
    const next = await synthesized('examples/shop/app.ts');
    expect(updateProblems(old.stacks, next.stacks)).toEqual([
      expect.stringMatching(
        /^stack Shop cannot be updated: resource IamAuthreaders\w+ is a Custom::RdsRole and would become a Custom::RdsGroupRole; CloudFormation changes no type\. Give it another id$/,
      ),
    ]);
  });
});
