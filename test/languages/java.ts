import { join } from 'node:path';
import { copyOfExamples, type Language, run } from './language';

const CLASSES = { 'quick-start': 'example.QuickStart', 'shop': 'example.Shop' };

export const java: Language = {
  name: 'java',
  tools: ['java', 'mvn'],
  build(generated, folder) {
    const examples = copyOfExamples('java', folder);
    // The library goes into a repository of this run; what comes from Maven Central stays in the user's own.
    run(
      generated,
      'mvn',
      '--quiet',
      '--batch-mode',
      '-Dmaven.javadoc.skip=true',
      '-Dmaven.source.skip=true',
      'install',
    );
    run(
      examples,
      'mvn',
      '--quiet',
      '--batch-mode',
      'compile',
      'dependency:build-classpath',
      `-Dmdep.outputFile=${join(folder, 'classpath')}`,
    );
    return sample =>
      `java -cp "${join(examples, 'target/classes')}:$(cat ${join(folder, 'classpath')})" ${CLASSES[sample]}`;
  },
};
