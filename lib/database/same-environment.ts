import { Stack, Token, TokenComparison } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import type { Location } from './location';
import { errorAt } from '../model/errors';

/** What is done to a database from a stack, in words for a message. */
export interface EnvironmentRequirement {
  /** As in "its users are created from there". */
  readonly why: string;
  /** As in "create the user in a stack of ...". */
  readonly remedy: string;
  /** Who is in the stack, as in "the one of the user". */
  readonly who: string;
}

/** What is done to a database is done in its account and Region. */
export function requireSameEnvironment(
  scope: IConstruct,
  databaseStack: Stack,
  database: Location,
  { why, remedy, who }: EnvironmentRequirement,
): void {
  const stack = Stack.of(scope);
  for (const key of ['account', 'region'] as const) {
    const [there, here] = [database[key], stack[key]];
    const comparison = Token.compareStrings(there, here);
    if (comparison === TokenComparison.ONE_UNRESOLVED) {
      const [known, open, which] = Token.isUnresolved(here)
        ? [there, stack.node.path, 'database']
        : [here, databaseStack.node.path, who];
      throw errorAt(
        scope,
        `${key} of stack ${open} is left open and the one of the ${which} is ${known}, and they must be the same; `
        + `give stack ${open} the env of the other`,
      );
    }
    if (comparison === TokenComparison.DIFFERENT) {
      throw errorAt(
        scope,
        `${key} ${here} of the stack is not ${there} of the database, and ${why} from there; ${remedy} in a stack of ${key} ${there}`,
      );
    }
  }
}
