import { fork } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorLine } from './error-line';
import { CliError, EXIT_CODES } from './exit-codes';
import { UpOptions, upOptionsOf, USAGE } from './up-options';
import { callerFolder } from '../rehearsal/caller-folder';
import { environmentFile, environmentOfCommand, quoted } from '../rehearsal/local/client-environment';
import { untilStopped } from '../rehearsal/local/detached';
import { LocalDatabase, NotRehearsed, StartFailed } from '../rehearsal/local/local-database';
import { CommandError, runCommand } from '../rehearsal/local/run-command';
import { InputError } from '../rehearsal/rehearse/input-error';
import { RunFolder } from '../rehearsal/run-folder';

/** Variable of the process that stays, which has no command line of its own. */
const DETACHED = 'CDK_AURORA_IAM_AUTH_DETACHED';

/** What the process that stays tells the one that has started it. */
type Message
  = | { readonly kind: 'progress'; readonly line: string }
    | { readonly kind: 'ready'; readonly id: string; readonly environmentFile: string }
    | { readonly kind: 'failed'; readonly code: number; readonly message: string; readonly reasons: readonly string[] };

/** `up <app or cdk.out> -- <command>` */
export async function main(args: string[]): Promise<number> {
  const options = upOptionsOf(args);
  if (!options) {
    console.log(USAGE);
    return EXIT_CODES.ok;
  }
  if (!options.detach) {
    return runWith(options);
  }
  if (process.env[DETACHED] === undefined) {
    return startDetached(args);
  }
  delete process.env[DETACHED]; // the app that is synthesized may start another one
  return stay(options);
}

/** The standard output is the command's. */
async function runWith(options: UpOptions): Promise<number> {
  const database = await start(options, errorLine);
  try {
    return await runCommand(options.command, callerFolder(), environmentOfCommand(process.env, database.environment));
  } catch (error) {
    if (!(error instanceof CommandError)) {
      throw error;
    }
    const name = options.command[0];
    switch (error.code) {
      case 'ENOENT':
        throw new CliError(
          EXIT_CODES.notFound,
          `there is no command ${name}: it is looked for in PATH; name a file, or install it`,
        );
      case 'EACCES':
        throw new CliError(
          EXIT_CODES.notExecutable,
          `${name} cannot be executed: it is not allowed to; name a program, or run chmod +x`,
        );
      default:
        throw new CliError(EXIT_CODES.failed, `${name} cannot be run: ${error.message}`);
    }
  } finally {
    await database.close();
  }
}

async function start(options: UpOptions, print: (line: string) => void): Promise<LocalDatabase> {
  try {
    return await LocalDatabase.start(options, print);
  } catch (error) {
    if (error instanceof NotRehearsed) {
      throw new CliError(EXIT_CODES.refused, `${options.source ?? 'the app'} cannot be rehearsed:`, error.problems);
    }
    throw error instanceof StartFailed ? new CliError(EXIT_CODES.failed, error.message) : error;
  }
}

/** Starts the process that stays, and waits until it is ready. */
async function startDetached(args: string[]): Promise<number> {
  const child = fork(process.argv[1], ['up', ...args], {
    env: { ...process.env, [DETACHED]: '1' },
    detached: true, // Ctrl-C in the terminal ends a command that runs there later, and not the database
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', code =>
      reject(new CliError(EXIT_CODES.internal, `the process that should stay ended with ${code}`)),
    );
    child.on('message', (message: Message) => {
      switch (message.kind) {
        case 'progress':
          console.error(message.line);
          return;
        case 'failed':
          reject(new CliError(message.code, message.message, message.reasons));
          break;
        case 'ready':
          // One line that a shell can evaluate.
          console.log(`. ${quoted(message.environmentFile)} # ends with: cdk-aurora-iam-auth-cli down ${message.id}`);
          resolve(EXIT_CODES.ok);
          break;
      }
      child.removeAllListeners('exit');
      child.disconnect();
      child.unref();
    });
  });
}

/** In the process that stays. */
async function stay(options: UpOptions): Promise<number> {
  const log = join(RunFolder.open().newFolder('log'), 'up.log');
  const tell = (message: Message) => process.connected && process.send!(message);
  const print = (line: string) => {
    appendFileSync(log, `${line}\n`);
    tell({ kind: 'progress', line });
  };
  // Ends when the waiting command is gone: Ctrl-C while the app is deployed.
  const giveUp = () => process.exit(EXIT_CODES.failed);
  process.once('disconnect', giveUp);
  try {
    const database = await start(options, print);
    const path = database.write('environment.sh', environmentFile(database.environment));
    print(`        refused sign-ins are listed in ${log}`);
    await untilStopped(options.source ?? 'cdk.json', callerFolder(), ({ id }) => {
      process.off('disconnect', giveUp);
      tell({ kind: 'ready', id, environmentFile: path });
    });
    await database.close();
    return EXIT_CODES.ok;
  } catch (error) {
    const { message } = error as Error;
    const isExpected = error instanceof CliError;
    const code = isExpected ? error.code : error instanceof InputError ? EXIT_CODES.usage : EXIT_CODES.internal;
    tell({ kind: 'failed', code, message, reasons: isExpected ? error.reasons : [] });
    return code;
  }
}
