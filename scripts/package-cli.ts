/**
 * Bundles cli/ into dist/cli/, which is the package cdk-aurora-iam-auth-cli, with the version of this package. With
 * --pack it is packed into dist/js/, from where both packages are published.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';
import { notices } from './third-party';

const root = resolve(__dirname, '..');
const out = 'dist/cli';

rmSync(join(root, out), { recursive: true, force: true });
mkdirSync(join(root, out), { recursive: true });
const { metafile, warnings } = buildSync({
  absWorkingDir: root,
  entryPoints: ['cli/index.ts'],
  outfile: `${out}/index.js`,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  mainFields: ['module', 'main'],
  external: ['pg-native'], // optional, native
  tsconfig: 'cli/tsconfig.json',
  banner: { js: '#!/usr/bin/env node' },
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none', // see notices()
  charset: 'utf8',
  metafile: true,
  logLevel: 'warning',
});
if (warnings.length > 0) {
  throw new Error('esbuild reported warnings');
}
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
const manifest = JSON.parse(readFileSync(join(root, 'cli/package.json'), 'utf8')) as object;
writeFileSync(join(root, out, 'package.json'), `${JSON.stringify({ ...manifest, version }, undefined, 2)}\n`);
writeFileSync(join(root, out, 'THIRD-PARTY-LICENSES.txt'), notices(metafile.outputs[`${out}/index.js`]));
copyFileSync(join(root, 'rehearsal/cloudformation/lambda-runtime.mjs'), join(root, out, 'lambda-runtime.mjs'));
copyFileSync(join(root, 'cli/README.md'), join(root, out, 'README.md'));
copyFileSync(join(root, 'LICENSE'), join(root, out, 'LICENSE'));
console.log(`${out}/index.js ${Math.round(metafile.outputs[`${out}/index.js`].bytes / 1024)} KiB`);
if (process.argv.includes('--pack')) {
  mkdirSync(join(root, 'dist/js'), { recursive: true });
  execFileSync('npm', ['pack', join(root, out), '--pack-destination', join(root, 'dist/js'), '--silent'], {
    cwd: root,
    stdio: 'inherit',
  });
}
