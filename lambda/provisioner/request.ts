import { createHash } from 'node:crypto';
import {
  isStorable,
  managedRoleNameProblem,
  policyUsername,
  roleNameProblem,
  usernameProblem,
} from '../../lib/contract/names';
import {
  DATABASE_ROLE_RESOURCE_TYPE, DATABASE_USER_RESOURCE_TYPE, DATABASE_USERS_RESOURCE_TYPE, DEFAULT_REMOVAL_ACTION,
  REMOVAL_ACTIONS,
} from '../../lib/contract/wire';
import { distinct, exactly, flag, object, refuse, text, texts, throwProblem } from '../shared/decode';
import type { Event } from '../shared/event';
import { decodeDeclaration, SAME_VERSION } from './core/declaration';
import { checkSettings } from './core/settings';
import { type Declaration, type OnRemoval, type ManagingResource, type RoleKind, stackWithoutId } from './core/state';

/** What an event asks for. */
export interface Request {
  readonly action: 'apply' | 'remove';
  readonly resource: ManagingResource;
  readonly resourceId: string;
  readonly kind: RoleKind;
  /** A resource of one role; another name renames it. */
  readonly single: boolean;
  readonly usernames: string[];
  /** The same for all of them. */
  readonly declaration: Declaration;
  readonly onRemoval: OnRemoval;
  readonly adoptExisting: boolean;
  readonly physicalId: string;
  /** Of an Update: the resource as CloudFormation has it, and returns to in a rollback. */
  readonly formerPhysicalId?: string;
  /**
   * Of a removal that no Delete has asked for: the physical id of the resource that is there. What is not dropped is
   * registered under it.
   */
  readonly keptUnder?: string;
  /**
   * A Delete with a physical id that CloudFormation has made up: it has cancelled the creation, and did not wait for
   * its answer.
   */
  readonly cancelled: boolean;
  /** When CloudFormation has sent the event, in milliseconds since 1970, if that is known. */
  readonly sentAt?: number;
}

interface ResourceType {
  readonly kind: RoleKind;
  readonly single: boolean;
  /** The property with the name, or the names. */
  readonly names: string;
  /** Properties of this type beside those of all. */
  readonly own: string[];
}

const RESOURCE_TYPES: { readonly [resourceType: string]: ResourceType } = {
  [DATABASE_USER_RESOURCE_TYPE]: {
    kind: 'user', single: true, names: 'Username', own: ['PolicyUsername', 'ExpiresAt'],
  },
  [DATABASE_USERS_RESOURCE_TYPE]: {
    kind: 'user', single: false, names: 'Usernames', own: ['ExpiresAt'],
  },
  [DATABASE_ROLE_RESOURCE_TYPE]: {
    kind: 'role', single: true, names: 'RoleName', own: [],
  },
};

const COMMON = [
  'ServiceToken',
  'ServiceTimeout',
  'Database',
  'Privileges',
  'MemberOf',
  'MembershipExpiresAt',
  'Settings',
  'OnRemoval',
  'Exclusive',
  'AdoptExisting',
  'Reapply',
];

/**
 * The decoder: every event is checked here, against the same rules as at synth. A value may be known only now, and the
 * template may be another version's. A Delete is decoded for what it needs, and no rule must stop it.
 */
export function decode(event: Event): Request {
  const { ResourceProperties: properties } = event;
  const action = event.RequestType === 'Delete' ? 'remove' : 'apply';
  const type = Object.hasOwn(RESOURCE_TYPES, event.ResourceType)
    ? RESOURCE_TYPES[event.ResourceType]
    : refuse('resource type', event.ResourceType, 'the provisioner does not know it', SAME_VERSION);
  if (action === 'apply') {
    exactly('the resource', properties, [...COMMON, type.names, ...type.own]);
    exactly('Database', properties.Database, ['ResourceId']);
  }
  const resourceId = text('Database.ResourceId', object('Database', properties.Database).ResourceId);
  const physicalId = event.PhysicalResourceId ?? '';
  // https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1814
  const cancelled = action === 'remove' && !physicalId.startsWith(`${resourceId}/`);
  const names = properties[type.names];
  const usernames = cancelled
    ? possibleNames(names)
    : type.single
      ? [text(type.names, names)]
      : distinct(texts(type.names, names));
  const known = {
    action,
    resource: { stack: stackWithoutId(event.StackId), stackId: event.StackId, logicalId: event.LogicalResourceId },
    resourceId,
    kind: type.kind,
    single: type.single,
    usernames,
    ...event.sentAt === undefined ? {} : { sentAt: event.sentAt },
  } as const;
  if (action === 'remove') {
    return {
      ...known,
      declaration: { kind: type.kind, memberOf: [], databases: [], exclusive: false },
      onRemoval: onRemovalOfDelete(properties.OnRemoval),
      adoptExisting: false,
      physicalId,
      cancelled,
    };
  }
  checkNames(type, usernames, properties.PolicyUsername);
  checkSettings(properties.Settings);
  const declaration = decodeDeclaration(type.kind, properties);
  checkDeclaration(usernames, declaration);
  return {
    ...known,
    declaration,
    onRemoval: decodeOnRemoval(properties.OnRemoval),
    adoptExisting: flag('AdoptExisting', properties.AdoptExisting),
    // Identity of what is managed: another database, name or list is another physical resource, whose Delete follows.
    // ASCII, below CloudFormation's 1 kB.
    physicalId: [
      known.resourceId,
      type.single ? encodeURIComponent(usernames[0]) : fingerprint(usernames),
      event.LogicalResourceId,
    ].join('/'),
    ...(event.RequestType === 'Update' && event.PhysicalResourceId !== undefined
      ? { formerPhysicalId: event.PhysicalResourceId }
      : {}),
    cancelled: false,
  };
}

/**
 * Of a creation that was cancelled: what no role or database can be called was refused, or is to be when its Create
 * comes.
 */
export function possibleNames(value: unknown): string[] {
  return distinct(
    (Array.isArray(value) ? value : [value]).filter(
      (name): name is string => typeof name === 'string' && isStorable(name),
    ),
  );
}

function fingerprint(usernames: string[]): string {
  return createHash('sha256').update(JSON.stringify(usernames)).digest('hex').slice(0, 32);
}

function checkNames(type: ResourceType, usernames: string[], spelled: unknown): void {
  if (usernames.length === 0) {
    refuse('Usernames', usernames, 'it is empty', 'name at least one user, or remove the resource');
  }
  usernames.forEach(name => throwProblem(type.kind === 'user' ? usernameProblem(name) : managedRoleNameProblem(name)));
  if (spelled !== undefined && text('PolicyUsername', spelled) !== policyUsername(usernames[0])) {
    refuse(
      'username',
      usernames[0],
      'it became known at deployment only, so that *, ? or $ in it are not escaped in the policies and would reach other users',
      'pass the username as a literal, or without these characters',
    );
  }
}

/** What a declaration cannot say of the very roles that it is about. */
function checkDeclaration(usernames: string[], { memberOf, databases }: Declaration): void {
  const future = databases
    .flatMap(({ schemas }) => schemas)
    .flatMap(({ futureObjects }) => futureObjects)
    .map(({ creator }) => creator);
  for (const name of usernames) {
    if (memberOf.includes(name)) {
      refuse('MemberOf', name, 'a role cannot be a member of itself', 'leave it out');
    }
    if (future.includes(name)) {
      refuse('FutureObjects', name, 'a role owns what it creates and needs no privileges on it', 'leave it out');
    }
  }
  if (usernames.length > 1 && databases.some(({ schemas }) => schemas.some(({ owner }) => owner))) {
    refuse('Owner', 'true', 'a schema has one owner', 'declare the owner as a user of its own');
  }
}

function decodeOnRemoval(value: unknown): OnRemoval {
  if (value === undefined) {
    return { action: DEFAULT_REMOVAL_ACTION };
  }
  const { Action: action, ReassignOwnedTo: newOwner } = exactly('OnRemoval', value, ['Action', 'ReassignOwnedTo']);
  const known = REMOVAL_ACTIONS.find(candidate => candidate === action)
    ?? refuse('action on removal', action, `known are ${REMOVAL_ACTIONS.join(', ')}`, SAME_VERSION);
  if (known === 'DROP') {
    throwProblem(roleNameProblem(text('OnRemoval.ReassignOwnedTo', newOwner)));
    return { action: known, reassignOwnedTo: text('OnRemoval.ReassignOwnedTo', newOwner) };
  }
  return newOwner === undefined
    ? { action: known }
    : refuse('ReassignOwnedTo', newOwner, 'it goes with DROP only', 'leave it out');
}

/** What it does not understand must not stop a Delete: then it does what loses least. */
function onRemovalOfDelete(value: unknown): OnRemoval {
  try {
    return decodeOnRemoval(value);
  } catch {
    return { action: 'DISABLE' };
  }
}
