import { groupsOf, type Wanted } from '../core/plan-shared';
import type { Row } from '../sql/row';
import { type UserInSchema, withoutUsage } from '../sql/schema-usage';
import type { Transaction } from './transaction';
import type { Work } from './work';

/**
 * What to ask of users that declare privileges on objects of a schema without USAGE on it: nothing, where there is
 * none. A group role is left out, whose members may have USAGE by another one. A plan does not ask.
 */
export function usageQueries({ database, view }: Transaction, wanted: Wanted[]): string[] {
  const users = wanted
    .filter(({ declaration: { kind } }) => kind === 'user')
    .flatMap(one =>
      one.declaration.databases
        .filter(declared => declared.database === database)
        .flatMap(({ schemas }) =>
          schemas.filter(
            ({ owner, privileges, objects, futureObjects }) =>
              !owner && !privileges.includes('USAGE') && objects.length + futureObjects.length > 0,
          ),
        )
        .map(({ schema }) => ({ role: one.role, schema, groups: groupsOf(one) })),
    );
  return users.length === 0 || view !== undefined ? [] : [withoutUsage(users)];
}

/** @param rows of the query, if there was one */
export function reportWithoutUsage({ log }: Work, database: string, rows: Row[] = []): void {
  (rows as unknown as UserInSchema[]).forEach(({ role, schema }) => log.info('no USAGE', {
    role, schema, database,
    reason:
      'the user has privileges on objects of the schema, and cannot use them: it has no USAGE on the schema, neither of its own nor through PUBLIC or a group role',
    remedy: `add Privileges.onSchema({ database: ${JSON.stringify(database)}, schema: ${JSON.stringify(schema)} }) to its privileges`,
  }));
}
