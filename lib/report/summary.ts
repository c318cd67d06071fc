import type { IConstruct } from 'constructs';
import type { PrivilegeAccess } from './access-report';
import { signInsOf } from './collect';
import { roleName, sortedBy } from './plain-text';
import { byPlace, commonFuture, placeOf, privilegesIn, privilegeText } from './privilege-lines';
import { settingLines, settingsIn } from './setting-lines';
import { signInText } from './sign-in-text';
import { readable } from './text';
import type { DeclaredRole } from '../model/access-model';
import { expiryText, membershipExpiryText } from '../model/expiry';
import { strongRolesOf } from '../model/strong-memberships';

/** Names that a line about a list of users has; who they all are is in the properties of its resource. */
const NAMES = 10;

/** One line for each user and group role: who may sign in, and what it may do. */
export function accessLines(root: IConstruct, roles: readonly DeclaredRole[]): string[] {
  const lines = roles.flatMap(role => role.names.map(name => ({
    name: readable(root, role.path, name),
    line: `${roleName(readable(root, role.path, name))}: `
      + [...expiry(role), whoSignsIn(role, name), ...privilegeSummary(root, role, 'places')].join('; '),
  })));
  return sortedBy(lines, ({ name }) => name).map(({ line }) => line);
}

/** What a custom resource makes, one fact a line. */
export function factLines(root: IConstruct, role: DeclaredRole): string[] {
  const signIns = role.kind === 'users'
    ? role.names.filter(name => signInsOf(role.database.model, name).length > 0)
        .flatMap(name => facts(role, name).map(fact => `${roleName(name)}: ${fact}`))
    : facts(role, role.names[0]);
  return [...expiry(role), ...signIns, ...privilegeSummary(root, role, 'things')];
}

/** The same in one line. */
export function factLine(root: IConstruct, role: DeclaredRole): string {
  const [first] = role.names;
  const more = role.names.length - NAMES;
  const who = role.kind === 'users'
    ? `${role.names.slice(0, NAMES).map(roleName).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
    : whoSignsIn(role, first);
  return [...expiry(role), who, ...privilegeSummary(root, role, 'places')].join('; ');
}

/** The lines that fit into a number of bytes, and how many do not. */
export function withinBytes(lines: readonly string[], limit: number, more: (count: number) => string): string {
  const bytes = (text: string) => new TextEncoder().encode(text).length;
  const all = lines.join('\n');
  if (bytes(all) <= limit) {
    return all;
  }
  let room = limit - bytes(more(lines.length));
  const kept = lines.slice(0, Math.max(0, lines.findIndex(line => (room -= bytes(`${line}\n`)) < 0)));
  return [...kept, more(lines.length - kept.length)].join('\n');
}

function expiry({ expiresAt }: DeclaredRole): string[] {
  return expiresAt === undefined ? [] : [expiryText(expiresAt)];
}

function whoSignsIn(role: DeclaredRole, name: string): string {
  if (role.kind === 'role') {
    return 'group role';
  }
  const signIns = signInsOf(role.database.model, name);
  return `sign-in by ${signIns.map(access => signInText(access, role.stack)).join(', ') || 'no identity in this app'}`;
}

function facts(role: DeclaredRole, name: string): string[] {
  const signIns = role.kind === 'role' ? [] : signInsOf(role.database.model, name);
  return signIns.length > 0
    ? signIns.map(access => `sign-in by ${signInText(access, role.stack)}`)
    : [whoSignsIn(role, name)];
}

function privilegeSummary(root: IConstruct, role: DeclaredRole, by: 'places' | 'things'): string[] {
  const groups = (role.declared.MemberOf ?? []).map(
    name =>
      `${roleName(readable(root, role.path, name))}${membershipExpiryText(role.membershipEnds.get(name))}${strongText(role, name)}`,
  );
  const settings = role.settings === undefined ? [] : settingLines(settingsIn(root, role.path, role.settings));
  return [
    ...groups.map(group => `member of ${group}`),
    ...settings,
    ...privilegeLines(privilegesIn(role.declared.Privileges ?? {}), by),
  ];
}

function strongText(role: DeclaredRole, group: string): string {
  return strongRolesOf(role, group)
    .map(
      ({ name, members }) =>
        ` (${name === group ? 'strong role' : `leads to the strong role ${name}`}: its members ${members})`,
    )
    .join('');
}

function privilegeLines(privileges: PrivilegeAccess[], by: 'places' | 'things'): string[] {
  if (by === 'things') {
    return privileges.map(privilege => `${placeOf(privilege)}: ${privilegeText(privilege)}`);
  }
  return byPlace(privileges).map(({ place, privileges: inPlace }) => `${place}: ${textOfPlace(inPlace)}`);
}

/** Whose future objects are covered is said once, where it is the same for all. */
function textOfPlace(privileges: PrivilegeAccess[]): string {
  const future = commonFuture(privileges);
  return future === undefined
    ? privileges.map(privilegeText).join(', ')
    : `${privileges.map(privilege => privilegeText({ ...privilege, createdBy: undefined })).join(', ')} (${future})`;
}
