import type { IConstruct } from 'constructs';
import type { UserSettings } from './access-report';
import { identifier, visible } from './plain-text';
import { readable } from './text';
import type { DeclaredRole } from '../model/access-model';

/** What is on the wire, for the report. */
export function settingsIn(
  root: IConstruct,
  path: string,
  { ConnectionLimit, RoleAtLogin, Parameters = {} }: NonNullable<DeclaredRole['settings']>,
): UserSettings {
  const text = (value: string) => readable(root, path, value);
  return {
    ...ConnectionLimit === undefined ? {} : { connectionLimit: Number(ConnectionLimit) },
    ...RoleAtLogin === undefined ? {} : { roleAtLogin: text(RoleAtLogin) },
    parameters: Object.entries(Parameters).map(([name, value]) => ({
      name,
      value: typeof value === 'string' ? text(value) : value.map(text),
    })),
  };
}

/** Who its sessions act as, how many there can be, and with which parameters they begin. */
export function settingLines({ connectionLimit, roleAtLogin, parameters }: UserSettings): string[] {
  return [
    ...roleAtLogin === undefined ? [] : [`acts as ${identifier(roleAtLogin)} from its sign-in on`],
    ...(connectionLimit === undefined
      ? []
      : [`${connectionLimit === 1 ? '1 connection' : `${connectionLimit} connections`} at most`]),
    ...parameters.map(
      ({ name, value }) => `${name} = ${typeof value === 'string' ? visible(value) : value.map(identifier).join(', ')}`,
    ),
  ];
}
