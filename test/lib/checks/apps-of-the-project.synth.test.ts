import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { IamAuthChecks } from '../../../lib';
import { firstOf } from '../../full';
import '../support';

const ROOT = resolve(__dirname, '../../..');
const APPS = [
  ...readdirSync(join(ROOT, 'examples'))
    .map(name => `examples/${name}/app.ts`)
    .filter(app => existsSync(join(ROOT, app))),
  ...readdirSync(join(ROOT, 'integ-tests'))
    .filter(name => /^integ\..*\.ts$/.test(name) && !name.endsWith('.snapshot'))
    .map(name => `integ-tests/${name}`),
];

/**
 * Stands for an app of another team, whose cluster is without IAM authentication: that is what the example is about.
 */
const OF_OTHERS: Record<string, string> = { 'examples/enable-iam-authentication/app.ts': 'Platform.template.json' };

let folder: string;
beforeAll(() => folder = mkdtempSync(join(tmpdir(), 'checked-apps-')));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs an app in this process. CDK synthesizes one at the end of a process, unless somebody else is first. */
function synthesize(app: string): string[] {
  const outdir = join(folder, app.replace(/\W/g, '-'));
  const before = process.listeners('beforeExit');
  Object.assign(process.env, {
    CDK_OUTDIR: outdir,
    CDK_CONTEXT_JSON: JSON.stringify({ 'aws:cdk:enable-path-metadata': true, 'aws:cdk:enable-asset-metadata': true }),
  });
  require(join(ROOT, app)); // eslint-disable-line @typescript-eslint/no-require-imports
  const listeners = process.listeners('beforeExit').filter(listener => !before.includes(listener));
  for (const listener of listeners) {
    process.removeListener('beforeExit', listener);
    (listener as () => void)();
  }
  return readdirSync(outdir).filter(name => name.endsWith('.template.json')).map(name => join(outdir, name));
}

describe('the apps of this project', () => {
  test.each(firstOf(4, APPS))('are clean without an acknowledgement: %s', (app) => {
    const templatePaths = synthesize(app);
    expect(templatePaths.map(file => readFileSync(file, 'utf8')).join()).toContain('Custom::RdsIam');
    expect(
      new IamAuthChecks().validate({ templatePaths: templatePaths.filter(file => basename(file) !== OF_OTHERS[app]) }),
    ).toEqual({ success: true, violations: [] });
  });
});
