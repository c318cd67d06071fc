/** What the program ends with, the same for all commands. */
export const EXIT_CODES = {
  /** All is as it should be. */
  ok: 0,
  /** Something is not as it should be: a deployment, a login, or what stays in a database. */
  failed: 1,
  /** The command line, a file that it names, or the app that it runs is wrong. */
  usage: 2,
  /** What is asked for cannot be done with this input; all reasons are listed. */
  refused: 3,
  /** Access is gained, and the command was asked to fail then. */
  gain: 4,
  /** An error in the program itself. */
  internal: 70,
  /** The command of `up` is a file that cannot be executed; as in a shell. */
  notExecutable: 126,
  /** There is no command of this name for `up`; as in a shell. */
  notFound: 127,
} as const;

/** Ends the program with one line, or a list of them, and a code. */
export class CliError extends Error {
  constructor(
    readonly code: number,
    message: string,
    readonly reasons: readonly string[] = [],
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
