import { applyEach, applyWhatCan, Failure } from './best-effort';
import { Change, describe, merged, rolesOf } from './change';
import { heldBy } from './database-error';
import { endSessionsOf } from './end-sessions';
import { ProvisionError } from './errors';
import { readShared } from './inspect';
import { RoleRemoval } from './lifecycle';
import { FIXED_DATABASE } from './lock';
import { forbidLogin, ObservedRole, planEndOfMembers, planEndOfTokens } from './plan';
import { Row } from './session';
import { GROUPS_OF_RDS_IAM } from './sql/catalog';
import { identifier } from './sql/quote';
import { membersOf } from './sql/sessions';
import { RoleKind } from './state';
import { Transaction } from './transaction';
import { inShared, Work } from './work';

/** How long a login is tried to be ended that another session keeps, by a change to the same role in a transaction that it leaves open. */
const END_OF_LOGIN_MS = 10_000;
const LOCK_MS = 1_000;

const BLOCKED = '55P03';

/** The admin has no right to take it back, or it is gone, or another session is in the way: what else ends access is done even so. */
const NOT_TAKEN_BACK = [BLOCKED, '01006', '01007', '0LP01', '2BP01', '42501', '42704'];

const NAMES_LOGGED = 10;

/**
 * Ends the access of roles that go, before anything else becomes of them. First their tokens are not accepted any more, then they have no login: each is
 * committed by itself, whatever becomes of the other. Then their members lose what they had through them, and then all their sessions end. A user can
 * keep its own row of the catalog locked, but not for longer than its session, and not its membership in rds_iam.
 *
 * @throws if a login or a session is left
 */
export async function endAccess(work: Work, roles: RoleRemoval[], kind: RoleKind): Promise<void> {
  const { admin } = work.lock.server;
  if (roles.some(({ username }) => username === admin)) {
    throw new ProvisionError(`cannot remove ${JSON.stringify(admin)}: it is the admin; remove its row from cdk_aurora_iam_auth.managed_role in database postgres`);
  }
  const oids = roles.map(({ claim }) => claim.roleOid);
  const options = { lockMs: LOCK_MS, endBlockersAmong: oids };
  const until = work.budget.elapsed() + END_OF_LOGIN_MS;
  const isLate = () => work.budget.elapsed() > until;
  const members = new Set(await inShared(work, transaction => endTokens(work, transaction, roles, kind, isLate), options));
  let failures = await inShared(work, transaction => endLogins(transaction, roles, isLate), options);
  for (let round = 1; ; round++) {
    (await inShared(work, transaction => endMemberships(work, transaction, roles, kind, isLate), options)).forEach(oid => members.add(oid));
    const sessionsLeft = await endSessionsOf(work, { removed: oids, members: [...members] });
    const { logins, members: again } = await inShared(work, transaction => look(transaction, roles, kind));
    if (sessionsLeft === undefined && logins.length === 0 && (again.length === 0 || round > 1)) {
      break;
    }
    const isBlocked = failures.some(({ error }) => error.sqlState === BLOCKED);
    if (sessionsLeft !== undefined || (logins.length > 0 && (!isBlocked || isLate()))) {
      throw new ProvisionError([...logins.length > 0 ? [loginLeft(logins, failures, admin)] : [], sessionsLeft ?? []].flat().join('. And '));
    }
    // The session that was in the way has ended by now; and a member that acted as the role may have become one again.
    failures = await inShared(work, transaction => endLogins(transaction, roles, isLate), options);
  }
  work.log.info('access ended', {
    names: roles.slice(0, NAMES_LOGGED).map(({ username }) => username).join(', '),
    count: roles.length,
    note: 'sessions at reader endpoints and read replicas are not seen from the writer, and go on until they end by themselves',
  });
}

/** @returns oids of the roles that could act as one of them until now, whose sessions may do so still */
async function endTokens(
  work: Work, transaction: Transaction, roles: RoleRemoval[], kind: RoleKind, isLate: () => boolean,
): Promise<string[]> {
  const [groups, members] = await lookAtMembers(transaction, roles, GROUPS_OF_RDS_IAM);
  const groupsOfRdsIam = new Set(groups.map(({ name }) => name as string));
  const changes = (await observe(transaction, roles)).flatMap(role => planEndOfTokens(role, groupsOfRdsIam));
  await applyWhatCan(work, transaction, merged(changes), 'not taken back', NOT_TAKEN_BACK, isLate);
  return oidsOfUsers(members, kind);
}

async function endLogins(transaction: Transaction, roles: RoleRemoval[], isLate: () => boolean): Promise<Failure[]> {
  return applyEach(transaction, (await observe(transaction, roles)).flatMap(forbidLogin), NOT_TAKEN_BACK, isLate);
}

/** @returns oids of members, which may have become so while an open session of the role could still grant it */
async function endMemberships(
  work: Work, transaction: Transaction, roles: RoleRemoval[], kind: RoleKind, isLate: () => boolean,
): Promise<string[]> {
  const [members] = await lookAtMembers(transaction, roles);
  const changes = (await observe(transaction, roles)).flatMap(role => planEndOfMembers(kind, role));
  await applyWhatCan(work, transaction, merged(changes), 'not taken back', NOT_TAKEN_BACK, isLate);
  return oidsOfUsers(members, kind);
}

/** @returns rows of other statements, and of the members */
function lookAtMembers(transaction: Transaction, roles: RoleRemoval[], ...others: string[]): Promise<Row[][]> {
  const attempt = { attempted: `look who is a member of ${roles.length === 1 ? JSON.stringify(roles[0].username) : 'the roles'}` };
  return transaction.read(attempt, ...others, membersOf(roles.map(({ claim }) => claim.roleOid)));
}

/** Members of a group role keep their sessions: what they have of their own does not end. */
function oidsOfUsers(members: Row[], kind: RoleKind): string[] {
  return kind === 'user' ? members.map(({ oid }) => oid as string) : [];
}

/** What is left of logins and members. */
async function look(transaction: Transaction, roles: RoleRemoval[], kind: RoleKind): Promise<{ logins: ObservedRole[]; members: Change[] }> {
  const observed = await observe(transaction, roles);
  return { logins: observed.filter(({ canLogin }) => canLogin), members: observed.flatMap(role => planEndOfMembers(kind, role)) };
}

async function observe(transaction: Transaction, roles: RoleRemoval[]): Promise<ObservedRole[]> {
  return [...(await readShared(transaction, roles.map(({ username }) => username))).roles.values()];
}

function loginLeft(roles: ObservedRole[], failures: Failure[], admin: string): string {
  const [{ role, memberships }] = roles;
  const failure = failures.find(({ change }) => rolesOf(change).includes(role));
  const others = roles.length === 1 ? '' : ` and of ${roles.length - 1} more`;
  const hasTokens = memberships.some(({ group, effective }) => group === 'rds_iam' && effective);
  const isBlocked = failure?.error.sqlState === BLOCKED;
  const what = failure ? describe(failure.change, FIXED_DATABASE) : `end the login of ${JSON.stringify(role)}`;
  const why = failure ? `: ${failure.error.message} (SQLSTATE ${failure.error.sqlState})${heldBy(failure.error)}` : '';
  return `cannot ${what}${others}${why}; `
    + (hasTokens ? 'its tokens may be accepted as before; ' : 'its tokens are not accepted any more, but a password that it has set itself may still work; ')
    + (isBlocked
      ? 'end the session that holds it, or roll the prepared transaction back as that role, and delete again'
      : 'the admin needs ADMIN OPTION on the role, which no role has on those made before an upgrade from PostgreSQL 15: let a superuser or rds_superuser run '
        + `GRANT ${identifier(role)} TO ${identifier(admin)} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE, and delete again`);
}
