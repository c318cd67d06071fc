import { Token } from 'aws-cdk-lib';

/** Whether a name is known at the deployment only: a token, or an item of a list that is one. */
export function isToken(name: string): boolean {
  return Token.isUnresolved(name) || Token.isUnresolved([name]);
}

/**
 * Whether CDK has put a text in place of a parameter of Systems Manager, which its CLI looks up after the first
 * synthesis. An error would end that, and the value would never be looked up.
 */
export function isToBeLookedUp(name: string): boolean {
  return name.startsWith('dummy-value-for-');
}
