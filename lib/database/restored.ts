import * as rds from 'aws-cdk-lib/aws-rds';
import type { DatabaseResource } from './iam-authentication';

/** Of a snapshot, a backup or another database: databases, users and passwords are those that were there. */
export function isRestored(resource: DatabaseResource): boolean {
  const from = rds.CfnDBCluster.isCfnDBCluster(resource)
    ? [
        resource.snapshotIdentifier,
        resource.sourceDbClusterIdentifier,
        resource.sourceDbClusterResourceId,
        resource.restoreToTime,
      ]
    : [
        resource.dbSnapshotIdentifier,
        resource.dbClusterSnapshotIdentifier,
        resource.restoreTime,
        resource.sourceDbiResourceId,
        resource.sourceDbInstanceAutomatedBackupsArn,
      ];
  return [...from, resource.useLatestRestorableTime].some(value => value !== undefined);
}
