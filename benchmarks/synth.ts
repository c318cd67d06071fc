/**
 * What many users cost at synthesis: next to the same template written by hand with aws-cdk-lib (`by-hand.ts`), and
 * next to cdk-rds-sql. Each synthesis is a process of its own, of compiled code as apps have it, and they take turns;
 * compared is CPU time, by medians. Only ratios of one run are judged, because machines differ.
 *
 * Grants without users are measured as well, and not judged: a function in the VPC, CDK's provider framework and a
 * custom resource for each user take a third more than these already.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { buildSync } from 'esbuild';
import { report, Section } from './figures';
import { Measured } from './synth-app';

const RUNS = 7;
const USERS = 100;
const RESOURCES_LIMIT = 1;

/** To the same template by hand. */
const BY_HAND_LIMIT = 1.35;

/** The other library is no dependency of this one. */
const OTHER = 'cdk-rds-sql@8.1.4';

const folder = mkdtempSync(join(tmpdir(), 'bench-synth-'));
try {
  const app = compiled();
  const [grants, byHand, ours, theirs] = medians(app, [
    'grants alone',
    'by hand',
    'cdk-aurora-iam-auth',
    ...(installed() ? ['cdk-rds-sql'] : []),
  ]) as [Measured, Measured, Measured, Measured?];
  if (byHand.digest !== ours.digest) {
    throw new Error(
      'the template that by-hand.ts writes is not the one of AuroraIamAuth any more; compare both, and mend by-hand.ts',
    );
  }
  const resourcesPerUser = (variant: string, { resources }: Measured) =>
    (resources - once(app, variant, 1).resources) / (USERS - 1);
  const added = resourcesPerUser('cdk-aurora-iam-auth', ours) - resourcesPerUser('grants alone', grants);
  const sections: Section[] = [
    {
      title: `${USERS} users with a role each, CPU time of construction and synthesis, medians of ${RUNS}`,
      figures: [
        { name: 'aws-cdk-lib: cluster.grantConnect, and no users', value: grants.cpuMs, unit: 'ms' },
        { name: 'aws-cdk-lib: the same template by hand', value: byHand.cpuMs, unit: 'ms' },
        { name: 'cdk-aurora-iam-auth', value: ours.cpuMs, unit: 'ms' },
        ...theirs ? [{ name: `${OTHER} and cluster.grantConnect`, value: theirs.cpuMs, unit: 'ms' }] : [],
        {
          name: 'ratio to the same template by hand',
          value: ours.cpuMs / byHand.cpuMs,
          digits: 2,
          limit: BY_HAND_LIMIT,
        },
        { name: 'ratio to grants without users', value: ours.cpuMs / grants.cpuMs, digits: 2 },
        { name: 'of which by hand', value: byHand.cpuMs / grants.cpuMs, digits: 2 },
      ],
    },
    {
      title: 'Resources in the template',
      figures: [
        { name: 'aws-cdk-lib, no users', value: grants.resources },
        { name: 'cdk-aurora-iam-auth', value: ours.resources },
        ...theirs ? [{ name: OTHER, value: theirs.resources }] : [],
        { name: 'added for each user', value: added, digits: 2, limit: RESOURCES_LIMIT },
      ],
    },
    {
      title: 'Bytes of the template, for each user with its role',
      figures: [
        { name: 'aws-cdk-lib, no users', value: grants.bytes / USERS },
        { name: 'by hand, without Metadata', value: byHand.bytes / USERS },
        { name: 'cdk-aurora-iam-auth', value: ours.bytes / USERS },
        ...theirs ? [{ name: `${OTHER}, without privileges on tables`, value: theirs.bytes / USERS }] : [],
      ],
    },
  ];
  sections.forEach(report);
} finally {
  rmSync(folder, { recursive: true });
}

/** The variants take turns, so that a busy moment hits all of them. The number of resources is the same each time. */
function medians(app: string, variants: string[]): Measured[] {
  const samples = variants.map((): Measured[] => []);
  for (let run = 0; run < RUNS; run++) {
    variants.forEach((variant, n) => samples[n].push(once(app, variant, USERS)));
  }
  return samples.map(runs => runs.sort((a, b) => a.cpuMs - b.cpuMs)[Math.floor(RUNS / 2)]);
}

function once(app: string, variant: string, users: number): Measured {
  const output = execFileSync(process.execPath, [app, variant, `${users}`, folder], {
    encoding: 'utf8', env: { ...process.env, CDK_VALIDATION: 'false' }, stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(output) as Measured;
}

/**
 * The app in JavaScript: a loader for TypeScript would take its time with each module that aws-cdk-lib loads, and it
 * loads them late.
 */
function compiled(): string {
  const root = join(folder, 'app');
  const outfile = join(root, 'benchmarks/bundled/synth-app.js');
  buildSync({
    entryPoints: [join(__dirname, 'synth-app.ts')],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    target: 'node20',
  });
  mkdirSync(root, { recursive: true });
  ['node_modules', 'assets'].forEach(name => symlinkSync(resolve(__dirname, '..', name), join(root, name)));
  return outfile;
}

/** Beside the packages of this project, so that both use the same aws-cdk-lib. False where npm cannot get it. */
function installed(): boolean {
  try {
    execFileSync(
      'npm',
      ['install', '--prefix', folder, '--no-save', '--legacy-peer-deps', '--no-audit', '--no-fund', OTHER],
      { stdio: 'ignore' },
    );
  } catch {
    console.log(`${OTHER} is left out: npm could not install it`);
    return false;
  }
  for (const name of ['aws-cdk-lib', 'constructs']) {
    symlinkSync(dirname(require.resolve(`${name}/package.json`)), join(folder, 'node_modules', name));
  }
  return true;
}
