import { declaredRoleOf } from './app-access';
import { shown } from './types';
import type { IDatabaseRole } from '../role-interface';

/** On a role that is managed elsewhere, the same in each copy of the library. */
const MANAGED_ELSEWHERE = Symbol.for('cdk-aurora-iam-auth.managedElsewhere');

export function markManagedElsewhere(role: IDatabaseRole): void {
  Object.defineProperty(role, MANAGED_ELSEWHERE, { value: true });
}

/**
 * Refuses another implementation of `IDatabaseRole`: whether a deployment has to create that role first is not known of
 * it.
 *
 * @param property where the role was passed, as in "reassignOwnedTo"
 */
export function checkRole(property: string, role: IDatabaseRole): void {
  if (role?.node === undefined || !(MANAGED_ELSEWHERE in role || declaredRoleOf(role))) {
    throw new Error(
      `${property} ${nameOf(role)} is no role of this library, so that the deployment cannot be ordered after its creation; `
      + 'pass a DatabaseRole or a DatabaseUser, or DatabaseRole.fromRoleName(scope, id, roleName) for a role that is managed elsewhere',
    );
  }
}

function nameOf(role: IDatabaseRole): string {
  return role?.node?.path ?? shown(role);
}
