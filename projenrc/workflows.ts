import { awscdk, github } from 'projen';

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

/** Pins the actions, and takes from the workflows what they do not need. */
export function restrictWorkflows(project: awscdk.AwsCdkConstructLibrary): void {
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
  project
    .github!.tryFindWorkflow('pull-request-lint')!
    .file!.addOverride('jobs.validate.permissions.pull-requests', 'read');
}

const FULL_PARTS = 8;

/** What `npm test` leaves out, on a machine for each part of the files. */
export function addFullWorkflow(project: awscdk.AwsCdkConstructLibrary): void {
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
}
