import { Stack } from 'aws-cdk-lib';
import { Construct, IConstruct } from 'constructs';
import { RoleProperties } from '../contract/wire';
import { ManagedDatabase } from '../provisioner/managed-database';

/** What a custom resource declares: a user, several that may do the same, or a group role. */
export interface DeclaredRole {
  readonly kind: 'user' | 'users' | 'role';
  readonly names: string[];
  readonly scope: Construct;
  readonly database: ManagedDatabase;
  readonly exclusive: boolean;
  readonly onRemoval: string;

  /** As they are at that moment; more may be added. */
  readonly declared: Pick<RoleProperties, 'Privileges' | 'MemberOf'>;
}

const BY_STACK = new WeakMap<Stack, DeclaredRole[]>();
const BY_DATABASE = new WeakMap<IConstruct, DeclaredRole[]>();

/** @returns whether it is the first of its stack */
export function rememberRole(role: DeclaredRole): boolean {
  const stack = Stack.of(role.scope);
  const inStack = BY_STACK.get(stack) ?? [];
  const inDatabase = BY_DATABASE.get(role.database.identity) ?? [];
  BY_STACK.set(stack, inStack);
  BY_DATABASE.set(role.database.identity, inDatabase);
  inDatabase.push(role);
  return inStack.push(role) === 1;
}

export function rolesInStack(stack: Stack): readonly DeclaredRole[] {
  return BY_STACK.get(stack) ?? [];
}

/** Those of the app, whichever stack they are in. */
export function rolesInDatabase(identity: IConstruct): readonly DeclaredRole[] {
  return BY_DATABASE.get(identity) ?? [];
}
