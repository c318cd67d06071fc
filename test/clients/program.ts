import { RunFolder } from '../../rehearsal/run-folder';
import { CLEAN_ENVIRONMENT } from './client';

export interface ProgramOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** Standard input. */
  readonly input?: string;
}

export interface ProgramResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. One that does not exist has code 127, as in a shell. */
export async function run(
  command: string,
  args: string[],
  { input = '', ...options }: ProgramOptions = {},
): Promise<ProgramResult> {
  const child = RunFolder.open().spawn(command, args, 'KILL', options);
  let [stdout, stderr] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => stdout += text);
  child.stderr?.setEncoding('utf8').on('data', (text: string) => stderr += text);
  child.stdin?.on('error', () => undefined).end(input);
  return new Promise((resolve) => {
    child.once('error', error => resolve({ code: 127, stdout, stderr: error.message }));
    child.once('close', code => resolve({ code, stdout, stderr }));
  });
}

/** What a client printed, or the refusal as it shows it, without a token. */
export function outcome({ code, stdout, stderr }: ProgramResult): string {
  if (code === 0) {
    return stdout.trim();
  }
  const refusal = /(FATAL: +|ERROR: +|failed: (?!FATAL))(.+)/.exec(stderr)?.[2];
  const text = refusal === undefined ? `failed: ${stderr.trim().split('\n').at(-1)}` : `refused: ${refusal}`;
  return text.replace(/\S*Action=connect\S*/g, '<token>');
}

/** First line that a program prints about itself. Throws when there is no such program. */
export async function versionOf(command: string, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, { env: CLEAN_ENVIRONMENT });
  if (code !== 0) {
    throw new Error(code === 127 ? `there is no ${command}` : `${command} fails: ${stderr.trim().split('\n').at(-1)}`);
  }
  return stdout.split('\n')[0];
}
