import { Token } from 'aws-cdk-lib';

/** Whether a name is known at the deployment only: a token, or an item of a list that is one. */
export function isToken(name: string): boolean {
  return Token.isUnresolved(name) || Token.isUnresolved([name]);
}
