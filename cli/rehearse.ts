import { CliError, EXIT_CODES } from './exit-codes';
import { jsonText } from './json-text';
import { errorLine } from './error-line';
import { optionsOf, USAGE } from './rehearse-options';
import { inOneLine } from '../rehearsal/text-table';
import { rehearse } from '../rehearsal/rehearse/rehearse-app';

/** `rehearse <app or cdk.out>` */
export async function main(args: string[]): Promise<number> {
  const options = optionsOf(args);
  if (!options) {
    console.log(USAGE);
    return EXIT_CODES.ok;
  }
  // With --json the standard output has nothing else: what is for people goes to the standard error.
  const print = options.json ? errorLine : console.log;
  const report = await rehearse(options, print);
  if (options.json) {
    console.log(jsonText(report));
  }
  if (report.result === 'refused') {
    throw new CliError(
      EXIT_CODES.refused,
      `${options.source ?? 'the app'} cannot be rehearsed${report.problems.length === 1 ? '' : `, for ${report.problems.length} reasons`}:`,
      report.problems,
    );
  }
  if (report.result === 'failed') {
    throw new CliError(EXIT_CODES.failed, inOneLine(report.failure ?? 'not all of it is as it should be, see above'));
  }
  print('\nAll went well.');
  return EXIT_CODES.ok;
}
