import { Stack, Token } from 'aws-cdk-lib';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import type { IConstruct } from 'constructs';
import type { DatabaseLocationOptions } from '../connect-options';
import { errorAt } from '../model/errors';
import { requireText } from '../model/types';

/**
 * Where a database is, which its ARN says: where the app says it is, if it is imported, and otherwise in the
 * environment of its stack.
 */
export interface Location {
  readonly account: string;
  readonly region: string;
}

type Database = IConstruct & { readonly env: Location };

export function locationOf(
  database: Database,
  isImported: boolean,
  { account, region }: DatabaseLocationOptions,
): Location {
  if (!isImported && (account ?? region) !== undefined) {
    throw errorAt(
      database,
      `${account === undefined ? `region "${region}"` : `account "${account}"`} is said of a database that this app makes, which is in the account and Region of its stack; leave it out`,
    );
  }
  Object.entries({ account, region })
    .filter(([, value]) => value !== undefined)
    .forEach(([name, value]) => requireText(database, name, value));
  if (account !== undefined && !Token.isUnresolved(account) && !/^\d{12}$/.test(account)) {
    throw errorAt(
      database,
      `account "${account}" is not the id of an account, which has 12 digits; take it from the ARN of the database`,
    );
  }
  if (region !== undefined) {
    checkRegion(database, region);
  }
  return { account: account ?? database.env.account, region: region ?? database.env.region };
}

/** A policy is in the partition of its stack, and so is what it can be about. */
function checkRegion(database: IConstruct, region: string): void {
  if (Token.isUnresolved(region)) {
    return;
  }
  if (!/^[a-z]+(-[a-z]+)+-\d+$/.test(region)) {
    throw errorAt(
      database,
      `region "${region}" is not the code of a Region, which looks like eu-west-1; take it from the ARN of the database`,
    );
  }
  const here = Stack.of(database).region;
  const [there, partition] = [region, here].map(each =>
    Token.isUnresolved(each) ? undefined : RegionInfo.get(each).partition,
  );
  if (there && partition && there !== partition) {
    throw errorAt(
      database,
      `region "${region}" is in partition ${there} and the stack in ${partition}, and no identity signs in across partitions; import the database into a stack of its own partition`,
    );
  }
}
