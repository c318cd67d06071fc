import { type CfnResource, Stack, Stage, Token } from 'aws-cdk-lib';
import type { Construct, IConstruct } from 'constructs';
import { type Admin, adminOf, adminsOf } from './admin';
import { checkCaCertificates } from './handler-code';
import { fingerprint, Provisioner, type ProvisionerProps } from './provisioner';
import { runtimeOf } from './runtime';
import { INTERNET_ACCESS_GATEWAY } from './transport/gateway-transport';
import type { NetworkOptions, TransportChoice } from './transport/transport';
import { VpcTransport } from './transport/vpc-transport';
import { managedRoleNameProblem, registryOwnerProblem, usernameProblem } from '../contract/names';
import type { Database } from '../database/database';
import { EXPRESS_MASTER } from '../database/express';
import { refuseRetainedAccess } from '../database/removal-policies';
import { requireSameEnvironment } from '../database/same-environment';
import { NOT_LOOKED_UP } from '../database/sign-in-target';
import type { AccessModel, DeclaredDatabase, DeclaredOfPublic, DeclaredRole } from '../model/access-model';
import { accessModelOf, appAccess, claim, claimsIn, constructAt, rolesInStack } from '../model/app-access';
import { errorAt } from '../model/errors';
import { isToBeLookedUp } from '../model/token';
import { requireText, shown } from '../model/types';
import { sameNames } from '../model/unclear-names';
import { warn } from '../model/warning';
import type { ProvisionerOptions } from '../provisioner-options';

/** Id of the provisioner in the stack of its AuroraIamAuth or InstanceIamAuth. */
export const PROVISIONER_ID = 'Provisioner';

/** What a role is called in a message. */
export type NameKind = 'username' | 'role name';

export interface ManagedDatabaseOptions extends NetworkOptions {
  /** Undefined for the one of the secret of the database. */
  readonly admin?: Admin;
  /** Undefined for a connection. */
  readonly transport?: TransportChoice;
  readonly provisioner?: ProvisionerOptions;
  readonly registryOwner?: string;
  readonly reapply?: string;

  /** Told of each role when its resource is there, before anything waits for it. */
  readonly onRole: (role: DeclaredRole, made: RoleConstructs) => void;

  /** Told of what PUBLIC loses, in the same way. */
  readonly onPublic: (declared: DeclaredOfPublic, made: Pick<RoleConstructs, 'resource'>) => void;
}

export interface RoleConstructs {
  readonly resource: CfnResource;

  /** Of the stack. */
  readonly provisioner: Construct;
}

/** On the AuroraIamAuth or InstanceIamAuth, the same in each copy of the library. */
const DATABASE = Symbol.for('cdk-aurora-iam-auth.database');

/** The database of an AuroraIamAuth or InstanceIamAuth. */
export function managedDatabaseOf(scope: IConstruct, iamAuth: IConstruct): ManagedDatabase {
  const { [DATABASE]: database } = (iamAuth ?? {}) as { [DATABASE]?: ManagedDatabase };
  if (!database) {
    throw errorAt(
      scope,
      `iamAuth ${iamAuth?.node?.path ?? shown(iamAuth)} is neither an AuroraIamAuth nor an InstanceIamAuth, `
      + 'and no other construct creates users; pass one of these',
    );
  }
  return database;
}

/** What users and group roles need of the database they are in: its address, its names, and who creates them. */
export class ManagedDatabase {
  public readonly declared: DeclaredDatabase;
  public readonly reapply?: string;
  public readonly onRole: ManagedDatabaseOptions['onRole'];
  public readonly onPublic: ManagedDatabaseOptions['onPublic'];
  private readonly provisionerProps: ProvisionerProps;
  /** Asked for with each user. */
  private admins?: string[];
  private isAskedFor = false;

  public readonly database: Database;

  constructor(private readonly iamAuth: Construct, given: Database, options: ManagedDatabaseOptions) {
    const { reapply, provisioner = {}, registryOwner, onRole, onPublic } = options;
    const transport = options.transport ?? (given.isBehindGateway ? INTERNET_ACCESS_GATEWAY : undefined);
    const isBehindGateway = transport?.kind === 'internetAccessGateway';
    if (given.isBehindGateway && !isBehindGateway) {
      throw errorAt(
        iamAuth,
        `transport is SqlTransport.dataApi(), and cluster ${given.construct.node.path} has express configuration, whose master has no password for the Data API; leave transport out`,
      );
    }
    const database = isBehindGateway && !given.resource ? { ...given, isBehindGateway } : given;
    this.database = database;
    if (reapply !== undefined) {
      requireText(iamAuth, 'reapply', reapply);
    }
    this.reapply = reapply;
    this.onRole = onRole;
    this.onPublic = onPublic;
    checkConcurrency(iamAuth, provisioner);
    checkCaCertificates(iamAuth, provisioner.caCertificates);
    runtimeOf(iamAuth, provisioner.runtime);
    checkRegistryOwner(iamAuth, registryOwner);
    refuseRetainedAccess(database.target);
    const admin = adminOf(
      iamAuth,
      database,
      options.admin ?? (isBehindGateway ? { username: EXPRESS_MASTER } : undefined),
    );
    this.declared = declaredDatabase(database, admin);
    this.provisionerProps = {
      database,
      admin,
      transport: transport
        ? transport.create(iamAuth, database, admin, options)
        : new VpcTransport(iamAuth, database, admin, options),
      options: provisioner,
      registryOwner,
    };
    const inStack = claimsIn(this.model.claims.provisioners, Stack.of(iamAuth).node.path);
    const first = claim(inStack, fingerprint(this.provisionerProps), iamAuth.node.path);
    if (first !== iamAuth.node.path) {
      throw errorAt(iamAuth, `${database.kind} ${database.construct.node.path} has an ${iamAuth.constructor.name} `
        + `in this stack already, with the same admin and network; use ${first}`);
    }
    Object.defineProperty(iamAuth, DATABASE, { value: this });
    iamAuth.node.addValidation({ validate: () => this.warnOfSameNames() });
  }

  /** What the app declares about the database. */
  public get model(): AccessModel {
    return this.declared.model;
  }

  /** The admins whose names the app tells. */
  public get adminNames(): string[] {
    return this.admins ??= adminsOf(this.database, this.provisionerProps.admin);
  }

  /** Refuses a username that PostgreSQL, RDS or IAM does not take; a token is refused by the deployment. */
  public checkUsername(scope: IConstruct, username: string): void {
    this.checkName(scope, 'username', username);
  }

  /** Refuses a name that a group role cannot have; a token is refused by the deployment. */
  public checkRoleName(scope: IConstruct, roleName: string): void {
    this.checkName(scope, 'role name', roleName);
  }

  /**
   * A name belongs to one construct of the app, whichever stack and AuroraIamAuth it is in; in PostgreSQL, users and
   * group roles share their names.
   */
  public claimName(construct: IConstruct, kind: NameKind, name: string): void {
    if (!Token.isUnresolved(name)) {
      this.checkUnclaimed(construct, kind, name);
      claim(this.model.claims.roleNames, name, construct.node.path);
    }
  }

  /** As claimName, on behalf of a construct that is not there yet. */
  public checkUnclaimed(scope: IConstruct, kind: NameKind, name: string): void {
    const [owner] = [this.model, ...this.ofOtherImports()].flatMap(({ claims }) => claims.roleNames.get(name) ?? []);
    if (owner !== undefined) {
      throw errorAt(scope, `${kind} ${JSON.stringify(name)} is taken: ${owner} creates it in the same database; `
        + 'use that one, or choose another name');
    }
  }

  /**
   * The provisioner of a stack. Its id must stay: CloudFormation refuses a custom resource whose
   * ServiceToken changes. So it depends neither on the network nor on the admin, nor on the stage around the stacks.
   */
  public provisionerFor(user: Construct): Provisioner {
    const stack = Stack.of(user);
    requireSameStage(user, this.database);
    requireSameEnvironment(user, Stack.of(this.database.target.identity), this.database.construct.env, {
      why: 'its users are created', remedy: 'create the user', who: 'user',
    });
    const [scope, id] = stack === Stack.of(this.iamAuth)
      ? [this.iamAuth, PROVISIONER_ID]
      : [stack, `${PROVISIONER_ID} ${pathInStage(this.iamAuth)}`];
    return scope.node.tryFindChild(id) as Provisioner | undefined ?? new Provisioner(scope, id, this.provisionerProps);
  }

  /**
   * The provisioner of the stack of the AuroraIamAuth. One that no user needs is refused: it would sign in as the admin
   * for nothing.
   */
  public ownProvisioner(): Provisioner {
    const { iamAuth, model } = this;
    const stack = Stack.of(iamAuth);
    if (!this.isAskedFor) {
      this.isAskedFor = true;
      iamAuth.node.addValidation({
        validate: () =>
          rolesInStack(stack).some(({ database }) => database.model === model)
          || model.restricted?.some(({ stack: path }) => path === stack.node.path)
            ? []
            : [
                `provisioner of ${iamAuth.node.path} is asked for, and no user or group role of this database is in stack `
                + `${stack.node.path}, so that it would have the rights of the admin for nothing; `
                + 'take the one of a user in another stack, user.provisioner, or leave it out',
              ],
      });
    }
    return this.provisionerFor(iamAuth);
  }

  /** An app may import one database several times. */
  private ofOtherImports(): AccessModel[] {
    const { resourceId } = this.declared;
    return Token.isUnresolved(resourceId) || resourceId === NOT_LOOKED_UP
      ? []
      : [...appAccess(this.iamAuth).models.values()].filter(
          model => model !== this.model && model.roles[0]?.database.resourceId === resourceId,
        );
  }

  private warnOfSameNames(): string[] {
    sameNames(this.model.claims.roleNames).forEach(({ path, warning }) =>
      warn(constructAt(this.iamAuth.node.root, path), [warning]),
    );
    return [];
  }

  /**
   * Of a role that the deployment would refuse: who is a member of the owner can change which resource manages which
   * role.
   */
  public registryOwnerProblem(name: string): string | undefined {
    return name === this.provisionerProps.registryOwner
      ? `role ${JSON.stringify(name)} owns the registry, so no user or role of this library can be it or a member of it; `
      + 'name another role as registryOwner, or leave this one out'
      : undefined;
  }

  private checkName(scope: IConstruct, kind: NameKind, name: string): void {
    requireText(scope, kind, name);
    if (Token.isUnresolved(name) || isToBeLookedUp(name)) {
      return;
    }
    const problemOf = kind === 'username' ? usernameProblem : managedRoleNameProblem;
    const problem = problemOf(name, this.adminNames.find(admin => admin === name)) ?? this.registryOwnerProblem(name);
    if (problem) {
      throw errorAt(scope, problem);
    }
  }
}

/** Late where a name may be given later. */
function declaredDatabase(database: Database, admin: Admin): DeclaredDatabase {
  return {
    model: accessModelOf(database.target.identity),
    path: database.construct.node.path,
    kind: database.kind,
    resourceId: database.target.resourceId,
    account: database.target.account,
    region: database.target.region,
    get admin() {
      const username = admin.username ?? adminsOf({ ...database, resource: undefined, secret: undefined }, admin)[0];
      const credentials = admin.secret ? 'password' as const : 'token' as const;
      return { ...username === undefined ? {} : { username }, credentials };
    },
  };
}

/** Of a database of this app. One that is imported is known by its ids, in each stage. */
function requireSameStage(user: Construct, { resource }: Database): void {
  const [here, there] = [user, resource ?? user].map(each => Stage.of(each)?.node.path ?? '');
  if (here !== there) {
    throw errorAt(
      user,
      `this is in stage ${JSON.stringify(here)}, and the database ${resource?.node.path} in stage ${JSON.stringify(there)}, and what is in one stage cannot refer to another; `
      + 'create it in a stack of that stage, or import the database in this one',
    );
  }
}

function checkConcurrency(
  scope: IConstruct,
  { reservedConcurrentExecutions: number, concurrentUsers }: ProvisionerOptions,
): void {
  if (concurrentUsers !== undefined && Token.isUnresolved(concurrentUsers)) {
    throw errorAt(scope, 'concurrentUsers is a token, and dependencies in the template follow from it; pass a number');
  }
  if (concurrentUsers !== undefined && !(Number.isInteger(concurrentUsers) && concurrentUsers > 0)) {
    throw errorAt(
      scope,
      `concurrentUsers ${shown(concurrentUsers)} is not a number of users from 1 on; pass one, or leave it out`,
    );
  }
  if (number !== undefined && !Token.isUnresolved(number) && !(Number.isInteger(number) && number > 0)) {
    throw errorAt(
      scope,
      `reservedConcurrentExecutions ${shown(number)} is not a number of executions from 1 on, and the functions could not run; pass one, or leave it out`,
    );
  }
  if (
    number !== undefined
    && concurrentUsers !== undefined
    && !Token.isUnresolved(number)
    && number < concurrentUsers
  ) {
    throw errorAt(
      scope,
      `reservedConcurrentExecutions ${number} is less than concurrentUsers ${concurrentUsers}: a user without an execution `
      + 'waits in a queue of Lambda while the time of its resource runs; '
      + `reserve at least ${concurrentUsers}, or pass concurrentUsers: ${number}`,
    );
  }
}

function checkRegistryOwner(scope: IConstruct, name: string | undefined): void {
  if (name !== undefined) {
    requireText(scope, 'registryOwner', name);
  }
  const problem = name === undefined || Token.isUnresolved(name) ? undefined : registryOwnerProblem(name);
  if (problem) {
    throw errorAt(scope, problem);
  }
}

function pathInStage(construct: Construct): string {
  const stage = Stage.of(construct);
  return construct.node.scopes
    .filter(scope => stage?.node.scopes.includes(scope) !== true)
    .map(scope => scope.node.id)
    .join('/');
}
