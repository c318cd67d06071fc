import { awscdk, Task } from 'projen';

/**
 * Code samples of README.md and of the doc comments, pages and pictures.
 *
 * @returns the task that compiles the samples of all pages
 */
export function addDocumentationTasks(project: awscdk.AwsCdkConstructLibrary, bundle: Task): Task {
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

  project.addTask('unknowns', {
    description: 'Write docs/unknowns.md; with an answer file of the first deployment, record its answers',
    exec: 'tsx scripts/unknowns.ts',
    receiveArgs: true,
  });
  return samples;
}
