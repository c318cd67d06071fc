/**
 * The rules for the settings of users that both synth and deploy check. A check returns the whole message (value, rule,
 * remedy), or undefined where nothing is wrong.
 *
 * @see https://www.postgresql.org/docs/current/runtime-config.html
 */

/** The parameter that SET ROLE sets. It has a property of its own. */
export const ROLE_AT_LOGIN = 'role';

/** Parameters whose value PostgreSQL stores element by element, each in quotes where it needs them. */
export const LIST_PARAMETERS = ['search_path', 'temp_tablespaces'];

/**
 * As PostgreSQL spells the names of parameters; those of extensions have two parts. In lower case: names are not
 * case-sensitive.
 */
const NAME = /^[a-z_][a-z0-9_$]*(\.[a-z_][a-z0-9_$]*)?$/;
const MAX_NAME_LENGTH = 63;
const MAX_VALUE_LENGTH = 1_000;
const MAX_INTEGER = 2_147_483_647;

interface Refusal {
  readonly names: RegExp;
  readonly rule: string;
  readonly remedy: string;
}

const OF_IDENTITY: Refusal = {
  names: /^(role|session_authorization|is_superuser)$/,
  rule: 'it changes who the session is',
  remedy: 'leave it out; to act as a group role, pass setRoleAtLogin',
};

/** The closed list of what is refused. Each major has a test with its own parameters. */
const REFUSED: Refusal[] = [
  OF_IDENTITY,
  {
    names: /^(local|session)_preload_libraries$/,
    rule: 'it loads code into the session',
    remedy: 'leave it out',
  },
  {
    names: /^transaction_(deferrable|isolation|read_only)$/,
    rule: 'it is of one transaction, and not of a session',
    remedy: 'set the parameter that has default_ in front of it',
  },
  {
    names: /^(sort_mem|vacuum_mem)$/,
    rule: 'it is a former name, and PostgreSQL stores another one',
    remedy: 'use work_mem or maintenance_work_mem',
  },
  {
    // pg_settings has context superuser or superuser-backend for them, but log_parameter_max_length_on_error.
    names: new RegExp(
      `^(${[
        'allow_(in_place_tablespaces|system_table_mods)',
        'backtrace_functions',
        'commit_delay',
        'compute_query_id',
        'deadlock_timeout',
        'debug_discard_caches',
        'dynamic_library_path',
        'event_triggers',
        'extension_control_path',
        'ignore_checksum_failure',
        'jit_(debugging_support|dump_bitcode|profiling_support)',
        'lc_messages',
        'lo_compat_privileges',
        'log_.*',
        'max_stack_depth',
        'pgaudit\\..*',
        'session_replication_role',
        'temp_file_limit',
        'track_.*',
        'update_process_title',
        'wal_(compression|consistency_checking|init_zero|recycle)',
        'zero_damaged_pages',
      ].join('|')})$`,
    ),
    rule: 'it changes what a session may do or what is recorded of it, and PostgreSQL leaves it to superusers',
    remedy: 'leave it out, or set it in the parameter group of the database',
  },
];

export function isListParameter(parameter: string): boolean {
  return LIST_PARAMETERS.includes(parameter);
}

/** @param parameter name of a configuration parameter, in lower case */
export function parameterProblem(parameter: string): string | undefined {
  return refusal(REFUSED, parameter) ?? storedParameterProblem(parameter);
}

/** The same of a declaration that is stored: it may have a parameter that is refused only since. */
export function storedParameterProblem(parameter: string): string | undefined {
  return refusal([OF_IDENTITY], parameter) ?? nameProblem(parameter);
}

function refusal(list: Refusal[], parameter: string): string | undefined {
  const refused = list.find(({ names }) => names.test(parameter));
  return refused && notAllowed('parameter', parameter, refused.rule, refused.remedy);
}

function nameProblem(parameter: string): string | undefined {
  return NAME.test(parameter) && parameter.length <= MAX_NAME_LENGTH
    ? undefined
    : notAllowed(
        'parameter',
        parameter,
        `the name of a parameter has letters, digits, _ and $, one dot at most, and ${MAX_NAME_LENGTH} characters at most`,
        'correct it',
      );
}

/** @param value a list for those of `LIST_PARAMETERS` */
export function valueProblem(parameter: string, value: string | readonly string[]): string | undefined {
  const what = `value of parameter ${JSON.stringify(parameter)}`;
  if (typeof value !== 'string') {
    return value.length === 0
      ? notAllowed(what, value, 'it is empty', 'name at least one, or leave the parameter out')
      : (value.map(item => textProblem(what, item, 1, MAX_NAME_LENGTH)).find(problem => problem !== undefined)
        ?? textProblem(what, value.join(', '), 0, MAX_VALUE_LENGTH));
  }
  return textProblem(what, value, 0, MAX_VALUE_LENGTH);
}

/** @param limit as on the wire */
export function connectionLimitProblem(limit: string): string | undefined {
  return /^[1-9][0-9]{0,9}$/.test(limit) && Number(limit) <= MAX_INTEGER
    ? undefined
    : notAllowed(
        'connection limit',
        limit,
        `it is not a whole number from 1 to ${MAX_INTEGER}`,
        'correct it, or leave it out for no limit',
      );
}

function textProblem(what: string, text: string, min: number, max: number): string | undefined {
  const { length } = new TextEncoder().encode(text);
  if (/[\u0000-\u001f\u007f-\u009f]/.test(text)) { // eslint-disable-line no-control-regex
    return notAllowed(what, text, 'it contains a control character', 'use printable characters only');
  }
  if (/\p{Surrogate}/u.test(text)) {
    return notAllowed(what, text, 'it contains half of a surrogate pair, which is no character of UTF-8', 'remove it');
  }
  return length >= min && length <= max
    ? undefined
    : notAllowed(what, text, `it has not ${min} to ${max} bytes of UTF-8`, 'correct it');
}

function notAllowed(what: string, value: unknown, rule: string, remedy: string): string {
  return `${what} ${JSON.stringify(value)} is not allowed: ${rule}; ${remedy}`;
}
