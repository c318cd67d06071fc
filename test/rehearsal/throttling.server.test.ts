import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Stack } from 'aws-cdk-lib';
import { AuroraIamAuth } from '../../lib';
import { newApp, newCluster, resourcesOf } from '../lib/support';
import { full } from '../full';

/** Of an account that is new: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const EXECUTIONS = 10;
const USERS = 20;
/** How long a user has the lock. */
const TURN_MS = 200;

interface Outcome {
  readonly answers: { readonly Status: string; readonly Reason?: string }[];
  /** Executions at the same time. */
  readonly most: number;
  readonly throttled: number;
}

/** CDK's provider framework as it is deployed, against an endpoint of Lambda that throttles. */
describe(`${USERS} users in single resources, in an account with ${EXECUTIONS} executions`, () => {
  async function deploy(concurrentUsers?: number): Promise<Outcome> {
    const stack = new Stack(newApp(), 'Data');
    const iamAuth = new AuroraIamAuth(stack, 'IamAuth', {
      cluster: newCluster(stack),
      provisioner: { concurrentUsers },
    });
    Array.from({ length: USERS }, (_, n) => iamAuth.addUser(`user-${n}`));
    const users = resourcesOf(stack, 'Custom::RdsIamUser');
    const waitsFor = Object.fromEntries(
      Object.entries(users).map(([id, { DependsOn = [] }]) => [id, DependsOn.filter(other => other in users)]),
    );
    const { stdout } = await promisify(execFile)(process.execPath, [
      join(__dirname, 'fixtures/throttled-account.mjs'),
      `${EXECUTIONS}`,
      `${TURN_MS}`,
      JSON.stringify(waitsFor),
    ]);
    return JSON.parse(stdout) as Outcome;
  }

  test('are all created: four at a time hold eight executions, and none is refused', async () => {
    const { answers, ...executions } = await deploy();
    expect(answers.map(({ Status }) => Status)).toEqual(Array.from({ length: USERS }, () => 'SUCCESS'));
    expect(executions).toEqual({ throttled: 0, most: 8 });
  });

  full.test(
    'are not if they are created all at the same time: the frameworks take the executions that their handlers need',
    async () => {
      const { answers, throttled, most } = await deploy(USERS);
      const failed = answers.filter(({ Status }) => Status === 'FAILED');
      expect(failed.length).toBeGreaterThan(0);
      expect(failed[0].Reason).toContain('Rate Exceeded');
      expect({ isThrottled: throttled > 0, most }).toEqual({ isThrottled: true, most: EXECUTIONS });
    },
  );
});
