import { Token } from 'aws-cdk-lib';
import type { Database } from './database';
import { isRestored } from './restored';
import type { Warning } from '../model/warning';

/** The one that every server has: https://www.postgresql.org/docs/current/manage-ag-templatedbs.html */
const ALWAYS_THERE = 'postgres';

/**
 * Of a database that nothing in the template makes. A restored cluster has what its snapshot had; an import does not
 * tell.
 */
export function unknownDatabase(
  { construct, kind, resource, databaseName }: Database,
  name: string,
): Warning | undefined {
  const known = [...databaseName === undefined ? [] : [databaseName], ALWAYS_THERE];
  if (!resource || isRestored(resource) || known.some(one => Token.isUnresolved(one) || one === name)) {
    return undefined;
  }
  return {
    id: 'cdk-aurora-iam-auth:unknownDatabase',
    text: `database ${JSON.stringify(name)} is none that ${kind} ${construct.node.path} is made with `
      + `(${known.map(one => JSON.stringify(one)).join(', ')}), and the deployment fails where it is not there; `
      + 'correct the name, or see that it is created before this user, and acknowledge',
  };
}
