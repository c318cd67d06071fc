import { Stack, Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct, type IConstruct } from 'constructs';
import type { Principal } from '../model/access-model';
import { written } from '../model/written';

/** Whom a permission was granted to, as far as the app tells. */
export function principalOf(grantee: iam.IGrantable): Principal {
  const principal = withoutWrapping(grantee.grantPrincipal);
  const construct = [grantee, principal].find((candidate): candidate is IConstruct & typeof candidate =>
    Construct.isConstruct(candidate),
  );
  return {
    kind: kindOf(grantee, principal),
    ...construct ? { path: construct.node.path } : {},
    ...identityOf(principal),
    ...trustOf(principal),
  };
}

/** A principal with conditions or session tags adds them where a role is assumed, and nothing here. */
function withoutWrapping(principal: iam.IPrincipal): iam.IPrincipal {
  const { wrapped } = principal as { wrapped?: iam.IPrincipal };
  return wrapped ? withoutWrapping(wrapped) : principal;
}

function kindOf(grantee: iam.IGrantable, principal: iam.IPrincipal): Principal['kind'] {
  if (grantee instanceof iam.ManagedPolicy || grantee instanceof iam.Policy) {
    return 'policy';
  }
  return (['role', 'user', 'group'] as const).find(kind => `${kind}Arn` in principal) ?? 'principal';
}

/** Name and ARN where they are literal. */
function identityOf(principal: iam.IPrincipal): Pick<Principal, 'name' | 'arn'> {
  if (principal instanceof iam.LazyRole) {
    return {}; // asking would make it
  }
  if (principal instanceof iam.Role) {
    // Without a resource it is a role that iam.Role.customizeRoles() leaves to others.
    const { roleName: name } = (principal.node.defaultChild ?? principal) as iam.CfnRole | iam.Role;
    return name !== undefined && !Token.isUnresolved(name) ? { name } : {}; // the rest is known to the deployment alone
  }
  const { roleName, userName, groupName, roleArn, userArn, groupArn } = principal as Partial<
    iam.IRole & iam.IUser & iam.IGroup
  >;
  const { node } = principal as Partial<IConstruct>;
  const resource = node?.defaultChild as { userName?: string; groupName?: string } | undefined;
  const literal = (...texts: (string | undefined)[]) =>
    texts.find(text => text !== undefined && !Token.isUnresolved(text));
  const name = literal(resource?.userName, resource?.groupName, roleName, userName, groupName);
  const arn = literal(roleArn, userArn, groupArn);
  return { ...name === undefined ? {} : { name }, ...arn === undefined ? {} : { arn } };
}

/** Asked for with each grant, and the same for all grants to a role. */
const TRUST = new WeakMap<iam.Role, readonly string[]>();

/** Who may have the role, where the app makes it. */
function trustOf(principal: iam.IPrincipal): Pick<Principal, 'assumedBy'> {
  if (!(principal instanceof iam.Role)) {
    return {};
  }
  const assumedBy = TRUST.get(principal) ?? trustedBy(trustStatements(principal));
  TRUST.set(principal, assumedBy);
  return { assumedBy };
}

/** What of it says who. The whole policy is rendered with the role, which takes time where there are hundreds. */
function trustStatements(role: iam.Role): TrustStatement[] {
  const { Statement: statements = [] } = (role.assumeRolePolicy?.toJSON() ?? {}) as { Statement?: TrustStatement[] };
  return statements.map(({ Effect, Principal: principal, Condition }) =>
    Stack.of(role).resolve({ Effect, Principal: principal, Condition }) as TrustStatement);
}

interface TrustStatement {
  readonly Effect?: string;
  readonly Principal?: unknown;
  readonly Condition?: unknown;
}

function trustedBy(all: TrustStatement[]): string[] {
  const isRestricted = all.some(({ Effect }) => Effect === 'Deny');
  const texts = all.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Principal: principal, Condition }) => {
    const remark = isRestricted || Condition !== undefined ? ' under conditions' : '';
    const byType: [string, unknown][]
      = typeof principal === 'object' && principal !== null ? Object.entries(principal) : [['AWS', principal]];
    return byType.flatMap(([type, names]) => [names].flat().map(name =>
      `${type === 'AWS' ? '' : `${type} `}${name === '*' ? 'every principal' : written(name)}${remark}`));
  });
  return [...new Set(texts)].sort();
}
