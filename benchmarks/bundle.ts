/**
 * Size and load time of the handler's bundle, next to the Secrets Manager client alone: bundled in the same way, and as
 * it is in node_modules. Each load is a process of its own; printed are medians, and the ratio that counts.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { buildSync } from 'esbuild';

const RUNS = 15;
const ZIP_LIMIT = 180_000;
const RATIO_LIMIT = 1.5;

const asset = resolve(__dirname, '../assets/provisioner');
const folder = mkdtempSync(join(tmpdir(), 'bench-bundle-'));

try {
  const alone = join(folder, 'alone.js');
  const entry = join(folder, 'entry.js');
  writeFileSync(entry, "module.exports = require('@aws-sdk/client-secrets-manager');");
  buildSync({
    entryPoints: [entry],
    outfile: alone,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    mainFields: ['module', 'main'],
    minify: true,
    nodePaths: [resolve(__dirname, '../node_modules')],
  });
  const zip = zipSize(asset);
  console.log(`zip of the handler                     ${zip} bytes (limit ${ZIP_LIMIT})`);
  const subjects = {
    'handler': join(asset, 'index.js'),
    'Secrets Manager client, bundled': alone,
    'Secrets Manager client, node_modules': require.resolve('@aws-sdk/client-secrets-manager'),
  };
  const times = medians(Object.values(subjects));
  Object.keys(subjects).forEach((name, n) => console.log(`load ${name.padEnd(37)} ${times[n].toFixed(1)} ms`));
  const ratio = times[0] / times[1];
  console.log(`ratio to the bundled client            ${ratio.toFixed(2)} (limit ${RATIO_LIMIT})`);
  console.log(`ratio to the client in node_modules    ${(times[0] / times[2]).toFixed(2)}`);
  process.exitCode = zip < ZIP_LIMIT && ratio <= RATIO_LIMIT ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}

/** What a zip file of the folder takes: each file deflated, a header before it and an entry in the directory. */
function zipSize(from: string): number {
  return readdirSync(from)
    .map(name => deflateRawSync(readFileSync(join(from, name))).length + 30 + 46 + 2 * name.length)
    .reduce((sum, size) => sum + size, 22);
}

/** Milliseconds of require(). The subjects take turns, so that a busy moment hits all of them. */
function medians(files: string[]): number[] {
  const samples = files.map((): number[] => []);
  for (let run = 0; run < RUNS; run++) {
    files.forEach((file, n) => samples[n].push(load(file)));
  }
  return samples.map(values => values.sort((a, b) => a - b)[Math.floor(RUNS / 2)]);
}

function load(file: string): number {
  const script
    = 'const t = performance.now(); require(process.argv[1]); process.stdout.write(String(performance.now() - t))';
  return Number(execFileSync(process.execPath, ['-e', script, file], { env: {}, encoding: 'utf8' }));
}
