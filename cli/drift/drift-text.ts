import { Comparison, DatabaseDrift, UndeclaredLogin } from './compare-stacks';
import { counted, sqlLines } from '../deployed/change-text';
import { jsonText } from '../json-text';
import { roleName, visible } from '../../lib/report/plain-text';

export const NO_DRIFT = 'All roles are as they are declared.';

const NO_DRIFT_OF_SOME = 'All of those named are as they are declared.';

/** For a terminal. */
export function textOfDrift({ databases, impossible }: Pick<Comparison, 'databases' | 'impossible'>): string {
  return [
    ...databases.flatMap(databaseText),
    ...impossible.map(reason => `Not possible: ${visible(reason)}`),
  ].map(part => `${part}\n`).join('\n');
}

function databaseText({
  stack,
  account,
  region,
  resourceId,
  underWay,
  only,
  driftedRoles,
  resources,
  undeclared,
}: DatabaseDrift): string[] {
  return [
    `Stack ${visible(`${stack} (${account}, ${region})`)}${resourceId === undefined ? '' : `, database ${visible(resourceId)}`}`,
    ...underWay === undefined
      ? []
      : [
          `A deployment is under way (${visible(underWay)}): some differences may be what it has not done yet.`,
        ],
    ...resources.map(({ name, logicalId, names, changes, problem }) => [
      `${visible(name)}${name === logicalId ? '' : ` (${visible(logicalId)})`}: ${names.map(roleName).join(', ')}`,
      ...[...sqlLines(changes, []), ...(problem === undefined ? [] : [`-- not compared: ${visible(problem)}`])].map(
        line => `  ${line}`,
      ),
    ].join('\n')),
    driftedRoles === 0
      ? only
        ? NO_DRIFT_OF_SOME
        : NO_DRIFT
      : `${counted(driftedRoles, 'role')} ${driftedRoles === 1 ? 'is' : 'are'} not as declared. The next deployment that touches a user executes its statements.`,
    ...undeclared ? [undeclaredText(undeclared)] : [],
  ];
}

function undeclaredText(logins: UndeclaredLogin[]): string {
  return logins.length === 0
    ? 'There is no login that no stack declares.'
    : [
        'Logins that no stack declares:',
        ...logins.map(login => `  ${roleName(login.role)}: ${factsOf(login).join(', ')}`),
      ].join('\n');
}

function factsOf({ canLogin, withToken, isSuperuser, createsRoles, validUntil, expected }: UndeclaredLogin): string[] {
  return [
    signInOf(canLogin, withToken),
    ...isSuperuser ? ['superuser'] : [],
    ...createsRoles ? ['creates roles'] : [],
    ...validUntil === null ? [] : [`password valid until ${visible(validUntil)}`],
    ...expected === undefined
      ? []
      : [
          expected === 'admin' ? 'the admin of the provisioner' : expected === 'given' ? 'expected' : `of ${expected}`,
        ],
  ];
}

function signInOf(canLogin: boolean, withToken: boolean | null): string {
  switch (withToken) {
    case true: return canLogin ? 'signs in with a token' : 'member of rds_iam without login';
    case false: return 'signs in with a password, if it has one';
    case null:
      return 'signs in with a password, if it has one, or with a token: it has the ADMIN option alone on rds_iam or on a member of it';
  }
}

/** For an auditor. */
export function jsonOfDrift(
  { databases, impossible }: Pick<Comparison, 'databases' | 'impossible'>,
  date: Date,
): string {
  return `${jsonText({ date: date.toISOString(), databases, impossible })}\n`;
}
