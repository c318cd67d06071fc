import { Annotations, CfnResource, CustomResource, Duration, Lazy, Stack } from 'aws-cdk-lib';
import { Construct, Dependable, IConstruct, IDependable } from 'constructs';
import { ManagedDatabase } from './managed-database';
import { membershipProblem, membershipWarning } from '../contract/predefined-roles';
import { RemovalAction, RoleProperties, SERVICE_TIMEOUT_SECONDS } from '../contract/wire';
import { neverRetain } from '../database/removal-policies';
import { DeclaredRole } from '../model/declared-roles';
import { errorAt } from '../model/errors';
import { Grant } from '../model/grant';
import { wireForm } from '../model/privilege-set';
import { SchemaOptions } from '../privilege-options';
import { showAccess } from '../report/show-access';
import type { IDatabaseRole } from '../role-interface';

/** What one resource makes: a user, several that may do the same, or a group role. */
export type RoleKind = 'user' | 'users' | 'role';

/** What becomes of a role in PostgreSQL when its construct goes. */
export interface Removal {
  readonly action: RemovalAction;

  /** Of what it owns. */
  readonly newOwner?: IDatabaseRole;
}

export interface RoleResourceProps {
  readonly database: ManagedDatabase;
  readonly kind: RoleKind;
  readonly resourceType: string;

  /** The names in the properties of the custom resource. */
  readonly identity: { readonly [property: string]: string | string[] };

  /** The same names, for the checks. */
  readonly names: string[];
  readonly removal?: Removal;
  readonly exclusive?: boolean;
  readonly adoptExisting?: boolean;
}

/** Id of the warning, for those who acknowledge it. */
const FUTURE_OBJECTS = 'cdk-aurora-iam-auth:futureObjects';

const RESOURCES = new WeakMap<IConstruct, RoleResource>();

const ITSELF = { user: 'the user itself', users: 'one of these users', role: 'the role itself' };

/** The custom resource of a role or user: what it may do, and what must be deployed before it. */
export class RoleResource implements DeclaredRole {
  public readonly kind: RoleKind;
  public readonly names: string[];
  public readonly database: ManagedDatabase;
  public readonly exclusive: boolean;
  public readonly onRemoval: string;
  public readonly resource: CustomResource;
  private readonly grants: Grant[] = [];
  private readonly predecessors = new Set<RoleResource>();
  private merged?: { readonly count: number; readonly form: ReturnType<typeof wireForm> };

  constructor(public readonly scope: Construct, private readonly props: RoleResourceProps) {
    const { database, identity, removal: { action, newOwner } = { action: 'DROP_OR_DISABLE' }, exclusive, adoptExisting } = props;
    this.kind = props.kind;
    this.names = props.names;
    this.database = database;
    this.exclusive = exclusive === true;
    this.onRemoval = action;
    const { reapply } = database;
    const properties: RoleProperties = {
      Database: { ResourceId: database.address.ResourceId },
      ...identity,
      // Late, so that privileges added after the construction are among them.
      Privileges: Lazy.any({ produce: () => this.declared.Privileges }) as unknown as RoleProperties['Privileges'],
      MemberOf: Lazy.any({ produce: () => this.declared.MemberOf }) as unknown as RoleProperties['MemberOf'],
      OnRemoval: { Action: action, ...newOwner ? { ReassignOwnedTo: newOwner.roleName } : {} },
      ...exclusive ? { Exclusive: 'true' } : {},
      ...adoptExisting ? { AdoptExisting: 'true' } : {},
      ...reapply === undefined ? {} : { Reapply: reapply },
    };
    const provisioner = database.provisionerFor(scope);
    this.resource = new CustomResource(scope, 'Resource', {
      resourceType: props.resourceType,
      serviceToken: provisioner.serviceToken,
      serviceTimeout: Duration.seconds(SERVICE_TIMEOUT_SECONDS),
      properties: { ...properties },
    });
    neverRetain(this.resource.node.defaultChild as CfnResource, 'logins and permissions would stay when it leaves the app; take the override out, and pass '
    + 'onRemoval: OnRemoval.retain() where a role is to stay in the database as it is');
    RESOURCES.set(scope, this);
    this.resource.node.addDependency(this.ownersOfSchemas());
    showAccess(this, provisioner);
    if (newOwner) {
      this.comesAfter(newOwner, 'which is to be dropped; name another role in reassignOwnedTo');
    }
  }

  public addPrivileges(grants: Grant[]): void {
    for (const grant of grants) {
      const { memberOf, creators = [], owned, warning } = grant;
      if (memberOf) {
        this.comesAfter(memberOf, 'and a role cannot be a member of itself; leave it out');
        this.checkMembership(memberOf);
        this.checkPower(memberOf.roleName);
      }
      creators.forEach(creator => this.comesAfter(creator, 'and may do everything with what it creates; leave it out of objectsCreatedBy'));
      if (owned) {
        this.claimSchema(owned);
      }
      if (warning) {
        Annotations.of(this.scope).addWarningV2(FUTURE_OBJECTS, warning);
      }
      this.grants.push(grant);
    }
  }

  /** Asked for several times in a synthesis. */
  public get declared(): ReturnType<typeof wireForm> {
    const { grants } = this;
    if (this.merged?.count !== grants.length) {
      const form = wireForm(grants.map(({ databases = {} }) => databases), grants.flatMap(({ memberOf }) => memberOf?.roleName ?? []));
      this.merged = { count: grants.length, form };
    }
    return this.merged.form;
  }

  /** The other role exists before this one is created, and until it is removed. */
  private comesAfter(role: IDatabaseRole, notItself: string): void {
    const { roleName, _resource: other } = role;
    const name = `role name ${JSON.stringify(roleName)}`;
    if (other && !other.props.database.isSameAs(this.props.database)) {
      const kind = other.kind === 'role' ? 'role' : 'user';
      throw errorAt(this.scope, `${name} is a ${kind} of another database, ${role.node.path}; create a ${kind} of that name in this one`);
    }
    if (this.props.names.includes(roleName)) {
      throw errorAt(this.scope, `${name} is ${ITSELF[this.kind]}, ${notItself}`);
    }
    if (other?.waitsFor(this)) {
      throw errorAt(this.scope, `${name} waits for ${this.scope.node.path} in a deployment already, and so cannot come before it; `
        + 'take one of the two references out, or let both refer to a third role');
    }
    if (other) {
      this.predecessors.add(other);
    }
    this.resource.node.addDependency(role);
  }

  /** A schema that another construct of the stack makes is there before anything is granted in it. Looked up late: that construct may come after this one. */
  private ownersOfSchemas(): IDependable {
    const ownersBefore = () => this.owners.filter(owner => !owner.reaches(this)).map(({ resource }) => resource);
    const dependable: IDependable = {};
    Dependable.implement(dependable, {
      get dependencyRoots() {
        return ownersBefore();
      },
    });
    return dependable;
  }

  /** Not those of other stacks, which come before or after this one as a whole. */
  private get owners(): RoleResource[] {
    const schemas = Object.entries(this.declared.Privileges ?? {}).flatMap(([database, { Schemas = {} }]) => Object.keys(Schemas).map(schema => ({ database, schema })));
    return schemas.flatMap(({ database, schema }) => RESOURCES.get(this.database.ownerOf(database, schema) ?? this.scope) ?? [])
      .filter(owner => owner !== this && Stack.of(owner.scope) === Stack.of(this.scope));
  }

  /** Whether it waits for the other one, be it for a schema. */
  private reaches(other: RoleResource, visited = new Set<RoleResource>()): boolean {
    if (visited.has(this)) {
      return false;
    }
    visited.add(this);
    return [...this.predecessors, ...this.owners].some(one => one === other || one.reaches(other, visited));
  }

  private waitsFor(other: RoleResource): boolean {
    return [...this.predecessors].some(predecessor => predecessor === other || predecessor.waitsFor(other));
  }

  private checkMembership({ roleName, _resource: other, node }: IDatabaseRole): void {
    if (this.kind === 'role' && other && other.kind !== 'role') {
      throw errorAt(this.scope, `role name ${JSON.stringify(roleName)} is the user ${node.path}, and its members are members of rds_iam as well, which a group role never is; `
        + 'make the user a member of this role, or both of a third one');
    }
  }

  /** What its members could do besides; of a token, the deployment says it. */
  private checkPower(group: string): void {
    const problem = membershipProblem(group, this.props.database.adminNames);
    if (problem !== undefined) {
      throw errorAt(this.scope, problem);
    }
    const warning = membershipWarning(this.props.names, group);
    if (warning) {
      Annotations.of(this.scope).addWarningV2(warning.id, warning.text);
    }
  }

  private claimSchema({ database, schema }: SchemaOptions): void {
    if (this.kind === 'users') {
      throw errorAt(this.scope, `schema ${JSON.stringify(schema)} of database ${JSON.stringify(database)} is to be owned by several users, and a schema has one owner; `
        + 'let a DatabaseRole own it, and make the users members of that role');
    }
    this.props.database.claimSchema(this.scope, database, schema);
  }
}
