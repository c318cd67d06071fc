import { type Duration, Token } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import type { RoleKind } from './access-model';
import { errorAt } from './errors';
import { isToken } from './token';
import { notList, notText, requireOptions, shown } from './types';
import { connectionLimitProblem, isListParameter, parameterProblem, valueProblem } from '../contract/role-settings';
import type { SettingProperties } from '../contract/wire';
import type { DatabaseUserSettings } from '../user-settings';

/** Parameters that have an option of their own, by that. */
const OPTIONS = {
  searchPath: 'search_path',
  statementTimeout: 'statement_timeout',
  idleInTransactionTimeout: 'idle_in_transaction_session_timeout',
} as const;

const MAX_MILLISECONDS = 2_147_483_647;

/** What is declared of the settings of a user, as it is on the wire; undefined if that is nothing. */
export function settingProperties(
  scope: IConstruct,
  kind: RoleKind,
  options: DatabaseUserSettings,
): SettingProperties | undefined {
  const { connectionLimit, setRoleAtLogin } = options;
  const parameters = parametersOf(scope, options);
  const properties: SettingProperties = {
    ...connectionLimit === undefined ? {} : { ConnectionLimit: limitOf(scope, connectionLimit) },
    ...parameters.length === 0 ? {} : { Parameters: Object.fromEntries(parameters) },
    ...setRoleAtLogin === undefined ? {} : { RoleAtLogin: setRoleAtLogin.roleName },
  };
  if (Object.keys(properties).length === 0) {
    return undefined;
  }
  if (kind === 'role') {
    throw errorAt(
      scope,
      `settings ${Object.keys(properties).join(', ')} are of a group role, and members do not inherit the settings of a group role, `
      + 'which has no sessions of its own; pass them to the users that are its members',
    );
  }
  return properties;
}

/** Sorted by name. */
function parametersOf(scope: IConstruct, options: DatabaseUserSettings): [string, string | string[]][] {
  const { searchPath, statementTimeout, idleInTransactionTimeout, settings = {} } = options;
  requireOptions(scope, 'settings', settings);
  if (Token.isUnresolved(searchPath)) {
    throw errorAt(
      scope,
      'searchPath is a token, and how many schemas it has must be known at synthesis; pass a list, in which a schema may be a token',
    );
  }
  const found = new Map<string, string | string[]>();
  const add = (parameter: string, value: unknown) => {
    refuse(scope, valueTypeProblem(parameter, value));
    const items = [value].flat() as string[];
    refuse(scope, items.some(isToken) ? undefined : valueProblem(parameter, value as string | string[]));
    found.set(parameter, value as string | string[]);
  };
  for (const [name, value] of Object.entries(settings)) {
    const parameter = name.toLowerCase();
    const [option] = Object.entries(OPTIONS).find(([, own]) => own === parameter) ?? [];
    refuse(
      scope,
      option === undefined
        ? parameterProblem(parameter)
        : `parameter ${JSON.stringify(name)} is not allowed in settings: it has an option of its own; pass ${option} instead`,
    );
    if (found.has(parameter)) {
      throw errorAt(
        scope,
        `parameter ${JSON.stringify(name)} is not allowed: it is in settings more than once, and upper case makes no other name; remove the duplicate`,
      );
    }
    add(
      parameter,
      isListParameter(parameter) && typeof value === 'string' ? value.split(',').map(item => item.trim()) : value,
    );
  }
  const timeouts = { statementTimeout, idleInTransactionTimeout };
  for (const [option, timeout] of Object.entries(timeouts) as [keyof typeof timeouts, typeof statementTimeout][]) {
    if (timeout !== undefined) {
      refuse(scope, timeoutProblem(option, timeout));
      add(OPTIONS[option], `${timeout.toMilliseconds()}ms`);
    }
  }
  if (searchPath !== undefined) {
    add(OPTIONS.searchPath, searchPath);
  }
  return [...found].sort(([a], [b]) => a < b ? -1 : 1);
}

function timeoutProblem(option: string, timeout: Duration): string | undefined {
  if (typeof (timeout as Partial<Duration> | null)?.toMilliseconds !== 'function') {
    return `${option} is ${shown(timeout)}, and must be a Duration; pass Duration.seconds(30), or another one`;
  }
  if (timeout.isUnresolved()) {
    return `${option} is a token, and the length of a timeout must be known at synthesis; pass a Duration with a number`;
  }
  return timeout.toMilliseconds() <= MAX_MILLISECONDS
    ? undefined
    : `${option} ${timeout.toHumanString()} is not allowed: PostgreSQL takes at most ${MAX_MILLISECONDS} milliseconds, which are 24 days; shorten it, or pass Duration.millis(0) for no limit`;
}

function valueTypeProblem(parameter: string, value: unknown): string | undefined {
  const what = `the value of parameter ${JSON.stringify(parameter)}`;
  return isListParameter(parameter)
    ? (notList(what, value)
      ?? (value as unknown[])
        .map(item => notText(`an element of parameter ${JSON.stringify(parameter)}`, item))
        .find(problem => problem !== undefined))
    : notText(what, value);
}

function limitOf(scope: IConstruct, limit: number): string {
  if (Token.isUnresolved(limit)) {
    throw errorAt(scope, 'connectionLimit is a token, and must be known at synthesis; pass a number');
  }
  const problem
    = typeof limit === 'number'
      ? connectionLimitProblem(`${limit}`)
      : `connectionLimit is ${shown(limit)}, and must be a number; pass a number`;
  refuse(scope, problem);
  return `${limit}`;
}

function refuse(scope: IConstruct, problem: string | undefined): void {
  if (problem !== undefined) {
    throw errorAt(scope, problem);
  }
}
