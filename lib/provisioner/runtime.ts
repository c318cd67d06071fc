import { Stack, Token } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Fact, FactName, RegionInfo } from 'aws-cdk-lib/region-info';
import type { IConstruct } from 'constructs';
import { errorAt } from '../model/errors';

/** The oldest that the bundles are tested with. */
const OLDEST_MAJOR = 22;

/**
 * The runtime of our functions and of CDK's framework in front of them: what the app says, or the newest one. In a
 * Region outside of the partition `aws`, where AWS offers runtimes later, it is what CDK knows of that Region.
 */
export function runtimeOf(scope: IConstruct, given: lambda.Runtime | undefined): lambda.Runtime {
  if (given) {
    if (given.family !== lambda.RuntimeFamily.NODEJS || majorOf(given.name) < OLDEST_MAJOR) {
      throw errorAt(
        scope,
        `runtime ${given.name} of provisioner is not supported, because its functions are written for `
        + `Node.js ${OLDEST_MAJOR} and newer; pass lambda.Runtime.NODEJS_${OLDEST_MAJOR}_X or a newer one, or leave it out`,
      );
    }
    return given;
  }
  const { region } = Stack.of(scope);
  if (Token.isUnresolved(region) || [undefined, 'aws'].includes(RegionInfo.get(region).partition)) {
    return lambda.Runtime.NODEJS_24_X;
  }
  const name = Fact.find(region, FactName.LATEST_NODE_RUNTIME) ?? '';
  return majorOf(name) > OLDEST_MAJOR
    ? new lambda.Runtime(name, lambda.RuntimeFamily.NODEJS, { supportsInlineCode: true })
    : lambda.Runtime.NODEJS_22_X;
}

/** Of `nodejs22.x`; an alias such as `nodejs` has none, and is the newest one. */
function majorOf(name: string): number {
  const [, major] = /^nodejs(\d+)\.x$/.exec(name) ?? [];
  return major === undefined && name.startsWith('nodejs') ? Infinity : Number(major ?? 0);
}
