import { join } from 'node:path';
import { copyOfExamples, type Language, run } from './language';

export const python: Language = {
  name: 'python',
  tools: ['python3'],
  build(generated, folder) {
    const examples = copyOfExamples('python', folder);
    const interpreter = join(folder, 'venv/bin/python');
    run(folder, 'python3', '-m', 'venv', 'venv');
    run(examples, interpreter, '-m', 'pip', 'install', '--quiet', generated, '--requirement', 'requirements.txt');
    return sample => `${interpreter} ${join(examples, `${sample.replace('-', '_')}.py`)}`;
  },
};
