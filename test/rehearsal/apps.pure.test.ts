import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CLUSTERS, INTEG_TESTS, OTHER_DATABASES, WAYS_IN } from './apps';

const ROOT = resolve(__dirname, '../..');

test('every example and every integration test is rehearsed', () => {
  const examples = readdirSync(join(ROOT, 'examples'))
    .map(name => `examples/${name}/app.ts`)
    .filter(app => existsSync(join(ROOT, app)));
  const integTests = readdirSync(join(ROOT, 'integ-tests'))
    .filter(name => /^integ\..*\.ts$/.test(name))
    .map(name => `integ-tests/${name}`);
  expect(Object.keys({ ...CLUSTERS, ...OTHER_DATABASES, ...WAYS_IN }).sort()).toEqual(examples.sort());
  expect(Object.keys(INTEG_TESTS).sort()).toEqual(integTests.sort());
});
