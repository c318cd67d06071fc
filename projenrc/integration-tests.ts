import { awscdk, Task } from 'projen';

const integRunner = 'integ-runner --directory integ-tests --language typescript --app "tsx {filePath}"';

/** @returns the task that compares them with their snapshots */
export function addIntegrationTests(project: awscdk.AwsCdkConstructLibrary): Task {
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
  return integ;
}
