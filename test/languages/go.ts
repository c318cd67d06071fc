import { join } from 'node:path';
import { copyOfExamples, type Language, run } from './language';

const MODULE = 'github.com/example/cdk-aurora-iam-auth-go/cdkauroraiamauth';

export const go: Language = {
  name: 'go',
  tools: ['go'],
  build(generated, folder) {
    const examples = copyOfExamples('go', folder);
    run(examples, 'go', 'mod', 'edit', `-replace=${MODULE}=${join(generated, 'cdkauroraiamauth')}`);
    run(examples, 'go', 'mod', 'tidy');
    run(examples, 'go', 'build', '-o', folder, './...');
    return sample => join(folder, sample.replace('-', ''));
  },
};
