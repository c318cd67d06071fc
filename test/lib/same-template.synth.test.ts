import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { firstOf, full } from '../full';

const ROOT = resolve(__dirname, '../..');
const APPS = readdirSync(join(ROOT, 'examples'))
  .map(name => `examples/${name}/app.ts`)
  .filter(app => existsSync(join(ROOT, app)));

/** Beside the Node.js that runs this: majors that npm has as packages, such as `NODE_MAJORS=22,24`. */
const MAJORS = (process.env.NODE_MAJORS ?? '').split(',').filter(major => major !== '');

interface Machine {
  readonly node: string;
  readonly cwd: string;
  readonly env: Record<string, string>;
}

const here: Machine = { node: process.execPath, cwd: ROOT, env: {} };
const elsewhere: Machine = {
  node: process.execPath,
  cwd: tmpdir(),
  env: { TZ: 'Pacific/Auckland', LC_ALL: 'tr_TR.UTF-8', HOME: '/nonexistent', USER: 'somebody' },
};

/** SHA-256 of each file that `cdk synth` writes, but for tree.json, which has the version of Node.js. */
function synthesized(app: string, { node, cwd, env }: Machine): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'same-template-'));
  try {
    execFileSync(node, ['--import', pathToFileURL(require.resolve('tsx')).href, join(ROOT, app)], {
      cwd,
      env: {
        PATH: process.env.PATH!,
        TSX_TSCONFIG_PATH: join(ROOT, 'examples/tsconfig.json'),
        CDK_OUTDIR: folder,
        CDK_VALIDATION: 'false',
        ...env,
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const files = readdirSync(folder, { withFileTypes: true })
      .filter(entry => entry.isFile() && entry.name !== 'tree.json')
      .map(({ name }) => name);
    return Object.fromEntries(
      files.sort().map(name => [
        name,
        createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex'),
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The program of a major, as npm has it. */
function nodeOf(major: string): string {
  return execFileSync('npx', ['--yes', '--package', `node@${major}`, '--', 'node', '-p', 'process.execPath'], {
    encoding: 'utf8',
  }).trim();
}

describe.each(process.env.NODE_MAJORS ? APPS : firstOf(1, ['examples/service-stack/app.ts', 'examples/shop/app.ts']))(
  '%s gives the same bytes',
  (app) => {
    full.test('twice, from another folder and with another time zone, language and user', () => {
      const files = synthesized(app, here);
      expect(Object.keys(files).filter(name => name.endsWith('.template.json')).length).toBeGreaterThan(0);
      expect(synthesized(app, elsewhere)).toEqual(files);
    });

    MAJORS.forEach(major => test(`with Node.js ${major}`, () => {
      expect(synthesized(app, { ...here, node: nodeOf(major) })).toEqual(synthesized(app, here));
    }));
  },
);
