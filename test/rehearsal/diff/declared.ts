import { App } from 'aws-cdk-lib';
import { CloudAssembly } from '../../../rehearsal/cloudformation/cloud-assembly';
import { accessDiff, AccessDiff, ComparableFact } from '../../../rehearsal/diff/access-diff';
import { declaredAccess } from '../../../rehearsal/diff/declared-access';
import { linesOfDiff } from '../../../rehearsal/diff/diff-text';
import { appProps } from '../../lib/support';

/** What an app declares, by what it synthesizes. */
export function declaredBy(declare: (app: App) => void, context: Record<string, unknown> = {}): ComparableFact[] {
  const app = new App(appProps({ 'aws:cdk:enable-path-metadata': true, ...context }));
  declare(app);
  return declaredAccess(new CloudAssembly(app.synth().directory).stacks);
}

export function diffOf(before: (app: App) => void, after: (app: App) => void): AccessDiff {
  return accessDiff(declaredBy(before), declaredBy(after));
}

/** As a terminal has it: `+ who: what`. */
export function textsOf(diff: AccessDiff): string[] {
  return linesOfDiff(diff).map(({ sign, text }) => `${sign} ${text}`);
}
