import { databaseNameProblem, managedRoleNameProblem } from '../../lib/contract/names';
import { PUBLIC_PRIVILEGES_RESOURCE_TYPE } from '../../lib/contract/wire';
import { distinct, exactly, object, refuse, text, texts, throwProblem } from '../shared/decode';
import type { Event } from '../shared/event';
import { PUBLIC } from './core/change';
import { privilegesIn, type PublicPrivilege } from './core/public-records';
import { stackWithoutId } from './core/state';
import { decode, possibleNames, type Request } from './request';

/** What an event asks for of PUBLIC in one database. */
export interface PublicRequest extends Pick<
  Request,
  'action' | 'resource' | 'resourceId' | 'physicalId' | 'cancelled' | 'sentAt'
> {
  readonly kind: 'public';
  readonly usernames: string[];
  readonly database: string;
  readonly revoked: PublicPrivilege[];
  readonly lockOut: string[];
}

/** What any event asks for: of roles, or of PUBLIC. */
export function decodeRequest(event: Event): Request | PublicRequest {
  return event.ResourceType === PUBLIC_PRIVILEGES_RESOURCE_TYPE ? decodePublic(event) : decode(event);
}

/** A Delete is decoded for what it needs, as in `decode`. */
function decodePublic({
  RequestType,
  StackId: stackId,
  LogicalResourceId: logicalId,
  PhysicalResourceId: id = '',
  ResourceProperties: properties,
  sentAt,
}: Event): PublicRequest {
  const isApplied = RequestType !== 'Delete';
  if (isApplied) {
    exactly('the resource', properties, [
      'ServiceToken',
      'ServiceTimeout',
      'Database',
      'DatabaseName',
      'Revoked',
      'LockOut',
      'Reapply',
    ]);
    exactly('Database', properties.Database, ['ResourceId']);
  }
  const resourceId = text('Database.ResourceId', object('Database', properties.Database).ResourceId);
  const cancelled = !isApplied && !id.startsWith(`${resourceId}/`);
  const database = cancelled
    ? (possibleNames(properties.DatabaseName)[0] ?? '')
    : text('DatabaseName', properties.DatabaseName);
  throwProblem(isApplied ? databaseNameProblem(database) : undefined);
  return {
    kind: 'public',
    action: isApplied ? 'apply' : 'remove',
    resource: { stack: stackWithoutId(stackId), stackId, logicalId },
    resourceId,
    usernames: [PUBLIC],
    database,
    revoked: isApplied ? decodeRevoked(properties.Revoked) : [],
    lockOut: isApplied ? decodeLockOut(properties.LockOut ?? []) : [],
    physicalId: isApplied ? [resourceId, encodeURIComponent(database), logicalId].join('/') : id,
    cancelled,
    ...sentAt === undefined ? {} : { sentAt },
  };
}

function decodeRevoked(value: unknown): PublicPrivilege[] {
  const { Database: onDatabase = [], Schemas = {} } = exactly('Revoked', value, ['Database', 'Schemas']);
  const { public: inPublic = {} } = exactly('Revoked.Schemas', Schemas, [PUBLIC]);
  const { Schema: onSchema = [] } = exactly('Revoked.Schemas.public', inPublic, ['Schema']);
  const revoked = [
    ...privilegesIn('Revoked.Database', onDatabase, ['CONNECT']),
    ...privilegesIn('Revoked.Schemas.public.Schema', onSchema, ['CREATE']),
  ];
  return revoked.length > 0
    ? revoked
    : refuse('Revoked', value, 'it has no privilege', 'name one, or remove the resource');
}

function decodeLockOut(value: unknown): string[] {
  const names = distinct(texts('LockOut', value));
  names.forEach(name => throwProblem(managedRoleNameProblem(name)));
  return names;
}
