import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { RunFolder } from '../run-folder';
import { CloudAssembly } from './cloud-assembly';

const ROOT = resolve(__dirname, '../..');

/**
 * Runs a CDK app written in TypeScript, as `cdk synth` would.
 *
 * @param app file of the app, from the root of the repository
 * @param context as with `cdk synth -c name=value`
 */
export async function synthesize(app: string, context: Record<string, string> = {}): Promise<CloudAssembly> {
  if (!existsSync(resolve(ROOT, app))) {
    throw new Error(`${app} does not synthesize: there is no such file`);
  }
  const folder = RunFolder.open().newPath('cdk.out');
  const child = RunFolder.open().spawn(process.execPath, ['--import', 'tsx', app], 'KILL', {
    cwd: ROOT,
    env: {
      ...process.env,
      CDK_OUTDIR: folder,
      CDK_CONTEXT_JSON: JSON.stringify(context),
      CDK_VALIDATION: 'false',
      TSX_TSCONFIG_PATH: 'examples/tsconfig.json',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => output += text);
  const code = await new Promise<number | null>((done, reject) => child.once('error', reject).once('close', done));
  if (code !== 0) {
    const message = output.split('\n').find(line => /^\w*Error\b/.test(line)) ?? `exit status ${code}`;
    throw new Error(`${app} does not synthesize: ${message}`, { cause: output });
  }
  return new CloudAssembly(folder);
}
