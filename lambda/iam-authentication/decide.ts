import type { DatabaseKind } from '../../lib/contract/wire';
import { ProvisionError } from '../shared/errors';
import { type Facts, nameOf, type Observed } from './observed';
import type { Request } from './request';

/** What is to be done with a database as it is now. */
export type Step = { readonly isOn: Facts } | 'modify' | { readonly waitFor: string };

const ENGINES: { readonly [kind in DatabaseKind]: string[] } = {
  cluster: ['aurora-postgresql', 'postgres'],
  instance: ['postgres'],
};

/** As messages name them. */
const FACTS: { readonly [fact in keyof Facts]: string } = { resourceId: 'resource id', host: 'endpoint', port: 'port' };

/** In these it takes modifications. https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html */
const READY = ['available', 'storage-optimization'];

/** IAM authentication may be among what is being changed. */
const CHANGING = ['configuring-iam-database-auth', 'creating', 'modifying'];

/** What does not end by waiting. */
const STUCK = /^(stopped|failed|deleting|restore-error|inaccessible-.*|incompatible-.*)$/;

/**
 * Under way whatever the maintenance window is: "asynchronously applied as soon as possible".
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
 */
const SOON_OVER = ['MasterUserPassword', 'PendingCloudwatchLogsExports'];

/** Refuses a database that users of this library cannot be in, or that is not the one the app means. */
export function check({ expected }: Request, database: Observed): void {
  const name = nameOf(database);
  if (database.cluster !== undefined) {
    throw new ProvisionError(
      `${name} is a member of cluster "${database.cluster}", and IAM authentication is the cluster's; pass the cluster to an AuroraIamAuth`,
    );
  }
  const engines = ENGINES[database.kind];
  if (!engines.includes(database.engine)) {
    throw new ProvisionError(
      `engine "${database.engine}" of ${name} is not supported, because users are created in the SQL of PostgreSQL; pass one with the engine ${engines.join(' or ')}`,
    );
  }
  for (const fact of ['resourceId', 'host', 'port'] as const) {
    const [said, is] = [expected[fact], { resourceId: database.resourceId, ...database.endpoint }[fact]];
    if (said !== undefined && is !== undefined && said !== is) {
      throw new ProvisionError(
        `${FACTS[fact]} "${said}" is not the one of ${name}, which is "${is}", and users would be created in one database and sign in to another; correct it where the database is imported`,
      );
    }
  }
}

/** @param asked whether IAM authentication has been asked for already, by this event */
export function nextStep(database: Observed, asked: boolean): Step {
  const { resourceId, endpoint, status, iamAuthentication, pendingIamAuthentication, pending } = database;
  if (endpoint && iamAuthentication && pendingIamAuthentication !== false && !CHANGING.includes(status)) {
    return { isOn: { resourceId, ...endpoint } };
  }
  if (STUCK.test(status)) {
    throw new ProvisionError(
      `the status of ${nameOf(database)} is ${status}, and IAM authentication is enabled while it is available; make it available, and deploy again`,
    );
  }
  if (!READY.includes(status)) {
    return { waitFor: `its status, which is ${status}, to be available` };
  }
  if (!endpoint) {
    return { waitFor: 'it to have an endpoint' };
  }
  if (asked) {
    return { waitFor: 'IAM authentication to be on' };
  }
  const others = pending.filter(name => !SOON_OVER.includes(name));
  if (others.length > 0) {
    // https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.ApplyImmediately.html; for clusters it
    // was documented for years, so that nothing is staked on it.
    throw new ProvisionError(
      `other modifications of ${nameOf(database)} are pending (${others.join(', ')}), and RDS would apply them at once together with IAM authentication, which may interrupt the database; `
      + 'let them be applied in the maintenance window, or take them back, and deploy again; or enable IAM authentication yourself at a time that suits',
    );
  }
  return pending.length > 0 ? { waitFor: `${pending.join(', ')} to be applied` } : 'modify';
}
