import { DATABASE_KINDS, type DatabaseKind, IAM_AUTHENTICATION_RESOURCE_TYPE } from '../../lib/contract/wire';
import { exactly, refuse, text } from '../shared/decode';
import type { Event } from '../shared/event';
import type { Facts } from './observed';

/** What an event asks for. */
export interface Request {
  readonly kind: DatabaseKind;
  readonly identifier: string;
  /** What the app says of the database: anything else is another one. */
  readonly expected: Partial<Facts>;
}

const SAME_VERSION = 'update the function and the resource to the same version of the library';
const PROPERTIES = ['ServiceToken', 'ServiceTimeout', 'Kind', 'Identifier', 'Expected', 'Reapply'];

/**
 * The decoder: every event is checked here, against the same rules as at synth. A value may be known only now, and the
 * template may be another version's.
 */
export function decode({ ResourceType: type, ResourceProperties: properties }: Event): Request {
  if (type !== IAM_AUTHENTICATION_RESOURCE_TYPE) {
    refuse('resource type', type, 'the function does not know it', SAME_VERSION);
  }
  const {
    Kind: kind,
    Identifier: identifier,
    Expected: expected = {},
  } = exactly('the resource', properties, PROPERTIES);
  const {
    ResourceId: resourceId,
    Host: host,
    Port: port,
  } = exactly('Expected', expected, ['ResourceId', 'Host', 'Port']);
  return {
    kind:
      DATABASE_KINDS.find(each => each === kind)
      ?? refuse('Kind', kind, `known are ${DATABASE_KINDS.join(', ')}`, SAME_VERSION),
    identifier: decodeIdentifier(text('Identifier', identifier)),
    expected: {
      resourceId: optional('Expected.ResourceId', resourceId),
      host: optional('Expected.Host', host),
      port: optional('Expected.Port', port),
    },
  };
}

/** The policy of the function is about this one database: with a wildcard it would be about others. */
function decodeIdentifier(identifier: string): string {
  return /^[a-z][a-z0-9-]*$/.test(identifier)
    ? identifier
    : refuse(
        'Identifier',
        identifier,
        'an identifier has lower-case letters, digits and hyphens, as RDS keeps it',
        'pass the identifier as aws rds describes it',
      );
}

function optional(where: string, value: unknown): string | undefined {
  return value === undefined ? undefined : text(where, value);
}
