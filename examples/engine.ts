import * as rds from 'aws-cdk-lib/aws-rds';

/**
 * The version of all examples. AWS withdraws minor versions; a deployment then says `Cannot find version 17.7 for aurora-postgresql`. Those on offer:
 *
 *     aws rds describe-db-engine-versions --engine aurora-postgresql --query 'DBEngineVersions[].EngineVersion'
 *
 * One that has no constant in CDK yet is `rds.AuroraPostgresEngineVersion.of('17.9', '17')`.
 */
export const AURORA_POSTGRESQL = rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_17_7 });
