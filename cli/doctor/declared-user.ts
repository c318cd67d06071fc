/** Where a user that an app declares signs in: from its templates, and from what CloudFormation has made of them. */
import { DATABASE_USER_RESOURCE_TYPE, DATABASE_USERS_RESOURCE_TYPE } from '../../lib/contract/wire';
import { CloudAssembly } from '../../rehearsal/cloudformation/cloud-assembly';
import { StackInApp, withNested } from './deployed-name';

export interface DeclaredUser extends StackInApp {
  readonly logicalId: string;
  /** The first database in which it has privileges. */
  readonly database?: string;
  /** What the template says of the resource id of the database. */
  readonly resourceId: DeclaredResourceId;
}

export type DeclaredResourceId
  = | { readonly of: 'resource'; readonly kind: 'cluster' | 'instance'; readonly logicalId: string }
    | { readonly of: 'export'; readonly name: string }
    | { readonly of: 'text'; readonly text: string }
    | { readonly of: 'nothing known' };

/** All users of that name, in each stack of the app. */
export function declaredUsers(assembly: Pick<CloudAssembly, 'stacks'>, username: string): DeclaredUser[] {
  return assembly.stacks.flatMap(withNested).flatMap(({ stack, top }) =>
    Object.entries(stack.template.Resources).flatMap(([logicalId, { Type, Properties = {} }]) => {
      const {
        Username,
        Usernames,
        Database,
        Privileges = {},
      } = Properties as Record<string, object | string | undefined>;
      const isIts
        = Type === DATABASE_USER_RESOURCE_TYPE
          ? Username === username
          : Type === DATABASE_USERS_RESOURCE_TYPE && Array.isArray(Usernames) && Usernames.includes(username);
      return isIts
        ? [
            {
              stack,
              top,
              logicalId,
              database: Object.keys(Privileges)[0],
              resourceId: resourceIdOf((Database as { ResourceId?: unknown } | undefined)?.ResourceId),
            },
          ]
        : [];
    }),
  );
}

function resourceIdOf(value: unknown): DeclaredResourceId {
  if (typeof value === 'string') {
    return { of: 'text', text: value };
  }
  const { 'Fn::GetAtt': attribute, 'Fn::ImportValue': name } = (value ?? {}) as Record<string, unknown>;
  const [logicalId, its] = (
    typeof attribute === 'string' ? attribute.split('.') : Array.isArray(attribute) ? attribute : []
  ) as (string | undefined)[];
  if (logicalId !== undefined && (its === 'DBClusterResourceId' || its === 'DbiResourceId')) {
    return { of: 'resource', kind: its === 'DbiResourceId' ? 'instance' : 'cluster', logicalId };
  }
  return typeof name === 'string' ? { of: 'export', name } : { of: 'nothing known' };
}
