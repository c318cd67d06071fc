import type { IConstruct } from 'constructs';
import type { DeclaredRole } from './access-model';
import { warn } from './warning';

/**
 * Of the import of a role that the app creates itself: an import has no order in the deployment. Looked up late: the
 * role may be created after what refers to it.
 */
export function warnOfRoleOfApp(
  scope: IConstruct,
  { predecessors, database: { model } }: DeclaredRole,
  roleName: string,
): void {
  scope.node.addValidation({
    validate: () => {
      const creator = model.claims.roleNames.get(roleName);
      const isOrdered = [...predecessors].some(({ path }) => path === creator);
      warn(scope, [creator === undefined || isOrdered
        ? undefined
        : {
            id: 'cdk-aurora-iam-auth:roleOfApp',
            text:
              `role name ${JSON.stringify(roleName)} is of an import, and ${creator} creates that role, so that the `
              + 'deployment may come before it; pass that construct in place of the import, or acknowledge',
          }]);
      return [];
    },
  });
}
