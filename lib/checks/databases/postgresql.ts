import type { Resource } from '../app/template';
import { partsOf, type Setting, settingOf } from '../app/value';

/** A cluster, or an instance that is not a member of one. */
export const DATABASE_TYPES = ['AWS::RDS::DBCluster', 'AWS::RDS::DBInstance'];

/**
 * Whether a resource is a database of PostgreSQL: Aurora's, RDS's, a Multi-AZ cluster or a read replica; undefined
 * where only the deployment knows.
 */
export function isPostgresql(resource: Resource): boolean | undefined {
  const { type, properties, template } = resource;
  if (
    !DATABASE_TYPES.includes(type)
    || (type === 'AWS::RDS::DBInstance' && settingOf(properties.DBClusterIdentifier, template).state !== 'unset')
  ) {
    return false;
  }
  const engine = inherited(resource, 'Engine');
  return engine.state === 'known'
    ? engine.value === 'postgres' || engine.value === 'aurora-postgresql'
    : engine.state === 'unknown'
      ? undefined
      : false;
}

/** An engine or a version, which a read replica has from its source and a restored instance from its snapshot. */
export function inherited(resource: Resource, property: 'Engine' | 'EngineVersion'): Setting {
  const own = settingOf(resource.properties[property], resource.template);
  if (own.state !== 'unset') {
    return own;
  }
  const source = sourceOf(resource);
  return source
    ? inherited(source, property)
    : isRestored(resource) || isReplica(resource)
      ? { state: 'unknown', shown: `that of what ${resource.logicalId} is made from` }
      : own;
}

/**
 * The instance of this app that a read replica replicates, which it names by its identifier or by an ARN with that at
 * its end.
 */
export function sourceOf({ properties, template }: Resource): Resource | undefined {
  const source = partsOf(properties.SourceDBInstanceIdentifier, template).at(-1);
  return source?.kind === 'attribute' && source.resource.type === 'AWS::RDS::DBInstance' ? source.resource : undefined;
}

export function isReplica({ properties }: Resource): boolean {
  return ['SourceDBInstanceIdentifier', 'SourceDBClusterIdentifier'].some(
    property => properties[property] !== undefined,
  );
}

/** Made from a snapshot, a backup or another database, of which it has what its template does not say. */
export function isRestored({ type, properties }: Resource): boolean {
  const sources
    = type === 'AWS::RDS::DBCluster'
      ? ['SnapshotIdentifier', 'SourceDBClusterIdentifier', 'SourceDbClusterResourceId']
      : [
          'DBSnapshotIdentifier',
          'DBClusterSnapshotIdentifier',
          'SourceDbiResourceId',
          'SourceDBInstanceAutomatedBackupsArn',
        ];
  return sources.some(property => properties[property] !== undefined);
}

/** A cluster of Aurora that is in no VPC, and where IAM is the only way to sign in. */
export function isExpress({ properties, template }: Resource): boolean {
  const setting = settingOf(properties.WithExpressConfiguration, template);
  return setting.state === 'known' && setting.value === 'true';
}
