import { databaseNameProblem, policyUsername, roleNameProblem, usernameProblem } from '../../lib/contract/names';
import { DATABASE_USER_RESOURCE_TYPE, DatabaseUserProperties } from '../../lib/contract/wire';
import { DatabasePrivilege } from './change';
import { ProvisionError } from './errors';
import { Declaration, Owner } from './state';

/** The event as CDK's provider framework hands it over. It also has a pre-signed URL, so it is never logged. */
export interface Event {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly RequestId: string;
  readonly StackId: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceType: string;
  readonly ResourceProperties: { readonly [name: string]: unknown };
}

/** What an event asks for. */
export interface Request {
  readonly action: 'apply' | 'remove';
  readonly owner: Owner;
  readonly host: string;
  readonly port: number;
  readonly resourceId: string;
  readonly username: string;
  readonly declaration: Declaration;
  readonly physicalId: string;
}

const DATABASE_PRIVILEGES: readonly DatabasePrivilege[] = ['CONNECT'];

/**
 * The door: whatever comes in is checked here, against the same rules as at synth. A value may be known only now, and the
 * template may be another version's.
 */
export function decode(event: Event): Request {
  const action = event.RequestType === 'Delete' ? 'remove' : 'apply';
  if (event.ResourceType !== DATABASE_USER_RESOURCE_TYPE) {
    refuse('resource type', event.ResourceType, 'the provisioner does not know it', 'update the provisioner and the resource to the same version of the library');
  }
  const properties = action === 'remove' ? decodeIdentity(event.ResourceProperties) : decodeProperties(event.ResourceProperties);
  const { ResourceId: resourceId, Host: host, Port: port } = properties.Database;
  if (!/^[0-9]{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65535) {
    refuse('port', port, 'it is not a number from 1 to 65535', 'pass the port of the database');
  }
  const { Username: username, PolicyUsername: spelled } = properties;
  if (action === 'apply') {
    throwProblem(usernameProblem(username));
    if (spelled !== undefined && spelled !== policyUsername(username)) {
      refuse('username', username, 'it became known at deployment only, so that *, ? or $ in it are not escaped in the policies and would reach other users',
        'pass the username as a literal, or without these characters');
    }
  }
  return {
    action,
    owner: { stack: stackWithoutId(event.StackId), stackId: event.StackId, logicalId: event.LogicalResourceId },
    host,
    port: Number(port),
    resourceId,
    username,
    declaration: decodeDeclaration(properties),
    physicalId: action === 'remove' ? event.PhysicalResourceId ?? '' : physicalId(resourceId, username, event.LogicalResourceId),
  };
}

/** Identity of what is managed: another database or another username is another physical resource. ASCII, below CloudFormation's 1 kB. */
function physicalId(resourceId: string, username: string, logicalId: string): string {
  return [resourceId, encodeURIComponent(username), logicalId].join('/');
}

/** arn:aws:cloudformation:eu-west-1:123456789012:stack/name/unique -> up to the name */
function stackWithoutId(stackId: string): string {
  return stackId.split('/').slice(0, 2).join('/');
}

/** Which user it is about. A Delete needs no more, and a property or a rule of another version must not stop it. */
function decodeIdentity({ Database: database, Username: username }: Event['ResourceProperties']): DatabaseUserProperties {
  const { ResourceId: resourceId, Host: host, Port: port } = object('Database', database);
  return {
    Database: {
      ResourceId: text('Database.ResourceId', resourceId),
      Host: text('Database.Host', host),
      Port: text('Database.Port', port),
    },
    Username: text('Username', username),
  };
}

function decodeProperties(properties: Event['ResourceProperties']): DatabaseUserProperties {
  const known = ['ServiceToken', 'ServiceTimeout', 'Database', 'Username', 'PolicyUsername', 'Privileges', 'MemberOf'];
  const { Database: database, PolicyUsername: spelled, Privileges: privileges, MemberOf: memberOf } = exactly('the resource', properties, known);
  exactly('Database', database, ['ResourceId', 'Host', 'Port']);
  return {
    ...decodeIdentity(properties),
    PolicyUsername: spelled === undefined ? undefined : text('PolicyUsername', spelled),
    Privileges: Object.fromEntries(Object.entries(object('Privileges', privileges ?? {})).map(([name, value]) => {
      const { Database: onDatabase } = exactly(`Privileges.${name}`, value, ['Database']);
      return [name, { Database: texts(`Privileges.${name}.Database`, onDatabase ?? []) }];
    })),
    MemberOf: texts('MemberOf', memberOf ?? []),
  };
}

function decodeDeclaration({ Privileges: privileges = {}, MemberOf: memberOf = [] }: DatabaseUserProperties): Declaration {
  memberOf.forEach(role => throwProblem(roleNameProblem(role)));
  return {
    databases: Object.entries(privileges).sort(byFirst).map(([database, { Database: names = [] }]) => {
      throwProblem(databaseNameProblem(database));
      return { database, privileges: distinct(names.map(databasePrivilege)) };
    }),
    memberOf: distinct(memberOf),
  };
}

function databasePrivilege(name: string): DatabasePrivilege {
  return DATABASE_PRIVILEGES.find(privilege => privilege === name)
    ?? refuse('privilege on a database', name, `known are ${DATABASE_PRIVILEGES.join(', ')}`, 'update the provisioner and the resource to the same version of the library');
}

function exactly(where: string, value: unknown, keys: string[]): { [key: string]: unknown } {
  const record = object(where, value);
  const unknown = Object.keys(record).find(key => !keys.includes(key));
  return unknown === undefined
    ? record
    : refuse('property', unknown, `${where} has only ${keys.join(', ')}`, 'remove it, or update the provisioner');
}

function object(where: string, value: unknown): { [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? value as { [key: string]: unknown }
    : refuse(where, value, 'it is not an object', 'pass an object');
}

function text(where: string, value: unknown): string {
  return typeof value === 'string' ? value : refuse(where, value, 'it is not a string', 'pass a string');
}

function texts(where: string, value: unknown): string[] {
  return Array.isArray(value) ? value.map(item => text(where, item)) : refuse(where, value, 'it is not a list', 'pass a list of strings');
}

function refuse(what: string, value: unknown, rule: string, remedy: string): never {
  throw new ProvisionError(`${what} ${JSON.stringify(value) ?? 'that is missing'} is not allowed: ${rule}; ${remedy}`);
}

function throwProblem(problem: string | undefined): void {
  if (problem !== undefined) {
    throw new ProvisionError(problem);
  }
}

function distinct<T extends string>(items: T[]): T[] {
  return [...new Set(items)].sort();
}

function byFirst([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : Number(a > b);
}
