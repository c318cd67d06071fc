import type { Account } from './account';

/** Loads the SDK, for which other commands do not wait. */
export function openAccount(): Account {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- import() is none of CommonJS to Jest
  const { AwsAccount } = require('./account') as typeof import('./account');
  return new AwsAccount();
}
