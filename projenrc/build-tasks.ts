import { awscdk, Task } from 'projen';

/**
 * `npm test` runs the tests alone, and bundles first: the constructs read assets/ when they are synthesised.
 * What the compilers and the linter find takes as long again as a third of them: `npm run check`, and `projen build`.
 */
export function separateTestsFromChecks(project: awscdk.AwsCdkConstructLibrary, bundle: Task, samples: Task): void {
  project.gitignore.exclude('/.api.check.md', '/first-deployment-*.jsonl');
  const check = project.addTask('check', {
    description: 'Everything that is checked beside the tests: the code samples, API.md, types and style',
    steps: [
      { spawn: project.compileTask.name },
      { spawn: samples.name },
      { exec: 'tsx scripts/llms.ts --check', name: 'Fail when llms.txt is not what the source generates' },
      {
        exec: 'jsii-docgen -o .api.check.md && cmp .api.check.md API.md && rm .api.check.md',
        name: 'Fail when API.md is not what the source generates',
      },
      { exec: 'eslint --max-warnings 0 .', name: 'Check types and style' },
    ],
  });
  project.testTask.reset();
  project.testTask.spawn(bundle);
  project.testTask.exec('jest --ci', { receiveArgs: true });
  project.postCompileTask.spawn(check);
}

/**
 * `projen build` packages for npm only. The workflows run package:java and so on in jobs
 * of their own; those need Maven Central, PyPI and the .NET and Go tools.
 */
export function packageForNpm(project: awscdk.AwsCdkConstructLibrary, integ: Task): void {
  project.packageTask.reset();
  const packageJs = project.tasks.tryFind('package:js')!;
  // The library alone: the job that publishes unpacks dist/js/*.tgz.
  project.packageTask.exec('jsii-pacmak -v --target js');
  project.packageTask.exec('tsx test/packages/main.ts');
  project.packageTask.spawn(integ);
  // That job runs package:js, and publishes all that is in dist/js.
  packageJs.spawn(project.tasks.tryFind('package:cli')!);
  project.addTask('package:check', {
    description: 'Generate the sources of all language bindings, without compiling them',
    exec: 'jsii-pacmak --code-only --outdir dist/code-only',
  });
}
