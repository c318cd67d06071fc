import {
  DefaultTokenResolver,
  type IPostProcessor,
  type IResolvable,
  type IResolveContext,
  Reference,
  StringConcat,
  Tokenization,
} from 'aws-cdk-lib';
import * as rds from 'aws-cdk-lib/aws-rds';
import type { IConstruct } from 'constructs';
import { type DatabaseResource, instanceIn } from './iam-authentication';

/** The cluster or instance of this app that a read replica gets its users from. */
export function sourceOf(instance: IConstruct | rds.IDBInstanceRef): DatabaseResource | undefined {
  const replica = instanceIn(instance);
  return (
    replica
    && [replica.sourceDbInstanceIdentifier, replica.sourceDbClusterIdentifier].flatMap(identifier =>
      databasesIn(replica, identifier),
    )[0]
  );
}

/** The clusters and instances of this app that a proxy of this app signs in to, where it was made with its targets. */
export function databasesBehind(proxy: IConstruct): DatabaseResource[] {
  return proxy.node.children
    .filter(child => rds.CfnDBProxyTargetGroup.isCfnDBProxyTargetGroup(child))
    .flatMap(group =>
      [...(group.dbClusterIdentifiers ?? []), ...(group.dbInstanceIdentifiers ?? [])].flatMap(identifier =>
        databasesIn(group, identifier),
      ),
    );
}

function databasesIn(scope: IConstruct, identifier: string | undefined): DatabaseResource[] {
  const resolver = new FoundReferences();
  Tokenization.resolve(identifier, { scope, resolver, preparing: false });
  return resolver.targets.filter(
    target => rds.CfnDBCluster.isCfnDBCluster(target) || rds.CfnDBInstance.isCfnDBInstance(target),
  );
}

/** An identifier may be a reference that is made late. */
class FoundReferences extends DefaultTokenResolver {
  public readonly targets: IConstruct[] = [];

  constructor() {
    super(new StringConcat());
  }

  public override resolveToken(token: IResolvable, context: IResolveContext, postProcessor: IPostProcessor): unknown {
    if (Reference.isReference(token)) {
      this.targets.push(token.target);
    }
    return super.resolveToken(token, context, postProcessor);
  }
}
