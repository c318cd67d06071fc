import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { DISABLE_CREATION_STACK_TRACES } from 'aws-cdk-lib/cx-api';
import { CloudAssembly } from '../../rehearsal/cloudformation/cloud-assembly';
import { shared } from '../../rehearsal/shared-folder';

const ROOT = resolve(__dirname, '../..');

/**
 * As `synthesize`, but each app with the same context once in a run, for all test files, and in the process of the
 * tests: to load aws-cdk-lib in a process of its own takes ten times longer than an app.
 */
export async function synthesized(app: string, context: Record<string, string> = {}): Promise<CloudAssembly> {
  const name = createHash('sha256').update(JSON.stringify([app, context])).digest('hex');
  return new CloudAssembly(await shared(`cdk.out-${name}`, path => Promise.resolve(execute(app, context, path))));
}

/** Loads the file of an app, which is synthesized before the process would exit, as after `cdk synth`. */
function execute(app: string, context: Record<string, string>, folder: string): void {
  const others = process.listeners('beforeExit');
  const variables = {
    CDK_OUTDIR: folder,
    CDK_CONTEXT_JSON: JSON.stringify({
      'aws:cdk:enable-path-metadata': true,
      [DISABLE_CREATION_STACK_TRACES]: true,
      ...context,
    }),
    CDK_VALIDATION: 'false',
  };
  Object.assign(process.env, variables);
  try {
    jest.isolateModules(() => void jest.requireActual(join(ROOT, app)));
    for (const synth of process.listeners('beforeExit').filter(listener => !others.includes(listener))) {
      process.removeListener('beforeExit', synth);
      synth(0);
    }
  } finally {
    Object.keys(variables).forEach(name => delete process.env[name]);
  }
}
