import { object, refuse, text } from '../shared/decode';
import type { Event } from '../shared/event';
import type { Transport } from './transport/session';

/** What the deployment has fixed about this function. Nothing of it is taken from an event. */
export interface Deployment {
  /** Of the stack that the function is in. */
  readonly stackId: string;
  /** Of the only database that it works on. */
  readonly resourceId: string;
  /** Endpoint of that database. */
  readonly host: string;
  readonly transport: Transport;
  /** The group role that owns what the provisioner keeps in the database. @default - the admin */
  readonly registryOwner?: string;
}

/**
 * Compares an event with the deployment, before anything is resolved, read or connected to. Events for another database
 * and of another stack are refused, with one exception: after a cluster is replaced, CloudFormation deletes the
 * resources of the former one.
 *
 * @returns the resource id of the former database if the event is such a Delete
 */
export function formerDatabase(
  { RequestType: type, StackId: stackId, ResourceProperties: properties }: Event,
  deployment: Deployment,
): string | undefined {
  if (stackId !== deployment.stackId) {
    refuse(
      'StackId',
      stackId,
      `this provisioner serves the resources of ${deployment.stackId} only`,
      'declare the user in the app; each stack with users gets a provisioner of its own',
    );
  }
  const resourceId = text('Database.ResourceId', object('Database', properties.Database).ResourceId);
  if (resourceId === deployment.resourceId) {
    return undefined;
  }
  return type === 'Delete'
    ? resourceId
    : refuse(
        'Database.ResourceId',
        resourceId,
        `this provisioner manages users of ${deployment.resourceId} only`,
        'declare the user with the AuroraIamAuth or InstanceIamAuth of its database',
      );
}
