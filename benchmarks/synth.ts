/**
 * What many users cost at synthesis, over the bare grants of aws-cdk-lib and next to cdk-rds-sql. Each synthesis is a process of its own,
 * and they take turns; compared is CPU time, by medians. Only ratios of one run are judged, because machines differ.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inWords, isWithin, Section } from './figures';
import { Measured } from './synth-app';

const RUNS = 7;
const USERS = 100;
const RESOURCES_LIMIT = 1;

/** To the grants of aws-cdk-lib alone. Without this library, custom resources and CDK's provider for them take about 1.35 already. */
const BARE_LIMIT = 1.6;
/** To the same number of custom resources, made with aws-cdk-lib alone. */
const CUSTOM_RESOURCES_LIMIT = 1.25;

/** The other library is no dependency of this one. */
const OTHER = 'cdk-rds-sql@8.1.4';

const folder = mkdtempSync(join(tmpdir(), 'bench-synth-'));
try {
  const [bare, floor, ours, theirs] = medians(['aws-cdk-lib', 'aws-cdk-lib and custom resources', 'cdk-aurora-iam-auth', ...installed() ? ['cdk-rds-sql'] : []]) as [Measured, Measured, Measured, Measured?];
  const resourcesPerUser = (variant: string, { resources }: Measured) => (resources - once(variant, 1).resources) / (USERS - 1);
  const added = resourcesPerUser('cdk-aurora-iam-auth', ours) - resourcesPerUser('aws-cdk-lib', bare);
  const sections: Section[] = [
    {
      title: `${USERS} users with a role each, CPU time of construction and synthesis, medians of ${RUNS}`,
      figures: [
        { name: 'aws-cdk-lib: cluster.grantConnect', value: bare.cpuMs, unit: 'ms' },
        { name: 'aws-cdk-lib: and a custom resource for each user', value: floor.cpuMs, unit: 'ms' },
        { name: 'cdk-aurora-iam-auth', value: ours.cpuMs, unit: 'ms' },
        ...theirs ? [{ name: `${OTHER} and cluster.grantConnect`, value: theirs.cpuMs, unit: 'ms' }] : [],
        { name: 'ratio to the grants of aws-cdk-lib', value: ours.cpuMs / bare.cpuMs, digits: 2, limit: BARE_LIMIT },
        { name: 'ratio to custom resources without this library', value: ours.cpuMs / floor.cpuMs, digits: 2, limit: CUSTOM_RESOURCES_LIMIT },
      ],
    },
    {
      title: 'Resources in the template',
      figures: [
        { name: 'aws-cdk-lib', value: bare.resources },
        { name: 'cdk-aurora-iam-auth', value: ours.resources },
        ...theirs ? [{ name: OTHER, value: theirs.resources }] : [],
        { name: 'added to aws-cdk-lib, for each user', value: added, digits: 2, limit: RESOURCES_LIMIT },
      ],
    },
    {
      title: 'Bytes of the template, for each user with its role',
      figures: [
        { name: 'aws-cdk-lib', value: bare.bytes / USERS },
        { name: 'cdk-aurora-iam-auth', value: ours.bytes / USERS },
        ...theirs ? [{ name: `${OTHER}, without privileges on tables`, value: theirs.bytes / USERS }] : [],
      ],
    },
  ];
  sections.forEach(({ title, figures }) => console.log([title, ...figures.map(inWords)].join('\n')));
  process.exitCode = sections.every(({ figures }) => figures.every(isWithin)) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}

/** The variants take turns, so that a busy moment hits all of them. The number of resources is the same each time. */
function medians(variants: string[]): Measured[] {
  const samples = variants.map((): Measured[] => []);
  for (let run = 0; run < RUNS; run++) {
    variants.forEach((variant, n) => samples[n].push(once(variant, USERS)));
  }
  return samples.map(runs => runs.sort((a, b) => a.cpuMs - b.cpuMs)[Math.floor(RUNS / 2)]);
}

function once(variant: string, users: number): Measured {
  const output = execFileSync(process.execPath, ['--import', 'tsx', join(__dirname, 'synth-app.ts'), variant, `${users}`, folder], {
    encoding: 'utf8', env: { ...process.env, CDK_VALIDATION: 'false' }, stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(output) as Measured;
}

/** Beside the packages of this project, so that both use the same aws-cdk-lib. False where npm cannot get it. */
function installed(): boolean {
  try {
    execFileSync('npm', ['install', '--prefix', folder, '--no-save', '--legacy-peer-deps', '--no-audit', '--no-fund', OTHER], { stdio: 'ignore' });
  } catch {
    console.log(`${OTHER} is left out: npm could not install it`);
    return false;
  }
  for (const name of ['aws-cdk-lib', 'constructs']) {
    symlinkSync(dirname(require.resolve(`${name}/package.json`)), join(folder, 'node_modules', name));
  }
  return true;
}
