/**
 * The rules for names that both synth and deploy check. A check returns the whole
 * message (value, rule, remedy), or undefined when the name is fine.
 */
import type { COLUMN, ObjectWord } from './object-kinds';

/** PostgreSQL keeps 63 bytes of an identifier (NAMEDATALEN - 1) and cuts the rest with no more than a notice. */
const MAX_BYTES = 63;

interface Rule {
  readonly breaks: (name: string) => boolean;
  readonly rule: string;
  readonly remedy: string;
}

const EMPTY: Rule = {
  breaks: name => name.length === 0,
  rule: 'it is empty',
  remedy: 'give it 1 to 63 bytes',
};

const TOO_LONG: Rule = {
  breaks: name => byteLength(name) > MAX_BYTES,
  rule: `it is longer than the ${MAX_BYTES} bytes of UTF-8 that PostgreSQL keeps of a name`,
  remedy: 'shorten it',
};

const NOT_STORED: Rule[] = [
  {
    breaks: name => name.includes('\0'),
    rule: 'it contains the character U+0000, which PostgreSQL cannot store',
    remedy: 'remove it',
  },
  {
    breaks: name => /\p{Surrogate}/u.test(name),
    rule: 'it contains half of a surrogate pair, which is no character of UTF-8',
    remedy: 'remove it',
  },
];

/** Whether PostgreSQL can have a name, whatever else is wrong with it. */
export function isStorable(name: string): boolean {
  return !NOT_STORED.some(({ breaks }) => breaks(name));
}

/** Keys that CloudFormation or JavaScript takes for something else. */
const KEY_WORD = /^(Ref|Fn::.*|__proto__)$/;

/** @param kind what has the name that becomes a key of the template, as in "schema" */
export function templateKeyProblem(kind: string, name: string): string | undefined {
  return KEY_WORD.test(name)
    ? `${kind} name ${JSON.stringify(name)} is not allowed: as a key of the template it would be taken for a key word; rename it`
    : undefined;
}

/** Names that no new role may have. */
const RESERVED_RULES: Rule[] = [
  {
    breaks: name => name.startsWith('pg_'),
    rule: 'PostgreSQL reserves names that begin with pg_',
    remedy: 'choose another name',
  },
  {
    breaks: name => name.startsWith('rds'),
    rule: 'RDS reserves names that begin with rds',
    remedy: 'choose another name',
  },
  {
    breaks: name => name === 'public' || name === 'none',
    rule: 'it is a key word of PostgreSQL where a role is named',
    remedy: 'name one user instead',
  },
  {
    breaks: name => name.startsWith('cdk_aurora_iam_auth'),
    rule: 'this library uses names that begin with cdk_aurora_iam_auth',
    remedy: 'choose another name',
  },
];

const USERNAME_RULES: Rule[] = [
  EMPTY,
  TOO_LONG,
  {
    // C0, DEL and C1
    // eslint-disable-next-line no-control-regex
    breaks: name => /[\u0000-\u001f\u007f-\u009f]/.test(name),
    rule: 'it contains a control character',
    remedy: 'use printable characters only',
  },
  {
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (characters of a policy)
    breaks: name => /[^\u0000-\u00ff]/.test(name), // eslint-disable-line no-control-regex
    rule: 'it contains a character above U+00FF, which an IAM policy cannot carry',
    remedy: 'use characters up to U+00FF',
  },
  {
    // In IAM a * matches / and : too, so that another statement's dbuser:*/name would reach this user.
    breaks: name => /[/:]/.test(name),
    rule: 'it contains / or :, which separate the parts of the rds-db:connect resource',
    remedy: 'use another separator, such as . or -',
  },
  ...RESERVED_RULES,
];

const ROLE_RULES: Rule[] = [
  EMPTY,
  TOO_LONG,
  ...NOT_STORED,
  {
    breaks: name => name === 'rds_iam',
    rule: 'every user of this library is a member of it already',
    remedy: 'leave it out',
  },
  {
    breaks: name => name === 'public' || name === 'none',
    rule: 'it is a key word of PostgreSQL where a role is named',
    remedy: 'name one role instead',
  },
];

const DATABASE_RULES: Rule[] = [EMPTY, TOO_LONG, ...NOT_STORED];

const SCHEMA_RULES: Rule[] = [
  EMPTY,
  TOO_LONG,
  ...NOT_STORED,
  {
    breaks: name => name.startsWith('pg_') || name === 'information_schema',
    rule: "it is a schema of the system, whose privileges are PostgreSQL's own",
    remedy: 'name a schema of your data, or use a predefined role such as pg_monitor',
  },
  {
    breaks: name => ['cdk_aurora_iam_auth', 'cdk_aurora_iam_auth_lock'].includes(name),
    rule: 'this library keeps its registry and its lock there, which are the admin\'s alone',
    remedy: 'name another schema',
  },
];

const OBJECT_RULES: Rule[] = [
  EMPTY,
  TOO_LONG,
  ...NOT_STORED,
  {
    breaks: name => name === '*',
    rule: 'it stands for all objects of the schema, so that one of this name cannot be told apart',
    remedy: 'leave the names out to mean all of them',
  },
];

const COLUMN_RULES: Rule[] = [
  EMPTY,
  TOO_LONG,
  ...NOT_STORED,
  {
    breaks: name => name === '*',
    rule: 'it would stand for all columns of the table',
    remedy: 'grant on the table itself (Privileges.onTables)',
  },
];

/** Of a role that this library creates. */
const MANAGED_ROLE_RULES: Rule[] = [
  EMPTY,
  TOO_LONG,
  ...NOT_STORED,
  ...RESERVED_RULES,
];

/**
 * @param username name of a PostgreSQL role that signs in with IAM
 * @param admin the admin's username where it is known
 */
export function usernameProblem(username: string, admin?: string): string | undefined {
  return problem('username', username, [
    ...USERNAME_RULES,
    {
      breaks: name => name === admin,
      rule: 'it is the admin of the database, which is to stay as it is',
      remedy: 'create a user of another name',
    },
  ]);
}

/** @param role name of a role to be a member of */
export function roleNameProblem(role: string): string | undefined {
  return problem('role name', role, ROLE_RULES);
}

/**
 * @param role name of a group role that is to be created
 * @param admin the admin's username where it is known
 */
export function managedRoleNameProblem(role: string, admin?: string): string | undefined {
  return problem('role name', role, [
    ...MANAGED_ROLE_RULES,
    {
      breaks: name => name === admin,
      rule: 'it is the admin of the database',
      remedy: 'create a role of another name',
    },
  ]);
}

/** @param role name of the group role that is to own what the provisioner keeps in the database */
export function registryOwnerProblem(role: string): string | undefined {
  return problem('registryOwner', role, MANAGED_ROLE_RULES);
}

export function databaseNameProblem(database: string): string | undefined {
  return problem('database name', database, DATABASE_RULES);
}

export function schemaNameProblem(schema: string): string | undefined {
  return problem('schema name', schema, SCHEMA_RULES);
}

/** @param kind what it is, as in "table" */
export function objectNameProblem(kind: ObjectWord | typeof COLUMN.word, name: string): string | undefined {
  return problem(`${kind} name`, name, kind === 'column' ? COLUMN_RULES : OBJECT_RULES);
}

/**
 * The username as the resource of an rds-db:connect statement spells it: `*`, `?` and `$` stand for themselves.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
export function policyUsername(username: string): string {
  return username.replace(/[*?$]/g, character => `\${${character}}`);
}

function problem(kind: string, name: string, rules: Rule[]): string | undefined {
  const broken = rules.find(({ breaks }) => breaks(name));
  return broken && `${kind} ${JSON.stringify(name)} is not allowed: ${broken.rule}; ${broken.remedy}`;
}

const UTF_8 = new TextEncoder();

function byteLength(text: string): number {
  return UTF_8.encode(text).length;
}
