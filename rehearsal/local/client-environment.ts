/** What an application is told, and nothing else of PostgreSQL and AWS. */
export type ClientEnvironment = Readonly<Record<string, string>>;

/** Variables of libpq and of the AWS SDKs: those of the caller lead elsewhere. */
const FOREIGN = /^(PG|AWS_)[A-Z0-9_]*$/;

/** The environment of a command: that of the caller, with the application's in place of what leads elsewhere. */
export function environmentOfCommand(caller: NodeJS.ProcessEnv, application: ClientEnvironment): NodeJS.ProcessEnv {
  const kept = Object.entries(caller).filter(([name]) => !FOREIGN.test(name));
  return { ...Object.fromEntries(kept), ...application };
}

/** The same as a file for `.` of a shell. What the shell has from elsewhere is unset when the file is read. */
export function environmentFile(application: ClientEnvironment): string {
  const foreign = "$(env | sed -n 's/^\\(PG[A-Z0-9_]*\\|AWS_[A-Z0-9_]*\\)=.*/\\1/p')";
  return [
    `for name in ${foreign}; do unset "$name"; done`,
    ...Object.entries(application).map(([name, value]) => `export ${name}=${quoted(value)}`),
    '',
  ].join('\n');
}

/** For a POSIX shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
