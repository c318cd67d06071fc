import { randomBytes } from 'node:crypto';
import { Properties, ResourceState } from './template';
import { POSTGRESQL_MAJORS, PostgresqlMajor } from '../postgresql/binaries';

/** Engines that there is a server for, by the type of the resource. */
const ENGINES: Record<string, string[]> = {
  'AWS::RDS::DBCluster': ['aurora-postgresql', 'postgres'],
  'AWS::RDS::DBInstance': ['postgres'],
};

/** Newest major of `rds.AuroraPostgresEngineVersion`: the one to use where a template names none. */
export const NEWEST_OF_AURORA = 17;

/** Whether the master signs in with a token, and has no password. */
export function isWithToken({ MasterUserAuthenticationType: type }: Properties): boolean {
  return type === 'iam-db-auth';
}

/** Whether it has a server of its own: a cluster, or an instance outside of clusters. */
export function hasServer({ type, properties }: Pick<ResourceState, 'type' | 'properties'>): boolean {
  return (
    type === 'AWS::RDS::DBCluster' || (type === 'AWS::RDS::DBInstance' && properties.DBClusterIdentifier === undefined)
  );
}

/** Whether it has a server of its own, and that can be written to: users are created there. */
export function isDatabase(resource: Pick<ResourceState, 'type' | 'properties'>): boolean {
  return (
    hasServer(resource)
    && resource.properties.SourceDBInstanceIdentifier === undefined
    && resource.properties.SourceDBClusterIdentifier === undefined
    && !isSecondary(resource.properties)
  );
}

/** A cluster that replicates the primary of its global database, which is the one that has a master of its own. */
export function isSecondary({
  GlobalClusterIdentifier: globalCluster,
  MasterUsername: master,
  SnapshotIdentifier: snapshot,
}: Properties): boolean {
  return globalCluster !== undefined && master === undefined && snapshot === undefined;
}

/** Of a cluster or an instance. */
export function databaseArnOf({ attributes }: ResourceState): string {
  return (attributes.DBClusterArn ?? attributes.DBInstanceArn) as string;
}

/** `<prefix>` and 26 characters, such as `db-...` */
export function newResourceId(prefix: string): string {
  return `${prefix}-${randomBytes(13).toString('hex').toUpperCase()}`;
}

/**
 * Whether PostgreSQL stands behind an engine; a replica need not name one, and an instance of a cluster has that of the
 * cluster.
 */
export function isPostgresql(engine: unknown): boolean {
  return engine === undefined || Object.values(ENGINES).flat().some(name => name === engine);
}

/**
 * Major of the server that a cluster or an instance gets. Throws when there is none.
 *
 * @param available majors to choose the nearest from; none are all, and no other in place of one
 */
export function majorOf(
  type: string,
  { Engine: engine, EngineVersion: version }: Properties,
  available?: readonly PostgresqlMajor[],
): PostgresqlMajor {
  const major = POSTGRESQL_MAJORS.find(each => `${String(version)}.`.startsWith(`${each}.`));
  const isKnown = ENGINES[type].includes(String(engine));
  if (isKnown && available) {
    const asked = askedMajor(version) ?? NEWEST_OF_AURORA;
    return (
      [...available].sort((a, b) => Math.abs(a - asked) - Math.abs(b - asked) || b - a)[0]
      ?? problem('PostgreSQL is not installed')
    );
  }
  if (!isKnown || major === undefined) {
    throw new Error(
      `${type === 'AWS::RDS::DBCluster' ? 'a cluster' : 'an instance'} with Engine ${String(engine)} and EngineVersion ${String(version)} is not rehearsed: `
      + `use ${ENGINES[type].join(' or ')}, ${POSTGRESQL_MAJORS.slice(0, -1).join(', ')} or ${POSTGRESQL_MAJORS.at(-1)}`,
    );
  }
  return major;
}

/** Major that a template asks for; undefined if it names none. */
export function askedMajor(version: unknown): number | undefined {
  const [, major] = /^(\d+)/.exec(typeof version === 'string' || typeof version === 'number' ? `${version}` : '') ?? [];
  return major === undefined ? undefined : Number(major);
}

function problem(message: string): never {
  throw new Error(message);
}

/** As a template has it, or CloudFormation hands it over. */
export function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}
