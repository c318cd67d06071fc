import { Construct } from 'constructs';
import { shown } from '../model/types';

/** What a construct of the kind has, made in this app or imported, and how one gets it. */
const KINDS = {
  cluster: {
    property: 'dbClusterRef',
    instead: 'a rds.DatabaseCluster, or rds.DatabaseCluster.fromDatabaseClusterAttributes(...)',
  },
  instance: {
    property: 'dbInstanceRef',
    instead: 'a rds.DatabaseInstance, or rds.DatabaseInstance.fromDatabaseInstanceAttributes(...)',
  },
  proxy: {
    property: 'dbProxyRef',
    instead: 'a rds.DatabaseProxy, or rds.DatabaseProxy.fromDatabaseProxyAttributes(...)',
  },
};

/**
 * JavaScript passes names, and one kind of construct for the other.
 *
 * @param what the property or argument, if it is not called as the kind is
 */
export function requireReference(kind: keyof typeof KINDS, value: unknown, what: string = kind): void {
  const { property, instead } = KINDS[kind];
  if (!Construct.isConstruct(value) || !(property in value)) {
    throw new Error(
      `${what} is ${shown(value)}, and must be a construct of ${kind === 'instance' ? 'an' : 'a'} ${kind}; pass ${instead}`,
    );
  }
}
