import { awscdk, Task } from 'projen';

/** Tests beside `npm test`. */
export function addTestTasks(project: awscdk.AwsCdkConstructLibrary, bundle: Task, integ: Task): void {
  const everything = project.addTask('test:all', {
    description:
      'The test files on all majors and set-ups, with the full numbers of runs, faults and random deployments; --shard=1/8 for a part',
    env: { ALL_SETUPS: '1', PROPERTIES: '30' },
    exec: 'jest --ci --testTimeout 7200000',
    receiveArgs: true,
  });
  const packages = project.addTask('test:packages', {
    description: 'Install both packages, as they are packed, into an app outside of the repository, and rehearse it',
    steps: [
      { spawn: bundle.name },
      { spawn: project.compileTask.name },
      { exec: 'tsx test/packages/main.ts', receiveArgs: true },
    ],
  });
  project.addTask('test:full', {
    description: 'All tests, and both packages; hours on two cores',
    steps: [
      { spawn: everything.name, receiveArgs: true },
      { spawn: integ.name },
      { spawn: packages.name },
      {
        exec: 'tsx test/packages/main.ts --install npm pnpm yarn',
        name: 'Both packages, installed from the registry by three package managers',
      },
    ],
  });
  project.addTask('test:majors', {
    description:
      'Synthesize every example with other majors of Node.js, which npm installs for the moment, and compare the bytes',
    env: { NODE_MAJORS: '22,24' },
    exec: 'jest --ci test/lib/same-template',
  });
  project.addTask('test:newest', {
    description:
      'The tests that synthesize, with the newest aws-cdk-lib in a copy of the checkout; other tests by their names',
    exec: "sh scripts/test-newest.sh 'synth|pure'",
    receiveArgs: true,
  });
  project.addTask('coverage', {
    description: 'The tests with coverage, which takes a third longer',
    exec: 'jest --ci --coverage',
    receiveArgs: true,
  });

  const clients = project.addTask('test:clients', {
    description:
      'Sign in with real clients: AWS CLI and psql, boto3 and psycopg2, node-postgres, JDBC, the recipes of examples/clients; and through genuine PAM. Root installs what is missing',
  });
  clients.spawn(bundle);
  // The clock is moved by node:test, where Node 20 has it as an experiment.
  clients.exec('tsx --disable-warning=ExperimentalWarning test/clients/main.ts', { receiveArgs: true });
  const browser = project.addTask('test:browser', {
    description:
      'Look at the access report with headless Chromium: light, dark, narrow, printed, 500 users, search, hostile names. Root installs what is missing',
  });
  browser.spawn(bundle);
  browser.exec('tsx test/browser/main.ts', { receiveArgs: true });
  project.gitignore.exclude('/test/browser/screenshots/');
  project.addTask('test:quick', {
    description: 'The pure and synth tests of what is not committed or, where all is, of what differs from main',
    steps: [{ spawn: bundle.name }, { exec: 'sh scripts/test-quick.sh', receiveArgs: true }],
  });
  project.addTask('trust', {
    description:
      'Make one of the figures of docs/tested.md: npm run trust -- schedules | states | policies | templates | ..., or page',
    exec: 'tsx test/trust/main.ts',
    receiveArgs: true,
  });
  project.addTask('test:busy', {
    description:
      'The tests of npm test three times, beside two processes that keep two cores busy: none of them may fail by the clock',
    steps: [{ spawn: bundle.name }, { exec: 'sh scripts/test-busy.sh 3', receiveArgs: true }],
  });

  project.addTask('test:languages', {
    description:
      'Build the samples of examples/languages with this library, and compare their templates with those of TypeScript: python, java, go',
    steps: [{ spawn: project.compileTask.name }, { exec: 'tsx test/languages/main.ts', receiveArgs: true }],
  });
}
