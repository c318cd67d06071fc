import { createHash } from 'node:crypto';
import { renameSync } from 'node:fs';
import { CloudAssembly } from '../../rehearsal/cloudformation/cloud-assembly';
import { synthesize } from '../../rehearsal/cloudformation/synthesize';
import { shared } from '../../rehearsal/shared-folder';

/** As `synthesize`, but each app with the same context once in a run, for all test files. */
export async function synthesized(app: string, context: Record<string, string> = {}): Promise<CloudAssembly> {
  const name = createHash('sha256').update(JSON.stringify([app, context])).digest('hex');
  return new CloudAssembly(await shared(`cdk.out-${name}`, async path => renameSync((await synthesize(app, context)).folder, path)));
}
