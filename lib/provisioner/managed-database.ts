import { Stack, Stage, Token, Tokenization } from 'aws-cdk-lib';
import { Construct, IConstruct } from 'constructs';
import { Admin, adminOf, adminsOf } from './admin';
import { fingerprint, Provisioner, ProvisionerProps } from './provisioner';
import { NetworkOptions, NewReach } from './transport/reach';
import { VpcReach } from './transport/vpc-reach';
import { managedRoleNameProblem, registryOwnerProblem, usernameProblem } from '../contract/names';
import { DatabaseAddress } from '../contract/wire';
import { Database } from '../database/database';
import { refuseRetainedAccess } from '../database/removal-policies';
import { requireSameEnvironment } from '../database/same-environment';
import { SignInTarget } from '../database/sign-in-target';
import { claim, claimant } from '../model/claims';
import { errorAt } from '../model/errors';
import { ProvisionerOptions } from '../provisioner-options';
import { AdminAccess } from '../report/access-report';

/** Id of the provisioner in the stack of its AuroraIamAuth or InstanceIamAuth. */
export const PROVISIONER_ID = 'Provisioner';

/** What a role is called in a message. */
export type NameKind = 'username' | 'role name';

export interface ManagedDatabaseOptions extends NetworkOptions {
  /** Undefined for the one of the secret of the database. */
  readonly admin?: Admin;
  /** Undefined for a connection. */
  readonly transport?: NewReach;
  readonly provisioner?: ProvisionerOptions;
  readonly registryOwner?: string;
  readonly reapply?: string;
}

/** What users and group roles need of the database they are in: its address, its grants, and who creates them. */
export class ManagedDatabase {
  public readonly reapply?: string;

  /** What tells databases of this app apart. */
  public readonly identity: IConstruct;
  private readonly provisionerProps: ProvisionerProps;

  constructor(private readonly iamAuth: Construct, database: Database, options: ManagedDatabaseOptions) {
    const { reapply, provisioner = {}, transport, registryOwner } = options;
    this.reapply = reapply;
    checkConcurrency(iamAuth, provisioner);
    checkRegistryOwner(iamAuth, registryOwner);
    this.identity = database.resource ?? database.construct;
    refuseRetainedAccess(database.target);
    const admin = adminOf(iamAuth, database, options.admin);
    this.provisionerProps = {
      database,
      admin,
      reach: transport ? transport(iamAuth, database, admin, options) : new VpcReach(iamAuth, database, admin, options),
      options: provisioner,
      registryOwner,
    };
    const first = claim(this.identity, `provisioner ${Stack.of(iamAuth).node.path} ${fingerprint(this.provisionerProps)}`, iamAuth);
    if (first !== iamAuth) {
      throw errorAt(iamAuth, `${database.kind} ${database.construct.node.path} has an ${iamAuth.constructor.name} in this stack already, with the same admin and network; use ${first.node.path}`);
    }
  }

  public get target(): SignInTarget {
    return this.provisionerProps.database.target;
  }

  public get address(): DatabaseAddress {
    const { target, host, port } = this.provisionerProps.database;
    return { ResourceId: target.resourceId, Host: host, Port: Tokenization.stringifyNumber(port) };
  }

  public get path(): string {
    return this.provisionerProps.database.construct.node.path;
  }

  public get kind(): Database['kind'] {
    return this.provisionerProps.database.kind;
  }

  /** Who creates the users. */
  public get admin(): AdminAccess {
    const { database, admin } = this.provisionerProps;
    const username = admin.username ?? adminsOf({ ...database, resource: undefined, secret: undefined }, admin)[0];
    return { ...username === undefined ? {} : { username }, credentials: admin.secret ? 'password' : 'token' };
  }

  /** The admins whose names the app tells. */
  public get adminNames(): string[] {
    return adminsOf(this.provisionerProps.database, this.provisionerProps.admin);
  }

  /** Whether a construct of this app creates a role of this name. */
  public creates(name: string): boolean {
    return claimant(this.identity, `role ${name}`) !== undefined;
  }

  public get region(): string {
    return this.provisionerProps.database.construct.env.region;
  }

  public isSameAs(other: ManagedDatabase): boolean {
    return this.identity === other.identity;
  }

  /** Refuses a username that PostgreSQL, RDS or IAM does not take; a token is refused by the deployment. */
  public checkUsername(scope: IConstruct, username: string): void {
    this.checkName(scope, username, usernameProblem);
  }

  /** Refuses a name that a group role cannot have; a token is refused by the deployment. */
  public checkRoleName(scope: IConstruct, roleName: string): void {
    this.checkName(scope, roleName, managedRoleNameProblem);
  }

  /** A name belongs to one construct of the app, whichever stack and AuroraIamAuth it is in; in PostgreSQL, users and group roles share their names. */
  public claimName(construct: IConstruct, kind: NameKind, name: string): void {
    if (!Token.isUnresolved(name) && claim(this.identity, `role ${name}`, construct) !== construct) {
      this.checkUnclaimed(construct, kind, name);
    }
  }

  /** As claimName, on behalf of a construct that is not there yet. */
  public checkUnclaimed(scope: IConstruct, kind: NameKind, name: string): void {
    const owner = claimant(this.identity, `role ${name}`);
    if (owner) {
      throw errorAt(scope, `${kind} ${JSON.stringify(name)} is taken: ${owner.node.path} creates it in the same database; use that one, or choose another name`);
    }
  }

  public claimSchema(construct: IConstruct, database: string, schema: string): void {
    const owner = claim(this.identity, schemaKey(database, schema), construct);
    if (owner !== construct) {
      throw errorAt(construct, `schema ${JSON.stringify(schema)} of database ${JSON.stringify(database)} is owned by ${owner.node.path}, and a schema has one owner; `
        + 'make this one a member of that role, or give it privileges on the schema');
    }
  }

  /** The construct whose user or role is to own a schema. */
  public ownerOf(database: string, schema: string): IConstruct | undefined {
    return claimant(this.identity, schemaKey(database, schema));
  }

  /**
   * The provisioner of a stack. Its id must stay: CloudFormation refuses a custom resource whose
   * ServiceToken changes. So it depends neither on the network nor on the admin, nor on the stage around the stacks.
   */
  public provisionerFor(user: Construct): Provisioner {
    const stack = Stack.of(user);
    requireSameEnvironment(user, Stack.of(this.identity), this.provisionerProps.database.construct.env, {
      why: 'its users are created', remedy: 'create the user', who: 'user',
    });
    const [scope, id] = stack === Stack.of(this.iamAuth)
      ? [this.iamAuth, PROVISIONER_ID]
      : [stack, `${PROVISIONER_ID} ${pathInStage(this.iamAuth)}`];
    return scope.node.tryFindChild(id) as Provisioner | undefined ?? new Provisioner(scope, id, this.provisionerProps);
  }

  private checkName(scope: IConstruct, name: string, problemOf: typeof usernameProblem): void {
    if (Token.isUnresolved(name)) {
      return;
    }
    const problem = [undefined, ...this.adminNames].map(taken => problemOf(name, taken)).find(found => found);
    if (problem) {
      throw errorAt(scope, problem);
    }
  }
}

function schemaKey(database: string, schema: string): string {
  return `schema ${JSON.stringify([database, schema])}`;
}

function checkConcurrency(scope: IConstruct, { reservedConcurrentExecutions: number }: ProvisionerOptions): void {
  if (number !== undefined && !Token.isUnresolved(number) && !(Number.isInteger(number) && number > 0)) {
    throw errorAt(scope, `reservedConcurrentExecutions ${number} is not a number of executions from 1 on, and the functions could not run; pass one, or leave it out`);
  }
}

function checkRegistryOwner(scope: IConstruct, name: string | undefined): void {
  const problem = name === undefined || Token.isUnresolved(name) ? undefined : registryOwnerProblem(name);
  if (problem) {
    throw errorAt(scope, problem);
  }
}

function pathInStage(construct: Construct): string {
  const stage = Stage.of(construct);
  return construct.node.scopes.filter(scope => stage?.node.scopes.includes(scope) !== true).map(scope => scope.node.id).join('/');
}
