import { Annotations, CfnResource, Lazy, Stack } from 'aws-cdk-lib';
import { type Construct, Dependable, type IDependable } from 'constructs';
import { requireExpiry } from './expiry-schedules';
import type { ManagedDatabase } from './managed-database';
import type { Provisioner } from './provisioner';
import { membershipProblem, membershipWarning } from '../contract/predefined-roles';
import {
  DEFAULT_REMOVAL_ACTION,
  type RemovalAction,
  type RoleProperties,
  SERVICE_TIMEOUT_SECONDS,
} from '../contract/wire';
import { unknownDatabase } from '../database/known-databases';
import { neverRetain } from '../database/removal-policies';
import { warnOfUnescapedGrants } from '../database/unescaped-grants';
import type { DeclaredRole, RoleKind } from '../model/access-model';
import { addRole, claim, claimsIn, constructAt, declaredRoleOf } from '../model/app-access';
import { isDeployedAfter, declaredRole, schemaOwnersFor, waitsFor } from '../model/declared-role';
import { errorAt } from '../model/errors';
import { expiredMembership, expiredUser, movingExpiry } from '../model/expiry';
import type { Grant, InSchema } from '../model/grant';
import { checkRole } from '../model/known-role';
import type { PrivilegesByDatabase } from '../model/privilege-set';
import { wordProblem } from '../model/privilege-words';
import { warnOfRoleOfApp } from '../model/role-of-app';
import { requireFlag, requireOwn } from '../model/types';
import { unclearName, unclearNames, unclearPath } from '../model/unclear-names';
import { settingProperties } from '../model/user-settings';
import { warn, type Warning } from '../model/warning';
import type { IDatabaseRole } from '../role-interface';
import type { DatabaseUserSettings } from '../user-settings';

/** What happens to a role in PostgreSQL when its construct goes. */
export interface Removal {
  readonly action: RemovalAction;

  /** Of what it owns. */
  readonly newOwner?: IDatabaseRole;
}

export interface RoleResourceProps extends DatabaseUserSettings {
  readonly database: ManagedDatabase;
  readonly kind: RoleKind;
  readonly resourceType: string;

  /** The names in the properties of the custom resource. */
  readonly identity: { readonly [property: string]: string | string[] };

  /** The same names, for the checks. */
  readonly names: string[];
  readonly onRemoval?: { readonly _removal: Removal };
  readonly exclusive?: boolean;
  readonly adoptExisting?: boolean;
  readonly expiresAt?: Date;
}

/** Id of the warning, for those who acknowledge it. */
const FUTURE_OBJECTS = 'cdk-aurora-iam-auth:futureObjects';

const SELF_REFERENCE = { user: 'the user itself', users: 'one of these users', role: 'the role itself' };

/** The custom resource of a role or user: what it may do, and what must be deployed before it. */
export class RoleResource {
  public readonly role: DeclaredRole;
  public readonly resource: CfnResource;
  public readonly provisioner: Provisioner;
  private readonly database: ManagedDatabase;

  constructor(private readonly scope: Construct, props: RoleResourceProps) {
    const { database, kind, names, identity, exclusive, adoptExisting, expiresAt, onRemoval, setRoleAtLogin } = props;
    requireOwn(scope, 'onRemoval', onRemoval, '_removal', 'OnRemoval.dropOrDisable() or one of its siblings');
    requireFlag(scope, 'exclusive', exclusive);
    requireFlag(scope, 'adoptExisting', adoptExisting);
    if (setRoleAtLogin !== undefined) {
      checkRole('setRoleAtLogin', setRoleAtLogin);
    }
    if (expiresAt !== undefined) {
      if (kind === 'role') {
        throw errorAt(scope, 'expiresAt is of a group role, which has no login that could end; '
          + 'pass it to the users that are its members, or to Privileges.memberOf(role, { expiresAt })');
      }
      requireExpiry(scope, expiresAt);
    }
    const { action, newOwner }: Removal = onRemoval?._removal ?? { action: 'DROP_OR_DISABLE' };
    this.database = database;
    const settings = settingProperties(scope, kind, props);
    const role = declaredRole({
      ...settings === undefined ? {} : { settings },
      kind,
      names,
      path: scope.node.path,
      stack: Stack.of(scope).node.path,
      database: database.declared,
      exclusive: exclusive === true,
      onRemoval: action,
      ...expiresAt === undefined ? {} : { expiresAt: expiresAt.toISOString() },
    });
    this.role = role;
    const { reapply } = database;
    const properties: RoleProperties = {
      Database: { ResourceId: database.database.target.resourceId },
      ...identity,
      // Late, so that privileges added after the construction are among them.
      Privileges: Lazy.any({ produce: () => role.declared.Privileges }) as unknown as RoleProperties['Privileges'],
      MemberOf: Lazy.any({ produce: () => role.declared.MemberOf }) as unknown as RoleProperties['MemberOf'],
      MembershipExpiresAt: Lazy.any({
        produce: () => role.declared.MembershipExpiresAt,
      }) as unknown as RoleProperties['MembershipExpiresAt'],
      ...settings === undefined ? {} : { Settings: settings },
      ...action === DEFAULT_REMOVAL_ACTION
        ? {}
        : { OnRemoval: { Action: action, ...newOwner ? { ReassignOwnedTo: newOwner.roleName } : {} } },
      ...exclusive ? { Exclusive: 'true' } : {},
      ...expiresAt === undefined ? {} : { ExpiresAt: expiresAt.toISOString() },
      ...adoptExisting ? { AdoptExisting: 'true' } : {},
      ...reapply === undefined ? {} : { Reapply: reapply },
    };
    const provisioner = database.provisionerFor(scope);
    this.provisioner = provisioner;
    // Not the L2, which writes what is the default of CloudFormation: with hundreds of users each line counts.
    this.resource = new CfnResource(scope, provisioner.customResourceId, {
      type: props.resourceType,
      properties: {
        ServiceToken: provisioner.serviceToken,
        ServiceTimeout: `${SERVICE_TIMEOUT_SECONDS}`,
        ...properties,
      },
    });
    scope.node.defaultChild = this.resource;
    provisioner.lanes.add(this.resource);
    neverRetain(
      this.resource,
      'logins and permissions would stay when it leaves the app; take the override out, and pass '
      + 'onRemoval: OnRemoval.retain() where a role is to stay in the database as it is',
    );
    addRole(scope, role);
    if (expiresAt !== undefined) {
      this.resource.node.addDependency(provisioner.expirySchedules.add(scope, expiresAt));
      warn(scope, [expiredUser(names, expiresAt), movingExpiry(expiresAt)]);
    }
    warnOfUnescapedGrants(scope, kind === 'role' ? [] : names);
    warn(scope, names.map(name => unclearName(kind === 'role' ? 'role name' : 'username', name)));
    warn(scope, unclearPath(props.searchPath));
    this.resource.node.addDependency(this.ownersOfSchemas());
    database.onRole(role, { resource: this.resource, provisioner });
    if (setRoleAtLogin) {
      this.actAs(setRoleAtLogin);
    }
    if (newOwner) {
      this.addDependencyOn(newOwner, 'which is to be dropped; name another role in reassignOwnedTo');
    }
  }

  public addPrivileges(privileges: readonly { readonly _grant: Grant }[]): void {
    const grants = privileges.map(one => (one as Partial<typeof one> | undefined | null)?._grant as Grant);
    if (grants.some(grant => typeof (grant as unknown) !== 'object')) {
      throw errorAt(
        this.scope,
        'privileges have something that is no Privileges; pass what Privileges.readOnly(...) and its siblings return',
      );
    }
    for (const { databases, memberOf, expiresAt, creators = [], owned, warning } of grants) {
      if (memberOf) {
        this.addDependencyOn(memberOf, 'and a role cannot be a member of itself; leave it out');
        this.checkMembership(memberOf);
        this.checkPower(memberOf.roleName);
        this.endMembership(memberOf.roleName, expiresAt);
      }
      creators.forEach(creator => this.addDependencyOnCreator(creator));
      if (owned) {
        this.claimSchema(owned);
      }
      if (warning) {
        Annotations.of(this.scope).addWarningV2(FUTURE_OBJECTS, warning);
      }
      const problem = databases && wordProblem(databases);
      if (problem !== undefined) {
        throw errorAt(this.scope, problem);
      }
      warn(this.scope, databases ? this.warningsOf(databases) : []);
      this.role.privileges.push(...databases ? [databases] : []);
      this.role.memberOf.push(...memberOf ? [memberOf.roleName] : []);
    }
  }

  private warningsOf(privileges: PrivilegesByDatabase): (Warning | undefined)[] {
    const { database } = this.database;
    return [...Object.keys(privileges).map(name => unknownDatabase(database, name)), ...unclearNames(privileges)];
  }

  /** The other role exists before this one is created, and until it is removed. */
  private addDependencyOn(other: IDatabaseRole, notItself: string): void {
    const { roleName, node } = other;
    const { role } = this;
    const declared = declaredRoleOf(other);
    const name = `role name ${JSON.stringify(roleName)}`;
    if (declared && declared.database.model !== this.database.model) {
      const kind = declared.kind === 'role' ? 'role' : 'user';
      throw errorAt(this.scope, `${name} is a ${kind} of another database, ${node.path}; `
        + `create a ${kind} of that name in this one`);
    }
    if (role.names.includes(roleName)) {
      throw errorAt(this.scope, `${name} is ${SELF_REFERENCE[role.kind]}, ${notItself}`);
    }
    if (declared && waitsFor(declared, role)) {
      throw errorAt(this.scope, `${name} waits for ${role.path} in a deployment already, and so cannot come before it; `
        + 'take one of the two references out, or let both refer to a third role');
    }
    if (declared) {
      role.predecessors.add(declared);
    } else {
      warnOfRoleOfApp(this.scope, role, roleName);
    }
    this.resource.node.addDependency(other);
  }

  private addDependencyOnCreator(creator: IDatabaseRole): void {
    const owner = declaredRoleOf(creator)?.settings?.RoleAtLogin;
    if (owner !== undefined) {
      throw errorAt(
        this.scope,
        `role name ${JSON.stringify(creator.roleName)} is in objectsCreatedBy, and its sessions act as ${JSON.stringify(owner)} (setRoleAtLogin), `
        + 'which owns what they create; name that role instead',
      );
    }
    this.addDependencyOn(creator, 'and may do everything with what it creates; leave it out of objectsCreatedBy');
  }

  /** The role at login is a group role of the app, of which the user is a member by the end of the synthesis. */
  private actAs(owner: IDatabaseRole): void {
    const { role, scope } = this;
    const name = JSON.stringify(owner.roleName);
    this.addDependencyOn(owner, 'and acts as itself without setRoleAtLogin; leave it out');
    if (declaredRoleOf(owner)?.kind !== 'role') {
      throw errorAt(
        scope,
        `setRoleAtLogin ${name} is no group role of this app, so that what its sessions may do is not known here; pass a DatabaseRole`,
      );
    }
    scope.node.addValidation({
      validate: () =>
        role.membershipEnds.has(owner.roleName)
          ? [
              `setRoleAtLogin ${name} is a role in which its membership ends (expiresAt), and each session would begin with a warning then; let one of the two go`,
            ]
          : role.memberOf.includes(owner.roleName)
            ? []
            : [
                `setRoleAtLogin ${name} is a role that it is not a member of, and only a member can act as a role; add Privileges.memberOf(...) of it to its privileges`,
              ],
    });
  }

  /**
   * A schema that another construct of the stack makes is there before anything is granted in it. Looked up late: that
   * construct may come after this one.
   */
  private ownersOfSchemas(): IDependable {
    const { role, scope: { node: { root } } } = this;
    const dependable: IDependable = {};
    Dependable.implement(dependable, {
      get dependencyRoots() {
        const before = schemaOwnersFor(role).filter(owner => !isDeployedAfter(owner, role));
        return before.map(({ path }) => constructAt(root, path).node.defaultChild!);
      },
    });
    return dependable;
  }

  private checkMembership(group: IDatabaseRole): void {
    const declared = declaredRoleOf(group);
    if (this.role.kind === 'role' && declared && declared.kind !== 'role') {
      throw errorAt(this.scope, `role name ${JSON.stringify(group.roleName)} is the user ${group.node.path}, `
        + 'and its members are members of rds_iam as well, which a group role never is; '
        + 'make the user a member of this role, or both of a third one');
    }
  }

  /** Of the same membership twice, the longer one would count, and the shorter end would mean nothing. */
  private endMembership(group: string, expiresAt: Date | undefined): void {
    const { scope, role: { memberOf, membershipEnds, names } } = this;
    if (expiresAt !== undefined) {
      requireExpiry(scope, expiresAt, 'a membership that does not end');
    }
    const [before, now] = [membershipEnds.get(group), expiresAt?.toISOString()];
    if (memberOf.includes(group)) {
      if (before !== now) {
        const ends = [before, now].map(time => time === undefined ? 'without an end' : `until ${time}`).join(' and ');
        throw errorAt(scope, `the membership in ${JSON.stringify(group)} is declared twice, ${ends}; declare it once`);
      }
      return;
    }
    if (expiresAt !== undefined && now !== undefined) {
      membershipEnds.set(group, now);
      this.resource.node.addDependency(this.provisioner.expirySchedules.add(scope, expiresAt, group));
      warn(scope, [expiredMembership(names, group, now), movingExpiry(expiresAt)]);
    }
  }

  /** What its members could do besides; of a token, the deployment says it. */
  private checkPower(group: string): void {
    const problem = membershipProblem(group, this.database.adminNames) ?? this.database.registryOwnerProblem(group);
    if (problem !== undefined) {
      throw errorAt(this.scope, problem);
    }
    const warning = membershipWarning([...this.role.names], group);
    if (warning) {
      Annotations.of(this.scope).addWarningV2(warning.id, warning.text);
    }
  }

  private claimSchema({ database, schema }: InSchema): void {
    const { role } = this;
    const name = `schema ${JSON.stringify(schema)} of database ${JSON.stringify(database)}`;
    if (role.kind === 'users') {
      throw errorAt(this.scope, `${name} is to be owned by several users, and a schema has one owner; `
        + 'let a DatabaseRole own it, and make the users members of that role');
    }
    const owner = claim(claimsIn(this.database.model.claims.schemas, database), schema, role);
    if (owner !== role) {
      throw errorAt(this.scope, `${name} is owned by ${owner.path}, and a schema has one owner; `
        + 'make this one a member of that role, or give it privileges on the schema');
    }
  }
}
