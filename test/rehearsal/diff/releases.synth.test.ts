import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CloudAssembly } from '../../../rehearsal/cloudformation/cloud-assembly';
import { accessDiff } from '../../../rehearsal/diff/access-diff';
import { declaredAccess } from '../../../rehearsal/diff/declared-access';
import { synthesized } from '../synthesized';

const RELEASES = resolve(__dirname, '../fixtures/releases');
const cases = readdirSync(RELEASES).flatMap(release =>
  readdirSync(join(RELEASES, release))
    .filter(example => existsSync(join(RELEASES, release, example, 'manifest.json')))
    .map(example => [example, release]),
);

test.each(cases)(
  'no access changes from examples/%s as the library made it on %s, without a report',
  async (example, release) => {
    const old = new CloudAssembly(join(RELEASES, release, example));
    const next = await synthesized(`examples/${example}/app.ts`);
    expect(accessDiff(declaredAccess(old.stacks), declaredAccess(next.stacks))).toEqual({
      format: 1,
      gains: [],
      losses: [],
    });
    expect(accessDiff([], declaredAccess(old.stacks)).gains).not.toEqual([]);
  },
);
