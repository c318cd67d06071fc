/**
 * Settles what docs/unknowns.md asks of a first deployment, in the account of the AWS CLI:
 *
 *     npx tsx integ-tests/first-deployment/run.ts --region eu-central-1 [--engine-version 17.7] [--keep]
 */
import { appendFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { AwsAccount } from './account';
import { FirstDeployment } from './first-deployment';
import { readUnknowns } from '../../scripts/unknowns';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      'region': { type: 'string' },
      'engine-version': { type: 'string', default: '17.7' },
      'keep': { type: 'boolean', default: false },
    },
  });
  const { region = process.env.AWS_REGION, 'engine-version': engineVersion, keep } = values;
  if (region === undefined) {
    throw new Error('no Region is given; pass --region, such as --region eu-central-1');
  }
  const date = new Date().toISOString().slice(0, 10);
  const file = `first-deployment-${date}-${region}.jsonl`;
  writeFileSync(file, `${JSON.stringify({ date, region, engineVersion })}\n`);
  const isComplete = await new FirstDeployment({
    account: new AwsAccount(region),
    engineVersion,
    keep,
    ids: readUnknowns()
      .filter(({ kit }) => kit)
      .map(({ id }) => id),
    report: (line) => {
      console.log(JSON.stringify(line));
      appendFileSync(file, `${JSON.stringify(line)}\n`);
    },
  }).run();
  console.log(`\nThe answers are in ${file}. To record them: npx projen unknowns ${file}`);
  process.exitCode = isComplete ? 0 : 1;
}

main().catch((error: Error) => {
  console.error(`first deployment: ${error.message}`);
  process.exitCode = 1;
});
