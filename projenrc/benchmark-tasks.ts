import { awscdk, Task } from 'projen';

/** Those that have limits fail above them. */
export function addBenchmarkTasks(project: awscdk.AwsCdkConstructLibrary, bundle: Task): void {
  const benchBundle = project.addTask('bench:bundle', {
    description: 'Size and load time of the handler, next to the Secrets Manager client alone',
  });
  benchBundle.spawn(bundle);
  benchBundle.exec('tsx benchmarks/bundle.ts');

  project.addTask('bench:engine', {
    description:
      "Count the handler's connections and round trips, and compare many users with bare SQL; fail above the limits",
    exec: 'tsx benchmarks/engine.ts',
    receiveArgs: true,
  });

  project.addTask('bench:rehearse', {
    description: 'Time a rehearsal of examples/quick-start by the packed command-line package; fail above the limit',
    exec: 'tsx benchmarks/rehearse.ts',
  });

  project.addTask('bench:up', {
    description:
      'Time how long the packed command-line package takes to start a command on examples/quick-start; fail above the limit',
    exec: 'tsx benchmarks/up.ts',
  });

  project.addTask('bench:scale', {
    description:
      'What 10,000 users, 100 databases, 20,000 tables and 5,000 foreign roles cost the handler; fail where a cost grows faster than its work',
    exec: 'tsx benchmarks/scale.ts',
    receiveArgs: true,
  });

  project.addTask('bench:scale:synth', {
    description:
      'What 10,000 users cost at synthesis, in lists and in nested stacks, next to aws-cdk-lib alone; fail where a cost grows faster than its work',
    exec: 'tsx benchmarks/synth-scale.ts',
    receiveArgs: true,
  });

  project.addTask('bench:synth', {
    description:
      'What many users cost at synthesis, next to the same template by hand and another library; fail above the limits',
    exec: 'tsx benchmarks/synth.ts',
  });
}
