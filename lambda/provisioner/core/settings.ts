import { isDeepStrictEqual } from 'node:util';
import { roleNameProblem } from '../../../lib/contract/names';
import {
  connectionLimitProblem,
  isListParameter,
  parameterProblem,
  ROLE_AT_LOGIN,
  storedParameterProblem,
  valueProblem,
} from '../../../lib/contract/role-settings';
import type { SettingProperties } from '../../../lib/contract/wire';
import { entries, exactly, object, refuse, text, texts, throwProblem } from '../../shared/decode';
import type { Change, ChangeOf } from './change';
import type { ObservedRole, Wanted } from './plan-shared';
import type { ParameterValue, RoleKind, RoleSettings } from './state';

/** As the catalog has it. */
export const NO_LIMIT = -1;

type SettingChange = ChangeOf<'setParameter' | 'limitConnections'>;

/**
 * Decodes the settings of a user, declared or stored. Which parameters may be declared is for `checkSettings`: that
 * list grows.
 */
export function decodeSettings(kind: RoleKind, memberOf: string[], value: unknown): RoleSettings | undefined {
  if (value === undefined) {
    return undefined;
  }
  if (kind === 'role') {
    return refuse(
      'Settings',
      value,
      'members do not inherit the settings of a group role, which has no sessions of its own',
      'declare them on its members',
    );
  }
  const {
    ConnectionLimit: limit,
    Parameters,
    RoleAtLogin: role,
  } = exactly('Settings', value, ['ConnectionLimit', 'Parameters', 'RoleAtLogin']);
  const parameters = entries('Settings.Parameters', Parameters ?? {}).map(([parameter, declared]) => {
    throwProblem(storedParameterProblem(parameter));
    const where = `Settings.Parameters.${parameter}`;
    const decoded = isListParameter(parameter) ? texts(where, declared) : text(where, declared);
    throwProblem(valueProblem(parameter, decoded));
    return { parameter, value: decoded };
  });
  if (limit !== undefined) {
    throwProblem(connectionLimitProblem(text('Settings.ConnectionLimit', limit)));
  }
  if (role !== undefined) {
    throwProblem(roleNameProblem(text('Settings.RoleAtLogin', role)));
    if (!memberOf.includes(role as string)) {
      refuse('Settings.RoleAtLogin', role, 'the user is not a member of it', 'add it to MemberOf');
    }
  }
  return {
    ...limit === undefined ? {} : { connectionLimit: Number(limit) },
    parameters: [...parameters, ...role === undefined ? [] : [{ parameter: ROLE_AT_LOGIN, value: role as string }]],
  };
}

/**
 * Refuses the parameters that are refused at synthesis. The role at login is among them, and has a property of its own.
 */
export function checkSettings(value: unknown): void {
  if (value !== undefined) {
    Object.keys(object('Settings.Parameters', object('Settings', value).Parameters ?? {})).forEach(parameter =>
      throwProblem(parameterProblem(parameter)),
    );
  }
}

/** The inverse of `decodeSettings`. */
export function encodeSettings(settings: RoleSettings): SettingProperties {
  const { connectionLimit, parameters } = settings;
  const others = parameters.filter(({ parameter }) => parameter !== ROLE_AT_LOGIN);
  const role = roleAtLogin(settings);
  return {
    ...connectionLimit === undefined ? {} : { ConnectionLimit: String(connectionLimit) },
    ...(others.length === 0
      ? {}
      : {
          Parameters: Object.fromEntries(others.map(({ parameter, value }) => [parameter, value as string | string[]])),
        }),
    ...role === undefined ? {} : { RoleAtLogin: role },
  };
}

export function roleAtLogin({ parameters }: RoleSettings): string | undefined {
  return parameters.find(({ parameter }) => parameter === ROLE_AT_LOGIN)?.value as string | undefined;
}

/**
 * What is declared is set, whatever else is stored for the role; a value for one database counts more than that for
 * all, and is reset where it differs. What was declared before and is not any more is reset. Other parameters are left
 * alone.
 */
export function planSettings(
  { role, declaration, previous }: Pick<Wanted, 'role' | 'declaration' | 'previous'>,
  observed: ObservedRole,
): { resets: Change[]; sets: Change[] } {
  const { connectionLimit, parameters } = declaration.settings ?? NONE;
  const before = previous.map(({ settings = NONE }) => settings);
  const stored = observed.settings.map(row => ({ ...row, parameter: row.parameter.toLowerCase() }));
  const declared = (name: string) => parameters.find(({ parameter }) => parameter === name);
  const wasDeclared = (name: string) =>
    before.some(earlier => earlier.parameters.some(({ parameter }) => parameter === name));
  const limit
    = connectionLimit
      ?? (before.some(earlier => earlier.connectionLimit !== undefined) ? NO_LIMIT : observed.connectionLimit);
  const limits: Change[]
    = limit === observed.connectionLimit
      ? []
      : [{ kind: 'limitConnections', role, limit, was: observed.connectionLimit }];
  return {
    resets: [
      ...stored.flatMap(({ database, parameter, value }): Change[] => {
        const one = declared(parameter);
        const isSurplus
          = database === null ? one === undefined && wasDeclared(parameter) : one !== undefined && !isSame(one, value);
        return isSurplus
          ? [
              {
                kind: 'setParameter',
                role,
                ...(database === null ? {} : { database }),
                parameter,
                ...valueBefore(parameter, value),
              },
            ]
          : [];
      }),
      ...limit === NO_LIMIT ? limits : [],
    ],
    sets: [
      ...parameters.flatMap((one): Change[] => {
        const { parameter, value } = one;
        const now = stored.find(row => row.database === null && row.parameter === parameter);
        return now !== undefined && isSame(one, now.value)
          ? []
          : [{ kind: 'setParameter', role, parameter, value, ...valueBefore(parameter, now?.value) }];
      }),
      ...limit === NO_LIMIT ? [] : limits,
    ],
  };
}

const NONE: RoleSettings = { parameters: [] };

/** Takes back what a declaration has set. */
export function isReset(change: Change): boolean {
  return (
    (change.kind === 'setParameter' && change.value === undefined)
    || (change.kind === 'limitConnections' && change.limit === NO_LIMIT)
  );
}

/** Whether settings have what a change sets. */
export function declares({ connectionLimit, parameters }: RoleSettings, change: SettingChange): boolean {
  return change.kind === 'limitConnections'
    ? connectionLimit === change.limit
    : parameters.some(
        ({ parameter, value }) => parameter === change.parameter && isDeepStrictEqual(value, change.value),
      );
}

/** A role as a change would leave it. */
export function withSetting(role: ObservedRole, change: SettingChange): ObservedRole {
  if (change.kind === 'limitConnections') {
    return { ...role, connectionLimit: change.limit };
  }
  const { database = null, parameter, value } = change;
  const others = role.settings.filter(row => row.database !== database || row.parameter.toLowerCase() !== parameter);
  return {
    ...role,
    settings: value === undefined ? others : [...others, { database, parameter, value: stored(value) }],
  };
}

/** None comes back that is too long to be read. */
function valueBefore(parameter: string, stored: string | null = null): Pick<ChangeOf<'setParameter'>, 'was'> {
  return stored === null ? {} : { was: valueOf(parameter, stored) };
}

function isSame({ parameter, value }: RoleSettings['parameters'][number], stored: string | null): boolean {
  return (
    stored !== null
    && (isDeepStrictEqual(value, valueOf(parameter, stored))
      || (TIMEOUTS.includes(parameter) && isSameTime(value, stored)))
  );
}

/** The parameters that have an option of their own which is a time: by hand they are set in any unit. */
const TIMEOUTS = ['statement_timeout', 'idle_in_transaction_session_timeout'];

const UNITS: { readonly [unit: string]: number } = {
  us: 0.001,
  ms: 1,
  s: 1_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

function isSameTime(value: ParameterValue, stored: string): boolean {
  const time = milliseconds(stored);
  return time !== undefined && typeof value === 'string' && milliseconds(value) === time;
}

/**
 * A time as PostgreSQL takes it, in decimal digits; undefined if it is anything else.
 *
 * @see https://www.postgresql.org/docs/current/config-setting.html
 */
export function milliseconds(text: string): number | undefined {
  const [, number, unit = 'ms'] = /^ *(0|[1-9]\d{0,15}) *(us|ms|s|min|h|d)? *$/.exec(text) ?? [];
  const time = number === undefined ? NaN : Number(number) * UNITS[unit];
  return Number.isInteger(time) ? time : undefined;
}

/** PostgreSQL stores the elements of a list as identifiers, in quotes where they need them. */
export function valueOf(parameter: string, stored: string): ParameterValue {
  return isListParameter(parameter)
    ? [...stored.matchAll(/"((?:[^"]|"")*)"|[^\s,"]+/g)].map(
        ([word, quoted]) => quoted?.replaceAll('""', '"') ?? word.toLowerCase(),
      )
    : stored;
}

function stored(value: ParameterValue): string {
  return typeof value === 'string' ? value : value.map(element => `"${element.replaceAll('"', '""')}"`).join(', ');
}
