import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

export const STACK = 'FirstDeployment';

const APP = 'npx tsx integ-tests/first-deployment/app.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** What the runner asks of AWS: an account, or a rehearsal of one. */
export interface Account {
  readonly region: string;
  /**
   * Calls an API as the AWS CLI does.
   *
   * @param command such as `sts get-caller-identity`
   * @param options such as `--role-arn`, with their values
   * @param credentials of a role, if not those of the runner
   * @returns the answer. Throws what AWS says otherwise
   */
  aws(command: string, options?: Record<string, string | undefined>, credentials?: Credentials): Promise<unknown>;
  /** Invokes a function, and returns what it returns. */
  invoke(functionName: string, payload: object): Promise<unknown>;
  /** Deploys the stack with this context. Whether that succeeds is for the stack to say. */
  deploy(context: Record<string, string>, options: { readonly rollback: boolean }): Promise<void>;
  destroy(): Promise<void>;
  /** What `doctor --env --json` of the command-line package says of these PG* variables. */
  doctor(variables: Record<string, string>): Promise<DoctorAnswer>;
  now(): number;
  sleep(milliseconds: number): Promise<void>;
}

export interface DoctorAnswer {
  readonly signedIn: boolean;
  readonly cause?: string;
  readonly steps: readonly { readonly step: string; readonly state: string; readonly found: string }[];
}

/** The account of the AWS CLI, with its credentials. */
export class AwsAccount implements Account {
  constructor(readonly region: string) {}

  async aws(
    command: string,
    options: Record<string, string | undefined> = {},
    credentials?: Credentials,
  ): Promise<unknown> {
    const { code, output, problems } = await run(
      ['aws', ...argumentsOf(command, options)],
      false,
      this.environment(credentials),
    );
    if (code !== 0) {
      throw new Error(problems.trim() || `aws ${command} ended with ${code}`);
    }
    return output.trim() === '' ? {} : (JSON.parse(output) as unknown);
  }

  async invoke(functionName: string, payload: object): Promise<unknown> {
    const folder = await mkdtemp(join(tmpdir(), 'first-deployment-'));
    const [question, answer] = ['question.json', 'answer.json'].map(name => join(folder, name));
    try {
      // In a file that only this user can read: it has a token or a password.
      await writeFile(question, JSON.stringify(payload), { mode: 0o600 });
      await this.aws(`lambda invoke ${answer}`, {
        '--function-name': functionName,
        '--payload': `fileb://${question}`,
      });
      return JSON.parse(await readFile(answer, 'utf8')) as unknown;
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  async deploy(context: Record<string, string>, { rollback }: { readonly rollback: boolean }): Promise<void> {
    const settings = Object.entries(context).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    await this.cdk('deploy', STACK, ...settings, '--require-approval', 'never', ...(rollback ? [] : ['--no-rollback']));
  }

  async destroy(): Promise<void> {
    await this.cdk('destroy', STACK, '--force');
  }

  async doctor(variables: Record<string, string>): Promise<DoctorAnswer> {
    const words = ['npx', 'tsx', 'cli/index.ts', 'doctor', '--env', '--json'];
    const { output, problems } = await run(words, false, { ...this.environment(), ...variables });
    if (output.trim() === '') {
      throw new Error(problems.trim());
    }
    return JSON.parse(output) as DoctorAnswer;
  }

  now(): number {
    return Date.now();
  }

  async sleep(milliseconds: number): Promise<void> {
    await setTimeout(milliseconds);
  }

  private async cdk(...words: string[]): Promise<void> {
    await run(
      [
        'npx',
        '--yes',
        'aws-cdk@2',
        ...words,
        '--app',
        APP,
        '--output',
        'integ-tests/first-deployment/cdk-integ.out.first-deployment',
      ],
      true,
      this.environment(),
    );
  }

  private environment(credentials?: Credentials): NodeJS.ProcessEnv {
    return {
      ...process.env,
      AWS_REGION: this.region,
      AWS_DEFAULT_REGION: this.region,
      AWS_PAGER: '',
      ...(credentials && {
        AWS_PROFILE: undefined,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_SESSION_TOKEN: credentials.sessionToken,
      }),
    };
  }
}

/** An option without a value is one that is only named. */
export function argumentsOf(command: string, options: Record<string, string | undefined>): string[] {
  const words = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [name] : [name, value]));
  return [...command.split(' '), ...words, '--output', 'json'];
}

async function run(
  [program, ...words]: string[],
  isShown: boolean,
  env: NodeJS.ProcessEnv,
): Promise<{ code: number | null; output: string; problems: string }> {
  const child = spawn(program, words, {
    env,
    stdio: ['ignore', isShown ? 'inherit' : 'pipe', isShown ? 'inherit' : 'pipe'],
  });
  let output = '';
  let problems = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (problems += text));
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  return { code, output, problems };
}
