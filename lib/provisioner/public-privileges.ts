import { CfnResource, Stack } from 'aws-cdk-lib';
import { Construct, Dependable, type IDependable } from 'constructs';
import type { ManagedDatabase } from './managed-database';
import { databaseNameProblem, managedRoleNameProblem } from '../contract/names';
import {
  PUBLIC_PRIVILEGES_RESOURCE_TYPE,
  type PublicPrivilegesProperties,
  SERVICE_TIMEOUT_SECONDS,
} from '../contract/wire';
import { unknownDatabase } from '../database/known-databases';
import { neverRetain } from '../database/removal-policies';
import type { DeclaredOfPublic } from '../model/access-model';
import { constructAt } from '../model/app-access';
import { databaseNeeds } from '../model/connects';
import { errorAt } from '../model/errors';
import { isToken } from '../model/token';
import { requireFlag, requireList, requireText } from '../model/types';
import { unclearName } from '../model/unclear-names';
import { warn } from '../model/warning';
import type { RestrictPublicOptions } from '../public-privileges-options';

/** Id of the construct below an AuroraIamAuth or InstanceIamAuth. Permanent. */
const PUBLIC_PRIVILEGES_ID = 'PublicPrivileges';

/** Privileges that are revoked from PUBLIC in one database: one custom resource. */
export class PublicPrivileges extends Construct {
  constructor(iamAuth: Construct, managed: ManagedDatabase, options: RestrictPublicOptions) {
    const { database, connect = false, createInPublicSchema = false, lockOut = [] } = options;
    const names = checked(iamAuth, managed, { database, connect, createInPublicSchema, lockOut });
    const scope = iamAuth.node.tryFindChild(PUBLIC_PRIVILEGES_ID) ?? new Construct(iamAuth, PUBLIC_PRIVILEGES_ID);
    super(scope, database);
    const declared: DeclaredOfPublic = {
      path: this.node.path,
      stack: Stack.of(this).node.path,
      DatabaseName: database,
      Revoked: {
        ...(connect ? { Database: ['CONNECT'] } : {}),
        ...(createInPublicSchema ? { Schemas: { public: { Schema: ['CREATE'] } } } : {}),
      },
      lockOut: names,
    };
    const { DatabaseName, Revoked } = declared;
    const properties: PublicPrivilegesProperties = {
      Database: { ResourceId: managed.database.target.resourceId },
      DatabaseName,
      Revoked,
      ...names.length === 0 ? {} : { LockOut: names },
      ...managed.reapply === undefined ? {} : { Reapply: managed.reapply },
    };
    const provisioner = managed.provisionerFor(this);
    const resource = new CfnResource(this, provisioner.customResourceId, {
      type: PUBLIC_PRIVILEGES_RESOURCE_TYPE,
      properties: {
        ServiceToken: provisioner.serviceToken,
        ServiceTimeout: `${SERVICE_TIMEOUT_SECONDS}`,
        ...properties,
      },
    });
    this.node.defaultChild = resource;
    provisioner.lanes.add(resource);
    neverRetain(resource, 'PUBLIC would not get back what it had when it leaves the app; take the override out');
    const { model } = managed;
    model.restricted = [...model.restricted ?? [], declared];
    resource.node.addDependency(rolesIn(managed, declared, this.node.root));
    if (connect) {
      this.warnOfLockedOut(managed, declared);
    }
    managed.onPublic(declared, { resource });
    warn(this, [
      unknownDatabase(managed.database, database),
      unclearName('database name', database),
      ...names.map(name => unclearName('role name', name)),
    ]);
  }

  /**
   * At the end of the synthesis: users and privileges may be added later. The deployment refuses such a user that is
   * there before, and one that comes later cannot connect.
   */
  private warnOfLockedOut({ model }: ManagedDatabase, { DatabaseName, lockOut }: DeclaredOfPublic): void {
    const database = JSON.stringify(DatabaseName);
    this.node.addValidation({
      validate: () => {
        const needOf = databaseNeeds(model, DatabaseName);
        for (const role of model.roles.filter(
          ({ kind, names }) => kind !== 'role' && names.some(name => !lockOut.includes(name)),
        )) {
          const { isDeclared, connects } = needOf(role);
          warn(constructAt(this.node.root, role.path), [isDeclared && connects === false
            ? {
                id: 'cdk-aurora-iam-auth:lockedOut',
                text:
                  `${role.path} has privileges in database ${database} and no CONNECT on it, which ${this.node.path} revokes from PUBLIC, so that it cannot connect; `
                  + `add Privileges.onDatabase({ database: ${database} }) to its privileges`,
              }
            : undefined]);
        }
        return [];
      },
    });
  }
}

/** @returns the names, sorted */
function checked(
  scope: Construct,
  { model }: ManagedDatabase,
  { database, connect, createInPublicSchema, lockOut }: Required<RestrictPublicOptions>,
): string[] {
  requireText(scope, 'database', database);
  requireFlag(scope, 'connect', connect);
  requireFlag(scope, 'createInPublicSchema', createInPublicSchema);
  requireList(scope, 'lockOut', lockOut);
  lockOut.forEach(name => requireText(scope, 'a name in lockOut', name));
  if ([database, ...lockOut].some(isToken)) {
    throw errorAt(
      scope,
      'database or lockOut is a token, and names of databases and roles must be known at synthesis; give the names themselves',
    );
  }
  const problem = [databaseNameProblem(database), ...lockOut.map(name => managedRoleNameProblem(name))].find(
    found => found !== undefined,
  );
  if (problem !== undefined) {
    throw errorAt(scope, problem);
  }
  if (!connect && !createInPublicSchema) {
    throw errorAt(
      scope,
      `restrictPublic of database ${JSON.stringify(database)} revokes nothing; pass connect: true, createInPublicSchema: true, or both`,
    );
  }
  const other = model.restricted?.find(each => each.DatabaseName === database);
  if (other) {
    throw errorAt(
      scope,
      `PUBLIC in database ${JSON.stringify(database)} is restricted by ${other.path} already; pass all options there`,
    );
  }
  return [...new Set(lockOut)].sort();
}

/**
 * Roles of the stack that declare something in the database, and their members, so that they have CONNECT first. Looked
 * up late: they may come after this.
 */
function rolesIn({ model }: ManagedDatabase, { DatabaseName, stack }: DeclaredOfPublic, root: Construct): IDependable {
  const dependable: IDependable = {};
  Dependable.implement(dependable, {
    get dependencyRoots() {
      const needOf = databaseNeeds(model, DatabaseName);
      const roles = model.roles.filter(role => role.stack === stack && needOf(role).isDeclared);
      return roles.map(({ path }) => constructAt(root, path).node.defaultChild!);
    },
  });
  return dependable;
}
