import { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { RunFolder } from '../run-folder';

/** A command that does not run at all. */
export class CommandError extends Error {
  constructor(readonly code: 'ENOENT' | 'EACCES' | 'other', message: string) {
    super(message);
  }
}

/** What ends a command from outside. Ctrl-C, Ctrl-\ and a terminal that is closed reach it without this process. */
const SIGNALS = { SIGINT: 'terminal', SIGQUIT: 'terminal', SIGHUP: 'terminal', SIGTERM: 'other' } as const;

/**
 * Runs a command with the standard input and outputs of this process, and hands it the signals that this process gets.
 *
 * @returns its exit code, or 128 and the number of the signal that ended it, as a shell has it
 */
export async function runCommand([command, ...args]: string[], cwd: string, env: NodeJS.ProcessEnv): Promise<number> {
  let child: ChildProcess | undefined;
  const forward = (signal: NodeJS.Signals) => {
    if (SIGNALS[signal as keyof typeof SIGNALS] === 'other' || !hasTerminal()) {
      child?.kill(signal);
    }
  };
  const names = Object.keys(SIGNALS) as NodeJS.Signals[];
  names.forEach(name => process.on(name, forward)); // before there is a command, which may answer at once
  try {
    child = RunFolder.open().spawn(command, args, 'TERM', { cwd, env, stdio: 'inherit' });
    const [code, signal] = await once(child, 'exit') as [number | null, NodeJS.Signals | null];
    return code ?? 128 + constants.signals[signal!];
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CommandError(code === 'ENOENT' || code === 'EACCES' ? code : 'other', message);
  } finally {
    names.forEach(name => process.off(name, forward));
  }
}

/** Whether a terminal controls this process: then it sends its signals to the command as well. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
