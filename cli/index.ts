/** The program `cdk-aurora-iam-auth-cli`: each command is a module. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { main as diff } from './diff';
import { main as doctor } from './doctor/doctor';
import { main as down } from './down';
import { main as drift } from './drift/drift';
import { CliError, EXIT_CODES } from './exit-codes';
import { main as generate } from './generate/generate';
import { main as plan } from './plan/plan';
import { unsetEmpty } from './region';
import { main as rehearse } from './rehearse';
import { main as up } from './up';
import { visible } from '../lib/report/plain-text';
import { InputError } from '../rehearsal/rehearse/input-error';

interface Command {
  readonly summary: string;
  readonly run: (args: string[]) => Promise<number>;
}

const COMMANDS: Record<string, Command> = {
  rehearse: {
    summary: 'Deploy an app to a local PostgreSQL, show who can sign in and may do what, destroy',
    run: rehearse,
  },
  up: { summary: 'Deploy an app to a local PostgreSQL, and run a command that signs in there with tokens', run: up },
  down: { summary: 'End what "up --detach" has started', run: down },
  diff: { summary: 'Show who gains and who loses access between two cdk.out folders, as Markdown', run: diff },
  plan: { summary: 'Show the SQL that a deployment would execute, by asking the deployed provisioners', run: plan },
  drift: { summary: 'Compare the roles in databases with what deployed stacks declare', run: drift },
  generate: { summary: 'Write the TypeScript that declares the roles of an existing database', run: generate },
  doctor: { summary: 'Say why a sign-in with IAM fails, and what to do about it', run: doctor },
};

const HELP = `Usage: cdk-aurora-iam-auth-cli <command> [options]

Commands:
${Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`).join('\n')}

  <command> --help   options of a command
  --version          version of this program

Exit codes: 0 all went well, 1 something is not as it should be, 2 wrong usage or an app that does not synthesize,
3 cannot be done with this input, 4 access is gained and --fail-on-gain is given, 70 an error in this program.`;

/**
 * A reader that has enough, such as head, is no error: what is left to do is done, and the exit code says how it went.
 * A disk that is full is one.
 */
process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  if (code !== 'EPIPE') {
    console.error(`the output cannot be written: ${message}`);
    process.exit(EXIT_CODES.internal);
  }
});
process.stderr.on('error', () => undefined); // there is nothing to say it on

async function main([name, ...args]: string[]): Promise<number> {
  if (name === 'help' && args.length > 0) {
    return main([args[0], '--help']);
  }
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    console.log(HELP);
    return name === undefined ? EXIT_CODES.usage : EXIT_CODES.ok;
  }
  if (name === '--version') {
    console.log((JSON.parse(readFileSync(join(__dirname, 'package.json'), 'utf8')) as { version: string }).version);
    return EXIT_CODES.ok;
  }
  unsetEmpty(process.env);
  if (!Object.hasOwn(COMMANDS, name)) {
    throw new CliError(
      EXIT_CODES.usage,
      `there is no command ${name}, only ${Object.keys(COMMANDS).join(', ')}; --help says more`,
    );
  }
  return COMMANDS[name].run(args);
}

main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
}, (error: Error & { code?: unknown }) => {
  const isExpected = error instanceof CliError;
  const isUsage
    = error instanceof InputError || (typeof error.code === 'string' && error.code.startsWith('ERR_PARSE_ARGS'));
  // Of databases, templates and AWS, as far as the names in it are concerned.
  const text = visible(
    `${process.argv[2] ?? 'cdk-aurora-iam-auth-cli'}: ${error.message.trim().replace(/\s*\n\s*/g, ' ')}`,
  );
  console.error(styleText('red', text, { stream: process.stderr }));
  (isExpected ? error.reasons : []).forEach(reason => console.error(`  - ${visible(reason)}`));
  if (process.argv.includes('--verbose')) {
    console.error(error.cause ?? error);
  }
  process.exitCode = isExpected ? error.code : isUsage ? EXIT_CODES.usage : EXIT_CODES.internal;
});
