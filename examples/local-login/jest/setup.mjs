// globalSetup of Jest: starts a local database, and gives all tests the environment of an application.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export default function setUp() {
  const app = process.env.CDK_OUT ?? 'cdk.out';
  const args = ['cdk-aurora-iam-auth-cli', 'up', app, '--user', 'orders', '--detach'];
  const line = execFileSync('npx', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const [, file] = /^\. '(.+)' #/.exec(line);
  Object.keys(process.env).filter(name => /^(PG|AWS_)/.test(name)).forEach(name => delete process.env[name]);
  for (const [, name, value] of readFileSync(file, 'utf8').matchAll(/^export (\w+)='(.*)'$/gm)) {
    process.env[name] = value;
  }
}
