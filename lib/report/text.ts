import { Stack, Token } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { constructAt } from '../model/app-access';
import { written } from '../model/written';

/**
 * A text for people; what only the deployment knows is in it as CloudFormation writes it, such as `${Username}`.
 *
 * @param path of a construct in the stack that would write it
 */
export function readable(root: IConstruct, path: string, text: string): string {
  return Token.isUnresolved(text) ? written(Stack.of(constructAt(root, path)).resolve(text)) : text;
}
