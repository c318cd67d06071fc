import {
  connectionLimitProblem,
  parameterProblem,
  ROLE_AT_LOGIN,
  valueProblem,
} from '../../../lib/contract/role-settings';
import { milliseconds, valueOf } from '../../../lambda/provisioner/core/settings';
import { Findings } from '../findings';
import { textProblem } from './sayable';
import { Subject } from './subjects';

/** Options of a user, as far as it has others than the defaults. */
export interface GeneratedSettings {
  readonly connectionLimit?: number;
  readonly searchPath?: string[];
  /** Milliseconds. */
  readonly statementTimeout?: number;
  /** Milliseconds. */
  readonly idleInTransactionTimeout?: number;
  readonly settings?: { readonly [parameter: string]: string };
  /** Name of the group role. */
  readonly setRoleAtLogin?: string;
}

const TIMEOUTS: { readonly [parameter: string]: 'statementTimeout' | 'idleInTransactionTimeout' } = {
  statement_timeout: 'statementTimeout',
  idle_in_transaction_session_timeout: 'idleInTransactionTimeout',
};

/** @param groups group roles that the user is declared to be a member of */
export function settingsOf(
  { name, kind, observed }: Subject,
  groups: ReadonlySet<string>,
  findings: Findings,
): GeneratedSettings {
  const result: { -readonly [Option in keyof GeneratedSettings]: GeneratedSettings[Option] } = {};
  const others: { [parameter: string]: string } = {};
  const left = (why: string, what: string) => findings.add({ role: name }, why, what);
  const { connectionLimit } = observed;
  const limitProblem
    = connectionLimit < 0 ? undefined : kind === 'role' ? OF_GROUP : connectionLimitProblem(`${connectionLimit}`);
  if (limitProblem !== undefined) {
    left(limitProblem, `connection limit ${connectionLimit}`);
  } else if (connectionLimit >= 0) {
    result.connectionLimit = connectionLimit;
  }
  for (const { database, parameter: spelled, value: stored } of observed.settings) {
    const parameter = spelled.toLowerCase();
    if (stored === null) {
      left(TOO_LONG, parameter);
      continue;
    }
    // A parameter of an extension or of the application may hold a secret, such as a key.
    const isCustom = parameter.includes('.');
    const what = isCustom ? parameter : `${parameter} = ${stored}`;
    const why
      = kind === 'role'
        ? OF_GROUP
        : database !== null
          ? `it is set for database ${JSON.stringify(database)} alone, and a declared setting is for all`
          : isCustom
            ? 'its value may be a secret, and is not read out; declare it by hand if it is none'
            : (otherValueProblem(parameter, stored, observed) ?? problemOf(parameter, stored, groups));
    if (why !== undefined) {
      left(why, what);
    } else if (parameter === ROLE_AT_LOGIN) {
      result.setRoleAtLogin = stored;
    } else if (parameter === 'search_path') {
      result.searchPath = [...valueOf(parameter, stored)];
    } else if (Object.hasOwn(TIMEOUTS, parameter)) {
      result[TIMEOUTS[parameter]] = milliseconds(stored);
    } else {
      const value = valueOf(parameter, stored);
      others[parameter] = typeof value === 'string' ? value : value.join(', ');
    }
  }
  return { ...result, ...Object.keys(others).length === 0 ? {} : { settings: others } };
}

const TOO_LONG = 'its value is longer than what can be declared';
const OF_GROUP = 'a group role has no settings: its members do not inherit them';

function otherValueProblem(parameter: string, stored: string, { settings }: Subject['observed']): string | undefined {
  const other = settings.find(({ database, parameter: spelled, value }) =>
    database !== null && spelled.toLowerCase() === parameter && value !== stored);
  return other && `database ${JSON.stringify(other.database)} has another value, which a deployment would reset`;
}

function problemOf(parameter: string, stored: string, groups: ReadonlySet<string>): string | undefined {
  if (parameter === ROLE_AT_LOGIN) {
    return groups.has(stored)
      ? undefined
      : 'setRoleAtLogin takes a group role that is declared too, and that the user is a member of';
  }
  if (Object.hasOwn(TIMEOUTS, parameter)) {
    return milliseconds(stored) === undefined ? 'it is no whole number of milliseconds' : undefined;
  }
  const value = valueOf(parameter, stored);
  const what = `value of parameter ${JSON.stringify(parameter)}`;
  const isSplit = typeof value !== 'string' && parameter !== 'search_path'
    && value.some(item => item.includes(',') || item !== item.trim());
  return parameterProblem(parameter) ?? valueProblem(parameter, value)
    ?? [value].flat().map(text => textProblem(what, text)).find(problem => problem !== undefined)
    ?? (isSplit ? 'settings separates names with commas' : undefined);
}
