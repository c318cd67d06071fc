import { randomBytes } from 'node:crypto';
import { Answers } from './answers';
import { Database, Rows, said } from './database';
import type { SignInAnswer } from './sign-in';
import { Deployment } from './stack';

/** Between an event of a stack and the signature of what CloudFormation sends for it. */
const LONGEST_SENDING_S = 30;

/** Controls: who may sign in does, and who may not does not. Without them no refusal says anything. */
export async function canAsk(answers: Answers, database: Database, { id }: Deployment): Promise<boolean> {
  const master = await database.asMaster('SELECT version()');
  answers.fact('the master signs in with its password', said(master));
  const table = await database.asRole('Migrator', 'migrator', 'CREATE TABLE IF NOT EXISTS t (id int)');
  const insert = await database.asRole('Orders', 'orders', 'INSERT INTO t VALUES (1)');
  const strangers = [await database.asRole('Stranger', 'orders'), await database.asRole('Orders', 'migrator')];
  const partition = id.split(':')[1];
  const signsIn = ![table, insert].some(isRefused);
  answers.answer('rds-db-partitions', partition === 'aws' ? 'not decided' : signsIn, `${partition}: ${said(insert)}`);
  answers.fact('migrator creates a table', said(table));
  answers.fact('orders writes to it', said(insert));
  answers.fact('roles without a grant', strangers.map(said));
  return signsIn && strangers.every(isRefused);
}

export async function askCatalog(answers: Answers, database: Database): Promise<void> {
  const memberships = await rowsOf(database.asMaster(MEMBERSHIPS));
  const ofMaster = memberships.filter(({ member, master }) => member === master);
  const rdsIam = ofMaster.find(({ role, admin }) => role === 'rds_iam' && admin === true);
  answers.answer(
    'master-grants-rds-iam',
    rdsIam === undefined,
    rdsIam
      ? JSON.stringify(rdsIam)
      : `memberships of the master: ${JSON.stringify(ofMaster.map(({ role }) => role))}`,
  );
  const users = ofMaster.filter(({ role }) => ['migrator', 'orders'].includes(role as string));
  answers.answer('creator-membership', users.length > 0, JSON.stringify(users));
  const grantors = memberships
    .filter(({ role, member }) => role === 'rds_iam' && ['migrator', 'orders'].includes(member as string))
    .map(({ grantor }) => grantor as string);
  answers.answer(
    'rds-iam-grantor',
    grantors.every(grantor => grantor === 'rdsadmin'),
    [...new Set(grantors)].join(', '),
  );
  const owners = await rowsOf(database.asMaster(OWNERS));
  const expected = owners.every(
    ({ what, owner, master }) => owner === (what === 'schema public' ? 'pg_database_owner' : master),
  );
  answers.answer(
    'database-owners',
    expected,
    owners.map(({ what, owner }) => `${what as string}: ${owner as string}`).join(', '),
  );
}

export async function askPolicies(answers: Answers, database: Database): Promise<void> {
  const odd = await database.asRole('Odd', 'odd*$1');
  const similar = await database.asRole('Odd', 'oddx$1');
  answers.answer(
    'escaped-username',
    !isRefused(odd) && isRefused(similar),
    `odd*$1: ${said(odd)}; oddx$1: ${said(similar)}`,
  );
  const [tagged, other] = [await database.asRole('Tagged', 'orders'), await database.asRole('Tagged', 'migrator')];
  answers.answer(
    'principal-tag',
    !isRefused(tagged) && isRefused(other),
    `as the tag says: ${said(tagged)}; as another: ${said(other)}`,
  );
  const conditional = await database.asRole('Conditional', 'orders');
  answers.answer('connect-conditions', isRefused(conditional), said(conditional));
}

/** Asked of an admin of its own, so that the master is not locked out. */
export async function askAboutAdmin(answers: Answers, database: Database): Promise<void> {
  const admin = { user: 'probe_admin', password: randomBytes(16).toString('hex') };
  const steps = {
    'the master creates probe_admin': await database.asMaster(
      `CREATE ROLE probe_admin LOGIN CREATEROLE PASSWORD '${admin.password}'`,
    ),
    'probe_admin creates probe_user': await database.signIn({ ...admin, sql: 'CREATE ROLE probe_user LOGIN' }),
    'probe_admin grants rds_iam': await database.signIn({ ...admin, sql: 'GRANT rds_iam TO probe_user' }),
    'the master grants rds_iam': await database.asMaster('GRANT rds_iam TO probe_user'),
    'probe_admin is a member of': await database.asMaster(MEMBERSHIPS_OF_PROBE),
  };
  Object.entries(steps).forEach(([what, answer]) => answers.fact(what, said(answer)));
  const edges = steps['probe_admin is a member of'];
  const isAdminOnly = 'rows' in edges && edges.rows.length > 0 && edges.rows.every(({ others }) => others === false);
  const again = await database.signIn({ ...admin, sql: 'SELECT current_user::text AS name' });
  answers.answer(
    'admin-only-membership',
    isAdminOnly ? isRefused(again) : 'not decided',
    `${said(edges)}; then the sign-in: ${said(again)}`,
  );
}

export async function askDataApi(answers: Answers, database: Database): Promise<void> {
  const ask = (sql: string) =>
    database.throughDataApi(sql).then(
      () => 'no error',
      (error: Error) => error.message,
    );
  const named = await ask('SELECT 1 AS "a:b"');
  answers.answer('data-api-names-with-colon', named === 'no error', named);
  const existing = await ask('CREATE ROLE orders');
  answers.answer(
    'data-api-error-texts',
    /ERROR: role "orders" already exists; .*SQLState: 42710/.test(existing),
    existing,
  );
  answers.fact('several statements through the Data API', await ask('SELECT 1; SELECT 2'));
}

export async function askAboutEvents(answers: Answers, database: Database, { events }: Deployment): Promise<void> {
  const rows = await rowsOf(database.asMaster(SENT, 'postgres'));
  const times = rows.map(({ logicalId, sent }) => {
    const began = events.find(
      ({ LogicalResourceId, ResourceStatus }) =>
        LogicalResourceId === logicalId && ResourceStatus === 'CREATE_IN_PROGRESS',
    )?.Timestamp;
    return {
      logicalId,
      began,
      sent,
      seconds:
        began === undefined || typeof sent !== 'string'
          ? undefined
          : Math.abs(Date.parse(sent) - Date.parse(began)) / 1000,
    };
  });
  const known = times.filter(({ began }) => began !== undefined);
  answers.answer(
    'event-time',
    known.length === 0
      ? 'not decided'
      : known.every(({ seconds }) => seconds !== undefined && seconds <= LONGEST_SENDING_S),
    JSON.stringify(known),
  );
}

const isRefused = (answer: SignInAnswer) => 'refused' in answer;

async function rowsOf(answer: Promise<SignInAnswer>): Promise<Rows> {
  const given = await answer;
  if ('refused' in given) {
    throw new Error(`the master cannot ask the catalog: ${given.refused}`);
  }
  return given.rows;
}

const EDGE = `m.roleid::regrole::text AS role, m.member::regrole::text AS member, m.grantor::regrole::text AS grantor,
  m.admin_option AS admin, coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, true)
    OR coalesce((to_jsonb(m) ->> 'set_option')::boolean, true) AS others`;
const MEMBERSHIPS = `SELECT ${EDGE}, current_user::text AS master FROM pg_auth_members m`;
const MEMBERSHIPS_OF_PROBE = `SELECT ${EDGE} FROM pg_auth_members m
  WHERE m.member = 'probe_admin'::regrole AND m.roleid = 'probe_user'::regrole`;
const OWNERS = `SELECT 'database ' || datname AS what, pg_get_userbyid(datdba)::text AS owner,
  current_user::text AS master
  FROM pg_database WHERE datname IN ('shop', 'postgres')
  UNION ALL SELECT 'schema public', pg_get_userbyid(nspowner)::text, current_user::text FROM pg_namespace
  WHERE nspname = 'public'`;
const SENT
  = 'SELECT logical_id AS "logicalId", declarations ->> \'sent\' AS sent FROM cdk_aurora_iam_auth.managed_role';
