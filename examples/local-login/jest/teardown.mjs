// globalTeardown of Jest: ends the local database.
import { execFileSync } from 'node:child_process';

export default function tearDown() {
  execFileSync('npx', ['cdk-aurora-iam-auth-cli', 'down'], { stdio: 'ignore' });
}
