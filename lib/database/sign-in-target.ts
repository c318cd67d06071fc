import { Annotations, Arn, ArnFormat, Fn, Token } from 'aws-cdk-lib';
import * as rds from 'aws-cdk-lib/aws-rds';
import type { IConstruct } from 'constructs';
import { clusterIn, instanceIn, requireIamAuthentication } from './iam-authentication';
import { locationOf } from './location';
import { requireReference } from './reference';
import type { ConnectGrantsOptions } from '../connect-options';
import type { DatabaseKind } from '../contract/wire';
import { errorAt } from '../model/errors';
import { requireList, requireOptions, shown } from '../model/types';

/** What clients sign in to, as `rds-db:connect` names it. */
export interface SignInTarget {
  readonly construct: IConstruct;
  /** What tells it apart, whichever construct it is seen through. */
  readonly identity: IConstruct;
  /** `cluster-...`, `db-...` or `prx-...` */
  readonly resourceId: string;
  /** Of what is, or will be, the same database, in the same account and Region. */
  readonly alsoResourceIds: readonly string[];
  readonly account: string;
  readonly region: string;
  /** Refuses a target that no user can sign in to with IAM. */
  check(): void;
  /** Whether a statement with a condition works there. */
  readonly takesConditions: boolean;
}

export function clusterTarget(cluster: rds.IDBClusterRef, options: ConnectGrantsOptions = {}): SignInTarget {
  requireReference('cluster', cluster);
  requireOptions(cluster, 'options', options);
  const owned = clusterIn(cluster);
  const resourceId
    = owned?.attrDbClusterResourceId ?? required(cluster, CLUSTER, declaredResourceId(cluster, 'cluster'));
  return {
    construct: cluster,
    identity: owned ?? cluster,
    resourceId,
    alsoResourceIds: alsoResourceIds(cluster, 'cluster', resourceId, options),
    ...locationOf(cluster, owned === undefined, options),
    check: () => owned && requireIamAuthentication(owned),
    takesConditions: true,
  };
}

export function instanceTarget(instance: rds.IDBInstanceRef, options: ConnectGrantsOptions = {}): SignInTarget {
  requireReference('instance', instance);
  requireOptions(instance, 'options', options);
  const owned = instanceIn(instance);
  if (owned?.dbClusterIdentifier !== undefined) {
    throw errorAt(
      instance,
      "this instance is a member of a cluster, and IAM authentication is the cluster's; pass the cluster to ConnectGrants.fromCluster()",
    );
  }
  // The L2 of a read replica gives its ARN here, unless a feature flag is set.
  const resourceId = owned?.attrDbiResourceId ?? required(instance, INSTANCE, declaredResourceId(instance, 'instance'));
  return {
    construct: instance,
    identity: owned ?? instance,
    resourceId,
    alsoResourceIds: alsoResourceIds(instance, 'instance', resourceId, options),
    ...locationOf(instance, owned === undefined, options),
    check: () => owned && requireIamAuthentication(owned),
    takesConditions: true,
  };
}

export function proxyTarget(proxy: rds.IDBProxyRef): SignInTarget {
  requireReference('proxy', proxy);
  const { dbProxyArn } = proxy.dbProxyRef;
  const owned = proxyIn(proxy);
  return {
    construct: proxy,
    identity: owned ?? proxy,
    resourceId: owned ? Fn.select(6, Fn.split(':', owned.attrDbProxyArn)) : proxyIdIn(proxy, dbProxyArn),
    alsoResourceIds: [],
    // An imported proxy says itself where it is.
    ...owned ? proxy.env : regionAndAccountIn(dbProxyArn),
    check: () => owned && requireIamOfClients(proxy, owned),
    takesConditions: false,
  };
}

/** An L1, or what an L2 was made of; undefined for an imported proxy. */
export function proxyIn(proxy: rds.IDBProxyRef): rds.CfnDBProxy | undefined {
  const candidate = rds.CfnDBProxy.isCfnDBProxy(proxy) ? proxy : proxy.node.defaultChild;
  return rds.CfnDBProxy.isCfnDBProxy(candidate) ? candidate : undefined;
}

interface ResourceIdKind {
  readonly property: string;
  readonly read: (database: unknown) => string | undefined;
  readonly pattern: RegExp;
  readonly of: string;
  readonly source: string;
}

const CLUSTER: ResourceIdKind = {
  property: 'clusterResourceIdentifier',
  read: database => (database as rds.IDatabaseCluster).clusterResourceIdentifier,
  pattern: /^cluster-[A-Z0-9]+$/,
  of: 'a cluster, which looks like cluster-ABCDEFGHIJKL01234',
  source: 'DbClusterResourceId of aws rds describe-db-clusters',
};

const INSTANCE: ResourceIdKind = {
  property: 'instanceResourceId',
  read: database => (database as rds.IDatabaseInstance).instanceResourceId,
  pattern: /^db-[A-Z0-9]+$/,
  of: 'an instance, which looks like db-ABCDEFGHIJKL01234',
  source: 'DbiResourceId of aws rds describe-db-instances',
};

const RESOURCE_ID_KINDS: { readonly [kind in DatabaseKind]: ResourceIdKind } = { cluster: CLUSTER, instance: INSTANCE };

const remedyOf = ({ source }: ResourceIdKind) => `take it from the Configuration tab of the RDS console, or ${source}`;

/** What the import of a cluster or instance says of its resource id, if it says it; refuses what is not one. */
export function declaredResourceId(construct: IConstruct, databaseKind: DatabaseKind): string | undefined {
  const kind = RESOURCE_ID_KINDS[databaseKind];
  const resourceId = tryRead(() => kind.read(construct));
  if (resourceId === NOT_LOOKED_UP) {
    // An exception would keep the CLI from looking it up.
    Annotations.of(construct).addError(
      `${kind.property} has not been looked up yet; run cdk synth with credentials of the account, and without --no-lookups`,
    );
    return resourceId;
  }
  if (resourceId !== undefined && !Token.isUnresolved(resourceId) && !kind.pattern.test(resourceId)) {
    throw errorAt(
      construct,
      `${kind.property} "${resourceId}" is not the resource id of ${kind.of}; ${remedyOf(kind)}`,
    );
  }
  return resourceId;
}

/** Those that the app gives beside the one of the database itself. */
export function alsoResourceIds(
  construct: IConstruct, databaseKind: DatabaseKind, resourceId: string | undefined,
  { alsoResourceIds: ids = [] }: Pick<ConnectGrantsOptions, 'alsoResourceIds'>,
): readonly string[] {
  const kind = RESOURCE_ID_KINDS[databaseKind];
  requireList(construct, 'alsoResourceIds', ids);
  if (Token.isUnresolved(ids)) {
    throw errorAt(
      construct,
      'alsoResourceIds is a token, and how many ids there are must be known at synthesis; pass a list, in which an id may be a token',
    );
  }
  ids.forEach((id, index) => {
    if (typeof id !== 'string' || (!Token.isUnresolved(id) && !kind.pattern.test(id))) {
      throw errorAt(
        construct,
        `alsoResourceIds has ${shown(id)}, which is not the resource id of ${kind.of}; ${remedyOf(kind)}`,
      );
    }
    if (id === resourceId || ids.indexOf(id) !== index) {
      throw errorAt(
        construct,
        `alsoResourceIds has ${JSON.stringify(id)}, which is ${id === resourceId ? 'the resource id of the database itself' : 'listed more than once'}; remove it`,
      );
    }
  });
  return ids;
}

function required(construct: IConstruct, kind: ResourceIdKind, resourceId: string | undefined): string {
  if (resourceId === undefined) {
    throw errorAt(
      construct,
      `${kind.property} is missing, and the permission to sign in is about the resource id of ${kind.of}; give it where the database is imported; ${remedyOf(kind)}`,
    );
  }
  return resourceId;
}

/** What `fromLookup` gives until the CLI has looked the database up, and has synthesized the app again. */
export const NOT_LOOKED_UP = 'TESTID';

/** Some getters of an imported database throw where its attribute was left out, others give undefined. */
export function tryRead<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** `arn:aws:rds:eu-west-1:111111111111:db-proxy:prx-ABCDEFGHIJKL01234` */
function proxyIdIn(proxy: IConstruct, dbProxyArn: string): string {
  if (!Token.isUnresolved(dbProxyArn) && !/^arn:[^:]+:rds:[^:]+:\d{12}:db-proxy:prx-[a-zA-Z0-9]+$/.test(dbProxyArn)) {
    throw errorAt(
      proxy,
      `dbProxyArn "${dbProxyArn}" is not the ARN of a proxy, which looks like arn:aws:rds:eu-west-1:111111111111:db-proxy:prx-ABCDEFGHIJKL01234; `
      + 'take it from DBProxyArn of aws rds describe-db-proxies',
    );
  }
  return Fn.select(6, Fn.split(':', dbProxyArn));
}

function regionAndAccountIn(dbProxyArn: string): { region: string; account: string } {
  const { region = '', account = '' } = Arn.split(dbProxyArn, ArnFormat.COLON_RESOURCE_NAME);
  return { region, account };
}

/** https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy-iam-setup.html */
function requireIamOfClients(construct: IConstruct, { defaultAuthScheme, auth }: rds.CfnDBProxy): void {
  const entries = Array.isArray(auth) ? auth as (rds.CfnDBProxy.AuthFormatProperty | { resolve: unknown })[] : [];
  const known = !Token.isUnresolved(defaultAuthScheme) && entries.every(entry => !('resolve' in entry));
  if (
    known
    && defaultAuthScheme !== 'IAM_AUTH'
    && !entries.some(entry => 'iamAuth' in entry && entry.iamAuth !== 'DISABLED')
  ) {
    throw errorAt(
      construct,
      'clients of this proxy sign in with passwords, so that a token is refused; '
      + 'make it with defaultAuthScheme: DefaultAuthScheme.IAM_AUTH, or iamAuth: true for users that the proxy has passwords of',
    );
  }
}
