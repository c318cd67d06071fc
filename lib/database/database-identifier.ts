import { Token } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import type { DatabaseKind } from '../contract/wire';
import { errorAt } from '../model/errors';

/**
 * The identifier of an imported database as RDS stores it, in lower case: it becomes part of the ARN in a policy, which
 * IAM compares case by case, and in which a wildcard would be about other databases. A token stays as it is.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html
 */
export function storedIdentifier(database: IConstruct, kind: DatabaseKind, identifier: string): string {
  if (Token.isUnresolved(identifier)) {
    return identifier;
  }
  // Each text fits in one way only: with more of them, a long one that does not fit would take hours.
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/i.test(identifier)) {
    throw errorAt(
      database,
      `identifier "${identifier}" is not the one of a ${kind}, which has letters, digits and single hyphens and begins with a letter, and the permission to change or use it is to be about no other; `
      + `give the identifier where the ${kind} is imported`,
    );
  }
  return identifier.toLowerCase();
}
