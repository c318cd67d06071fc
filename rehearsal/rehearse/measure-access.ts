import { isDeepStrictEqual } from 'node:util';
import { escapeLiteral } from 'pg';
import { DeclaredRole } from './declared-roles';
import { Held, heldBy } from './privileges';
import { AuroraLikeServer } from '../aurora-like-server';
import { databaseArnOf } from '../cloudformation/database-properties';
import { ResourceState } from '../cloudformation/template';
import { Credentials } from '../iam/credentials';
import { NotEvaluated } from '../iam/identity-policies';
import { TokenEndpoint } from '../iam/token-endpoint';
import { execute, signIn, SignInAddress } from '../sign-in';

/** A role of IAM that tries to sign in. */
export interface Principal {
  readonly name: string;
  readonly credentials: Credentials;
  /** Whether its policies allow to sign in as a user; throws when that is not known, or `NotEvaluated`. */
  mayConnectAs(username: string): boolean;
}

export interface Attempt {
  readonly principal: string;
  readonly username: string;
  /**
   * - `yes`: signed in
   * - `no`: refused, because no policy allows it
   * - `unknown`: refused, because the rehearsal does not know some policy
   * - `fails`: refused, although the policies allow it, or for another reason
   */
  readonly outcome: 'yes' | 'no' | 'unknown' | 'fails';
  readonly reason?: string;
}

/** A database, or a proxy in front of one. */
export type SignInTarget = TokenEndpoint & SignInAddress;

/** What a role of PostgreSQL holds in one database. */
export interface DatabaseHoldings {
  readonly database: string;
  /** Or what was answered to the login. */
  readonly held: Held[] | string;
}

export interface Account {
  readonly name: string;
  readonly kind: DeclaredRole['kind'];
  readonly askedAs: 'itself' | 'superuser';
  readonly holdings: DatabaseHoldings[];
}

export interface Access {
  readonly attempts: Attempt[];
  readonly accounts: Account[];
  /** What PUBLIC may do. */
  readonly publicHoldings: DatabaseHoldings[];
}

const DATABASES
  = "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate AND datname <> 'rdsadmin' ORDER BY 1";

/** Signs in as each user with a token of each principal, and asks PostgreSQL what each user may do. */
export async function measureAccess(
  server: AuroraLikeServer,
  roles: DeclaredRole[],
  principals: Principal[],
): Promise<Access> {
  const databases = (await server.sql<{ datname: string }>(DATABASES)).map(({ datname }) => datname);
  const attempts: Attempt[] = [];
  const accounts: Account[] = [];
  // Who is a member of rds_iam and nothing else holds what PUBLIC holds.
  const publicHoldings = await holdingsFromOutside(server, 'rds_iam', databases);
  for (const role of roles) {
    const own = await signInAs(role, server, principals);
    attempts.push(...own);
    const signer = principals.find((_, i) => own[i]?.outcome === 'yes');
    const holdings = signer
      ? await holdingsFromInside(server, role.name, signer, databases)
      : await holdingsFromOutside(server, role.name, databases);
    const hasMore = ({ database, held }: DatabaseHoldings) =>
      typeof held !== 'string'
      && !isDeepStrictEqual(
        held.filter(({ kind }) => kind !== 'role'),
        publicHoldings.find(each => each.database === database)?.held,
      );
    accounts.push({
      name: role.name,
      kind: role.kind,
      askedAs: signer ? 'itself' : 'superuser',
      holdings: holdings.filter(each => role.databases.includes(each.database) || hasMore(each)),
    });
  }
  return { attempts, accounts, publicHoldings };
}

/** Tries to sign in as each user with a token of each principal. */
export async function trySignIns(
  target: SignInTarget,
  roles: DeclaredRole[],
  principals: Principal[],
): Promise<Attempt[]> {
  const attempts: Attempt[] = [];
  for (const role of roles) {
    attempts.push(...await signInAs(role, target, principals));
  }
  return attempts;
}

/** Those roles of IAM, for logins to one cluster, instance or proxy. */
export function principalsFor(
  resource: ResourceState,
  { resourceId }: SignInTarget,
  roles: { name: string; arn: string; credentials: Credentials }[],
  allows: (roleArn: string, action: string, resource: string) => boolean,
): Principal[] {
  const [, partition, , region, account] = (
    (resource.attributes.DBProxyArn ?? databaseArnOf(resource)) as string
  ).split(':');
  return roles.map(({ name, arn, credentials }) => ({
    name,
    credentials,
    mayConnectAs: username =>
      allows(arn, 'rds-db:connect', `arn:${partition}:rds-db:${region}:${account}:dbuser:${resourceId}/${username}`),
  }));
}

/**
 * A line for each principal that has a policy with rds-db actions and is not among the IAM roles that a rehearsal has.
 */
export function untriedPrincipals(resources: ResourceState[]): string[] {
  const ofTypes = (...types: string[]) => resources.filter(({ type }) => types.includes(type));
  const roles = ofTypes('AWS::IAM::Role').map(({ physicalId }) => physicalId);
  const policies = ofTypes('AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy').filter(({ properties }) =>
    mentionsLogins(properties.PolicyDocument),
  );
  const attached = policies.flatMap(({ properties }) => {
    const {
      Users: users = [],
      Groups: groups = [],
      Roles: others = [],
    } = properties as { Users?: string[]; Groups?: string[]; Roles?: string[] };
    return [
      ...users.map(name => `IAM user ${name}`),
      ...groups.map(name => `IAM group ${name}`),
      ...others.filter(name => !roles.includes(name)).map(name => `IAM role ${name} of another stack`),
    ];
  });
  const inline = ofTypes('AWS::IAM::User', 'AWS::IAM::Group')
    .filter(({ properties }) => mentionsLogins(properties.Policies))
    .map(({ type, physicalId }) => `IAM ${type === 'AWS::IAM::User' ? 'user' : 'group'} ${physicalId}`);
  return [...new Set([...attached, ...inline])].map(
    name => `? ${name} has a policy with rds-db:connect and was not tried: only roles of these stacks are`,
  );
}

function mentionsLogins(policies: unknown): boolean {
  return JSON.stringify(policies ?? null).includes('"rds-db:');
}

async function signInAs(role: DeclaredRole, target: SignInTarget, principals: Principal[]): Promise<Attempt[]> {
  return Promise.all(role.kind === 'group' ? [] : principals.map(principal => attempt(target, role, principal)));
}

/** How a database and a proxy refuse who is not allowed, or a user that there is not. */
const REFUSAL
  = /^refused: (28000 PAM authentication failed|28000 The IAM authentication failed|28000 This RDS proxy has no credentials|28P01 The password that was provided) for /;

async function attempt(target: SignInTarget, role: DeclaredRole, principal: Principal): Promise<Attempt> {
  const measured = await signIn(target, {
    ...tokenOf(target, role.name, principal),
    database: role.databases[0] ?? 'postgres',
  });
  const result = { principal: principal.name, username: role.name };
  if (measured === `signed in as ${role.name}`) {
    return { ...result, outcome: 'yes' };
  }
  const undecided = /^refused: XX000 the rehearsal cannot decide about this login: (.*)/s.exec(measured);
  if (undecided) {
    return { ...result, outcome: 'unknown', reason: undecided[1] };
  }
  try {
    const isNo = REFUSAL.test(measured) && !principal.mayConnectAs(role.name);
    return isNo ? { ...result, outcome: 'no' } : { ...result, outcome: 'fails', reason: measured };
  } catch (error) {
    if (!(error instanceof NotEvaluated)) {
      throw error;
    }
    return { ...result, outcome: 'fails', reason: error.message };
  }
}

function tokenOf(target: SignInTarget, username: string, { credentials }: Principal) {
  return { username, password: target.token('', username, { credentials }) };
}

async function holdingsFromInside(
  server: AuroraLikeServer,
  username: string,
  signer: Principal,
  databases: string[],
): Promise<DatabaseHoldings[]> {
  const login = tokenOf(server, username, signer);
  return Promise.all(
    databases.map(async database => ({
      database,
      held: await execute<Held>(server, { ...login, database }, heldBy('current_user')),
    })),
  );
}

async function holdingsFromOutside(
  server: AuroraLikeServer,
  name: string,
  databases: string[],
): Promise<DatabaseHoldings[]> {
  return Promise.all(
    databases.map(async database => ({
      database,
      held: await server.sql<Held>(heldBy(escapeLiteral(name)), [], database),
    })),
  );
}
