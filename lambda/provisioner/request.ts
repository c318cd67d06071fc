import { createHash } from 'node:crypto';
import { databaseNameProblem, managedRoleNameProblem, objectNameProblem, policyUsername, roleNameProblem, schemaNameProblem, usernameProblem } from '../../lib/contract/names';
import {
  ALL_OBJECTS, COLUMN_PRIVILEGES, DATABASE_PRIVILEGES, DATABASE_ROLE_RESOURCE_TYPE, DATABASE_USER_RESOURCE_TYPE, DATABASE_USERS_RESOURCE_TYPE,
  FUNCTION_PRIVILEGES, REMOVAL_ACTIONS, SCHEMA_PRIVILEGES, SEQUENCE_PRIVILEGES, TABLE_PRIVILEGES,
} from '../../lib/contract/wire';
import { ProvisionError } from './errors';
import { Declaration, FutureObjects, NamedPrivileges, OnRemoval, Owner, RoleKind, SchemaDeclaration } from './state';
import { entries, exactly, object, refuse, text, texts } from '../shared/decode';
import { Event } from '../shared/event';

/** What an event asks for. */
export interface Request {
  readonly action: 'apply' | 'remove';
  readonly owner: Owner;
  readonly host: string;
  readonly port: number;
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
  /** A Delete with a physical id that CloudFormation has made up: it has cancelled the creation, and did not wait for its answer. */
  readonly cancelled: boolean;
}

interface ResourceType {
  readonly kind: RoleKind;
  readonly single: boolean;
  /** Properties of this type beside those of all. */
  readonly own: string[];
  readonly usernames: (properties: Event['ResourceProperties']) => string[];
}

const RESOURCE_TYPES: { readonly [resourceType: string]: ResourceType } = {
  [DATABASE_USER_RESOURCE_TYPE]: {
    kind: 'user', single: true, own: ['Username', 'PolicyUsername'], usernames: ({ Username: name }) => [text('Username', name)],
  },
  [DATABASE_USERS_RESOURCE_TYPE]: {
    kind: 'user', single: false, own: ['Usernames'], usernames: ({ Usernames: names }) => distinct(texts('Usernames', names)),
  },
  [DATABASE_ROLE_RESOURCE_TYPE]: {
    kind: 'role', single: true, own: ['RoleName'], usernames: ({ RoleName: name }) => [text('RoleName', name)],
  },
};

const COMMON = ['ServiceToken', 'ServiceTimeout', 'Database', 'Privileges', 'MemberOf', 'OnRemoval', 'Exclusive', 'AdoptExisting', 'Reapply'];
const SAME_VERSION = 'update the provisioner and the resource to the same version of the library';

/**
 * The door: whatever comes in is checked here, against the same rules as at synth. A value may be known only now, and the
 * template may be another version's. A Delete is decoded for what it needs, and no rule must stop it.
 */
export function decode(event: Event): Request {
  const { ResourceProperties: properties } = event;
  const action = event.RequestType === 'Delete' ? 'remove' : 'apply';
  const type = Object.hasOwn(RESOURCE_TYPES, event.ResourceType)
    ? RESOURCE_TYPES[event.ResourceType]
    : refuse('resource type', event.ResourceType, 'the provisioner does not know it', SAME_VERSION);
  if (action === 'apply') {
    exactly('the resource', properties, [...COMMON, ...type.own]);
    exactly('Database', properties.Database, ['ResourceId', 'Host', 'Port']);
  }
  const { ResourceId: resourceId, Host: host, Port: port } = object('Database', properties.Database);
  const usernames = type.usernames(properties);
  const known = {
    action,
    owner: { stack: stackWithoutId(event.StackId), stackId: event.StackId, logicalId: event.LogicalResourceId },
    host: text('Database.Host', host),
    port: decodePort(text('Database.Port', port)),
    resourceId: text('Database.ResourceId', resourceId),
    kind: type.kind,
    single: type.single,
    usernames,
  } as const;
  if (action === 'remove') {
    const physicalId = event.PhysicalResourceId ?? '';
    // https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1814
    const cancelled = !physicalId.startsWith(`${known.resourceId}/`);
    const onRemoval = onRemovalOfDelete(properties.OnRemoval);
    return {
      ...known,
      declaration: { kind: type.kind, memberOf: [], databases: [], exclusive: false },
      // Nobody knows whether the role was there before.
      onRemoval: cancelled && properties.AdoptExisting === 'true' && onRemoval.action !== 'RETAIN' ? { action: 'DISABLE' } : onRemoval,
      adoptExisting: false,
      physicalId,
      cancelled,
    };
  }
  checkNames(type, usernames, properties.PolicyUsername);
  return {
    ...known,
    declaration: decodeDeclaration(type.kind, usernames, properties),
    onRemoval: decodeOnRemoval(properties.OnRemoval),
    adoptExisting: flag('AdoptExisting', properties.AdoptExisting),
    // Identity of what is managed: another database, name or list is another physical resource, whose Delete follows. ASCII, below CloudFormation's 1 kB.
    physicalId: [known.resourceId, type.single ? encodeURIComponent(usernames[0]) : fingerprint(usernames), event.LogicalResourceId].join('/'),
    cancelled: false,
  };
}

function fingerprint(usernames: string[]): string {
  return createHash('sha256').update(JSON.stringify(usernames)).digest('hex').slice(0, 32);
}

function checkNames(type: ResourceType, usernames: string[], spelled: unknown): void {
  if (usernames.length === 0) {
    refuse('Usernames', usernames, 'there is nobody in it', 'name at least one user, or remove the resource');
  }
  usernames.forEach(name => throwProblem(type.kind === 'user' ? usernameProblem(name) : managedRoleNameProblem(name)));
  if (spelled !== undefined && text('PolicyUsername', spelled) !== policyUsername(usernames[0])) {
    refuse('username', usernames[0], 'it became known at deployment only, so that *, ? or $ in it are not escaped in the policies and would reach other users',
      'pass the username as a literal, or without these characters');
  }
}

function decodePort(port: string): number {
  return /^[0-9]{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65535
    ? Number(port)
    : refuse('port', port, 'it is not a number from 1 to 65535', 'pass the port of the database');
}

/** arn:aws:cloudformation:eu-west-1:123456789012:stack/name/unique -> up to the name */
function stackWithoutId(stackId: string): string {
  return stackId.split('/').slice(0, 2).join('/');
}

function decodeDeclaration(kind: RoleKind, usernames: string[], properties: Event['ResourceProperties']): Declaration {
  const memberOf = distinct(texts('MemberOf', properties.MemberOf ?? []));
  memberOf.forEach(role => throwProblem(roleNameProblem(role)));
  const databases = entries('Privileges', properties.Privileges ?? {}).map(([database, value]) => {
    throwProblem(databaseNameProblem(database));
    const where = `Privileges.${database}`;
    const { Database: privileges, Schemas: schemas } = exactly(where, value, ['Database', 'Schemas']);
    return {
      database,
      privileges: words(`${where}.Database`, 'a database', privileges, DATABASE_PRIVILEGES),
      schemas: entries(`${where}.Schemas`, schemas ?? {}).map(([schema, declared]) => decodeSchema(`${where}.Schemas.${schema}`, schema, declared)),
    };
  });
  const future = databases.flatMap(({ schemas }) => schemas).flatMap(({ futureObjects }) => futureObjects).map(({ creator }) => creator);
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
  return { kind, memberOf, databases, exclusive: flag('Exclusive', properties.Exclusive) };
}

function decodeSchema(where: string, schema: string, value: unknown): SchemaDeclaration {
  throwProblem(schemaNameProblem(schema));
  const declared = exactly(where, value, ['Owner', 'Schema', 'Tables', 'Columns', 'Sequences', 'Functions', 'FutureObjects']);
  return {
    schema,
    owner: flag(`${where}.Owner`, declared.Owner),
    privileges: words(`${where}.Schema`, 'a schema', declared.Schema, SCHEMA_PRIVILEGES),
    tables: named(`${where}.Tables`, 'table', declared.Tables, TABLE_PRIVILEGES),
    columns: entries(`${where}.Columns`, declared.Columns ?? {}).flatMap(([table, columns]) => {
      throwProblem(objectNameProblem('table', table));
      return named(`${where}.Columns.${table}`, 'column', columns, COLUMN_PRIVILEGES).map(column => ({ ...column, table }));
    }),
    sequences: named(`${where}.Sequences`, 'sequence', declared.Sequences, SEQUENCE_PRIVILEGES),
    functions: named(`${where}.Functions`, 'function', declared.Functions, FUNCTION_PRIVILEGES),
    futureObjects: entries(`${where}.FutureObjects`, declared.FutureObjects ?? {}).map(([creator, objects]): FutureObjects => {
      throwProblem(roleNameProblem(creator));
      const { Tables: tables, Sequences: sequences, Functions: functions } = exactly(`${where}.FutureObjects.${creator}`, objects, ['Tables', 'Sequences', 'Functions']);
      return {
        creator,
        tables: words(`${where}.FutureObjects.${creator}.Tables`, 'a table', tables, TABLE_PRIVILEGES),
        sequences: words(`${where}.FutureObjects.${creator}.Sequences`, 'a sequence', sequences, SEQUENCE_PRIVILEGES),
        functions: words(`${where}.FutureObjects.${creator}.Functions`, 'a function', functions, FUNCTION_PRIVILEGES),
      };
    }),
  };
}

function named(where: string, kind: 'table' | 'column' | 'sequence' | 'function', value: unknown, known: readonly string[]): NamedPrivileges[] {
  return entries(where, value ?? {}).map(([name, privileges]) => {
    throwProblem(name === ALL_OBJECTS && kind !== 'column' ? undefined : objectNameProblem(kind, name));
    return { name, privileges: words(`${where}.${name}`, `a ${kind}`, privileges, known) };
  });
}

function decodeOnRemoval(value: unknown): OnRemoval {
  const { Action: action, ReassignOwnedTo: heir } = exactly('OnRemoval', value, ['Action', 'ReassignOwnedTo']);
  const known = REMOVAL_ACTIONS.find(candidate => candidate === action)
    ?? refuse('action on removal', action, `known are ${REMOVAL_ACTIONS.join(', ')}`, SAME_VERSION);
  if (known === 'DROP') {
    throwProblem(roleNameProblem(text('OnRemoval.ReassignOwnedTo', heir)));
    return { action: known, reassignOwnedTo: text('OnRemoval.ReassignOwnedTo', heir) };
  }
  return heir === undefined ? { action: known } : refuse('ReassignOwnedTo', heir, 'it goes with DROP only', 'leave it out');
}

/** What it does not understand must not stop a Delete: then it does what loses least. */
function onRemovalOfDelete(value: unknown): OnRemoval {
  try {
    return value === undefined ? { action: 'DROP_OR_DISABLE' } : decodeOnRemoval(value);
  } catch {
    return { action: 'DISABLE' };
  }
}

function words(where: string, kind: string, value: unknown, known: readonly string[]): string[] {
  return distinct(texts(where, value ?? [])).map(word => known.find(privilege => privilege === word)
    ?? refuse(`privilege on ${kind}`, word, `known are ${known.join(', ')}`, SAME_VERSION));
}

function flag(where: string, value: unknown): boolean {
  return value === undefined || value === 'false' ? false : value === 'true' || refuse(where, value, 'it is neither true nor false', 'pass one of them');
}

function throwProblem(problem: string | undefined): void {
  if (problem !== undefined) {
    throw new ProvisionError(problem);
  }
}

function distinct(items: string[]): string[] {
  return [...new Set(items)].sort();
}
