import { randomBytes } from 'node:crypto';
import { Account, STACK } from './account';
import { Database, Rows, said } from './database';
import type { SignInAnswer } from './sign-in';
import { Deployment, eventsSince, lastDeployment, secondsBetween, StackEvent } from './stack';
import type { Answer, Outcome } from '../../scripts/unknowns';

export interface FirstDeploymentOptions {
  readonly account: Account;
  readonly engineVersion: string;
  /** The ids that have to be answered. */
  readonly ids: string[];
  /** Called with each answer, and with each fact beside them, at once. */
  readonly report: (line: Answer | { readonly fact: string; readonly value: unknown }) => void;
  /** Whether the stack stays. @default false */
  readonly keep?: boolean;
}

const FURTHER_USERS = '12';

const MINUTE = 60_000;

/** As long as a function waits for RDS, and as long as deleting one is said to take. */
const LONGEST_ENABLING_MS = 14 * MINUTE;
const LONGEST_DELETION_S = 40 * 60;

/** Between an event of a stack and the signature of what CloudFormation sends for it. */
const LONGEST_SENDING_S = 30;

/** In these there was no Data API when this was written. */
const HAS_NO_DATA_API = /^(cn|us-gov|us-iso)/;

/** How a failure of the first deployment answers a question. Others are for people to read. */
const ANSWERS_OF_FAILURES: [id: string, reason: RegExp][] = [
  ['function-in-vpc', /CreateNetworkInterface/],
  ['nodejs-runtime', /runtime.*failed to satisfy constraint|runtime.*(not supported|not available)/i],
  ['runtime-certificates', /the server's certificate/],
];

/** What a user says that comes after the first one, if the master is asked for a token since then. */
const MASTER_LOCKED_OUT = /could not sign in with its password|the server asks for its password in clear text/;

/**
 * Deploys, asks, changes, asks again, and deletes. Each answer is reported as soon as it is known, so that a run which
 * ends early has answered what came before.
 */
export class FirstDeployment {
  private readonly answered = new Set<string>();
  private readonly hasDataApi: boolean;

  constructor(private readonly options: FirstDeploymentOptions) {
    this.hasDataApi = !HAS_NO_DATA_API.test(options.account.region);
  }

  /** @returns whether everything was asked */
  async run(): Promise<boolean> {
    await this.describeAccount();
    const deployment = await this.deployFirst();
    if (!deployment) {
      this.leaveOthers('there is no stack to ask: see its events, and run again');
      return false;
    }
    // Whatever goes wrong: a stack that stays costs money.
    const isComplete = await this.ask(deployment).catch((error: Error) => {
      this.fact('ended early', error.message);
      return false;
    });
    if (!this.options.keep) {
      await this.destroy(deployment);
    }
    this.leaveOthers('not asked in this run');
    return isComplete;
  }

  private async ask(deployment: Deployment): Promise<boolean> {
    const database = new Database(this.account, deployment.outputs);
    if (!(await this.canAsk(database, deployment))) {
      return false;
    }
    await this.askCatalog(database);
    await this.askPolicies(database);
    await this.askAboutAdmin(database);
    await this.askDataApi(database);
    await this.askAboutEvents(database, deployment);
    await this.changeUsers(database);
    await this.breakUpdate(database);
    await this.enableIamAuthentication(deployment.outputs.ClusterId);
    await this.examine(deployment.outputs);
    return true;
  }

  private get account(): Account {
    return this.options.account;
  }

  private answer(id: string, outcome: Outcome | boolean, seen: string): void {
    this.answered.add(id);
    this.options.report({ id, outcome: typeof outcome === 'string' ? outcome : outcome ? 'yes' : 'no', seen });
  }

  private fact(fact: string, value: unknown): void {
    this.options.report({ fact, value });
  }

  private leaveOthers(why: string): void {
    this.options.ids.filter(id => !this.answered.has(id)).forEach(id => this.answer(id, 'not decided', why));
  }

  /** What stops a first deployment in a new account. */
  private async describeAccount(): Promise<void> {
    // A Region of its own has the plans of all.
    const plan = await this.account.aws('freetier get-account-plan-state', { '--region': 'us-east-1' }).then(
      answer => (answer as { accountPlanType?: string }).accountPlanType,
      (error: Error) => error.message,
    );
    this.fact('account plan', plan);
    if (plan === 'FREE') {
      throw new Error(
        'the account has the free plan, in which RDS creates Aurora clusters with express configuration only; '
        + 'upgrade the plan, and run again',
      );
    }
    const { DBEngineVersions } = (await this.account.aws('rds describe-db-engine-versions', {
      '--engine': 'aurora-postgresql',
    })) as { DBEngineVersions: { EngineVersion: string }[] };
    const versions = DBEngineVersions.map(({ EngineVersion }) => EngineVersion);
    this.fact('engine versions', versions.join(' '));
    if (!versions.includes(this.options.engineVersion)) {
      throw new Error(
        `Aurora PostgreSQL ${this.options.engineVersion} is not on offer in ${this.account.region}; `
        + `run again with --engine-version and one of ${versions.join(', ')}`,
      );
    }
    this.fact('concurrent executions', await this.executions());
  }

  private async executions(): Promise<number> {
    const { AccountLimit } = (await this.account.aws('lambda get-account-settings')) as {
      AccountLimit: { ConcurrentExecutions: number };
    };
    return AccountLimit.ConcurrentExecutions;
  }

  private async deploy(what: string, context: Record<string, string>, rollback: boolean): Promise<Deployment> {
    const began = this.account.now();
    await this.account.deploy(
      { engineVersion: this.options.engineVersion, dataApi: `${this.hasDataApi}`, ...context },
      { rollback },
    );
    const deployment = await lastDeployment(this.account, began);
    this.fact(what, {
      status: deployment.status,
      seconds: Math.round((this.account.now() - began) / 1000),
      slowest: slowest(deployment.events),
    });
    deployment.failures.forEach(({ LogicalResourceId, ResourceStatusReason }) =>
      this.fact(`failure of ${what}`, { LogicalResourceId, ResourceStatusReason }),
    );
    return deployment;
  }

  /** Twice, if the first time a permission was not known yet. Without a rollback: that would delete the logs. */
  private async deployFirst(): Promise<Deployment | undefined> {
    let deployment = await this.deploy('first deployment', {}, false);
    const early = reasonOf(deployment, /CreateNetworkInterface/);
    if (early !== undefined) {
      this.answer('function-in-vpc', 'no', early);
      deployment = await this.deploy('second attempt', {}, false);
    }
    const isDeployed = deployment.status === 'CREATE_COMPLETE' || deployment.status === 'UPDATE_COMPLETE';
    for (const [id, reason] of ANSWERS_OF_FAILURES.filter(([each]) => !this.answered.has(each))) {
      const failure = reasonOf(deployment, reason);
      if (isDeployed || failure !== undefined) {
        this.answer(id, failure === undefined, failure ?? deployment.status);
      }
    }
    const lockedOut = reasonOf(deployment, MASTER_LOCKED_OUT);
    if (lockedOut !== undefined) {
      this.answer('admin-only-membership', 'yes', lockedOut);
    }
    return isDeployed ? deployment : undefined;
  }

  /** Controls: who may sign in does, and who may not does not. Without them no refusal says anything. */
  private async canAsk(database: Database, { id }: Deployment): Promise<boolean> {
    const master = await database.asMaster('SELECT version()');
    this.fact('the master signs in with its password', said(master));
    const table = await database.asRole('Migrator', 'migrator', 'CREATE TABLE IF NOT EXISTS t (id int)');
    const insert = await database.asRole('Orders', 'orders', 'INSERT INTO t VALUES (1)');
    const strangers = [await database.asRole('Stranger', 'orders'), await database.asRole('Orders', 'migrator')];
    const partition = id.split(':')[1];
    const signsIn = ![table, insert].some(isRefused);
    this.answer('rds-db-partitions', partition === 'aws' ? 'not decided' : signsIn, `${partition}: ${said(insert)}`);
    this.fact('migrator creates a table', said(table));
    this.fact('orders writes to it', said(insert));
    this.fact('roles without a grant', strangers.map(said));
    return signsIn && strangers.every(isRefused);
  }

  private async askCatalog(database: Database): Promise<void> {
    const memberships = await rowsOf(database.asMaster(MEMBERSHIPS));
    const ofMaster = memberships.filter(({ member, master }) => member === master);
    const rdsIam = ofMaster.find(({ role, admin }) => role === 'rds_iam' && admin === true);
    this.answer(
      'master-grants-rds-iam',
      rdsIam === undefined,
      rdsIam
        ? JSON.stringify(rdsIam)
        : `memberships of the master: ${JSON.stringify(ofMaster.map(({ role }) => role))}`,
    );
    const users = ofMaster.filter(({ role }) => ['migrator', 'orders'].includes(role as string));
    this.answer('creator-membership', users.length > 0, JSON.stringify(users));
    const grantors = memberships
      .filter(({ role, member }) => role === 'rds_iam' && ['migrator', 'orders'].includes(member as string))
      .map(({ grantor }) => grantor as string);
    this.answer(
      'rds-iam-grantor',
      grantors.every(grantor => grantor === 'rdsadmin'),
      [...new Set(grantors)].join(', '),
    );
    const owners = await rowsOf(database.asMaster(OWNERS));
    const expected = owners.every(
      ({ what, owner, master }) => owner === (what === 'schema public' ? 'pg_database_owner' : master),
    );
    this.answer(
      'database-owners',
      expected,
      owners.map(({ what, owner }) => `${what as string}: ${owner as string}`).join(', '),
    );
  }

  private async askPolicies(database: Database): Promise<void> {
    const odd = await database.asRole('Odd', 'odd*$1');
    const similar = await database.asRole('Odd', 'oddx$1');
    this.answer(
      'escaped-username',
      !isRefused(odd) && isRefused(similar),
      `odd*$1: ${said(odd)}; oddx$1: ${said(similar)}`,
    );
    const [tagged, other] = [await database.asRole('Tagged', 'orders'), await database.asRole('Tagged', 'migrator')];
    this.answer(
      'principal-tag',
      !isRefused(tagged) && isRefused(other),
      `as the tag says: ${said(tagged)}; as another: ${said(other)}`,
    );
    const conditional = await database.asRole('Conditional', 'orders');
    this.answer('connect-conditions', isRefused(conditional), said(conditional));
  }

  /** Asked of an admin of its own, so that the master is not locked out. */
  private async askAboutAdmin(database: Database): Promise<void> {
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
    Object.entries(steps).forEach(([what, answer]) => this.fact(what, said(answer)));
    const edges = steps['probe_admin is a member of'];
    const isAdminOnly = 'rows' in edges && edges.rows.length > 0 && edges.rows.every(({ others }) => others === false);
    const again = await database.signIn({ ...admin, sql: 'SELECT current_user::text AS name' });
    this.answer(
      'admin-only-membership',
      isAdminOnly ? isRefused(again) : 'not decided',
      `${said(edges)}; then the sign-in: ${said(again)}`,
    );
  }

  private async askDataApi(database: Database): Promise<void> {
    if (!this.hasDataApi) {
      return;
    }
    const ask = (sql: string) =>
      database.throughDataApi(sql).then(
        () => 'no error',
        (error: Error) => error.message,
      );
    const named = await ask('SELECT 1 AS "a:b"');
    this.answer('data-api-names-with-colon', named === 'no error', named);
    const existing = await ask('CREATE ROLE orders');
    this.answer(
      'data-api-error-texts',
      /ERROR: role "orders" already exists; .*SQLState: 42710/.test(existing),
      existing,
    );
    this.fact('several statements through the Data API', await ask('SELECT 1; SELECT 2'));
  }

  private async askAboutEvents(database: Database, { events }: Deployment): Promise<void> {
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
    this.answer(
      'event-time',
      known.length === 0
        ? 'not decided'
        : known.every(({ seconds }) => seconds !== undefined && seconds <= LONGEST_SENDING_S),
      JSON.stringify(known),
    );
  }

  private async changeUsers(database: Database): Promise<void> {
    const executions = await this.executions();
    const { status, failures } = await this.deploy(
      `deployment of ${FURTHER_USERS} users`,
      { changed: 'true', users: FURTHER_USERS },
      true,
    );
    const throttled = failures.find(({ ResourceStatusReason = '' }) =>
      /Rate Exceeded|TooManyRequests/i.test(ResourceStatusReason),
    );
    const works = status === 'UPDATE_COMPLETE';
    this.answer(
      'concurrent-executions',
      works ? true : throttled ? false : 'not decided',
      `${executions} executions: ${throttled?.ResourceStatusReason ?? status}`,
    );
    if (!works) {
      await this.deploy('deployment without further users', { changed: 'true' }, true);
    }
    this.fact('orders writes no more', said(await database.asRole('Orders', 'orders', 'INSERT INTO t VALUES (2)')));
  }

  private async breakUpdate(database: Database): Promise<void> {
    const access = async () =>
      JSON.stringify([
        said(await database.asRole('Orders', 'orders', 'SELECT count(*)::int AS count FROM t')),
        said(await database.asRole('Orders', 'orders', 'INSERT INTO t VALUES (3)')),
        said(await database.asRole('Migrator', 'migrator')),
      ]);
    const before = await access();
    const { status, failures } = await this.deploy('deployment that fails', { changed: 'false', broken: 'true' }, true);
    const after = await access();
    this.answer(
      'rolled-back-update',
      status === 'UPDATE_ROLLBACK_COMPLETE' && before === after,
      `${status}; before: ${before}; after: ${after}`,
    );
    const reason
      = failures.find(({ ResourceStatusReason = '' }) => ResourceStatusReason.includes('nowhere'))
        ?.ResourceStatusReason ?? 'there is no reason';
    const named = /log group: ([\w./#-]+)/.exec(reason)?.[1];
    this.answer('log-group-in-reason', named === undefined ? 'not decided' : await this.isLogGroup(named), reason);
  }

  private async isLogGroup(name: string): Promise<boolean> {
    const { logGroups } = (await this.account.aws('logs describe-log-groups', { '--log-group-name-prefix': name })) as {
      logGroups: { logGroupName: string }[];
    };
    return logGroups.some(({ logGroupName }) => logGroupName === name);
  }

  private async enableIamAuthentication(cluster: string): Promise<void> {
    const set = async (enabled: boolean): Promise<number | undefined> => {
      const began = this.account.now();
      const option = enabled ? '--enable-iam-database-authentication' : '--no-enable-iam-database-authentication';
      await this.account.aws('rds modify-db-cluster', {
        '--db-cluster-identifier': cluster,
        [option]: undefined,
        '--apply-immediately': undefined,
      });
      while (this.account.now() - began < LONGEST_ENABLING_MS) {
        const {
          DBClusters: [state],
        } = (await this.account.aws('rds describe-db-clusters', { '--db-cluster-identifier': cluster })) as {
          DBClusters: { Status: string; IAMDatabaseAuthenticationEnabled: boolean; PendingModifiedValues?: object }[];
        };
        if (
          state.Status === 'available'
          && state.IAMDatabaseAuthenticationEnabled === enabled
          && Object.keys(state.PendingModifiedValues ?? {}).length === 0
        ) {
          return Math.round((this.account.now() - began) / 1000);
        }
        await this.account.sleep(5_000);
      }
      return undefined;
    };
    const [disabled, enabled] = [await set(false), await set(true)];
    this.answer(
      'iam-authentication-time',
      enabled !== undefined,
      `disabled after ${disabled ?? 'more than 840'} s, enabled after ${enabled ?? 'more than 840'} s`,
    );
  }

  /** From here the database cannot be reached: all that can be looked at from outside must be as it should be. */
  private async examine({ Host: host }: Record<string, string>): Promise<void> {
    const variables = { PGHOST: host, PGPORT: '5432', PGUSER: 'orders', PGDATABASE: 'shop', PGSSLMODE: 'verify-full' };
    const { signedIn, cause, steps } = await this.account.doctor(variables);
    this.fact('doctor', {
      signedIn,
      cause,
      steps: steps.map(({ step, state, found }) => `${state} ${step}: ${found}`),
    });
  }

  private async destroy({ id, outputs }: Deployment): Promise<void> {
    const began = this.account.now();
    await this.account.destroy();
    const events = await eventsSince(this.account, id, began);
    const isProvisioner = ({ PhysicalResourceId }: StackEvent) => PhysicalResourceId === outputs.ProvisionerFunction;
    const seconds = secondsBetween(events, isProvisioner, 'DELETE_IN_PROGRESS', 'DELETE_COMPLETE');
    const status = events.filter(({ LogicalResourceId }) => LogicalResourceId === STACK).at(-1)?.ResourceStatus;
    this.fact('deletion', {
      status,
      seconds: Math.round((this.account.now() - began) / 1000),
      slowest: slowest(events),
    });
    this.answer(
      'function-deletion-time',
      seconds === undefined ? 'not decided' : seconds <= LONGEST_DELETION_S,
      `${seconds ?? 'unknown'} s`,
    );
  }
}

const isRefused = (answer: SignInAnswer) => 'refused' in answer;

async function rowsOf(answer: Promise<SignInAnswer>): Promise<Rows> {
  const given = await answer;
  if ('refused' in given) {
    throw new Error(`the master cannot ask the catalog: ${given.refused}`);
  }
  return given.rows;
}

function reasonOf({ failures }: Deployment, pattern: RegExp): string | undefined {
  return failures.find(({ ResourceStatusReason = '' }) => pattern.test(ResourceStatusReason))?.ResourceStatusReason;
}

/** Seconds that the slowest resources took. */
function slowest(events: StackEvent[]): Record<string, number> {
  const ids = [...new Set(events.map(({ LogicalResourceId }) => LogicalResourceId))].filter(id => id !== STACK);
  const times = ids.map((id): [string, number] => {
    const its = events
      .filter(({ LogicalResourceId }) => LogicalResourceId === id)
      .map(({ Timestamp }) => Date.parse(Timestamp));
    return [id, Math.round((Math.max(...its) - Math.min(...its)) / 1000)];
  });
  return Object.fromEntries(times.sort(([, a], [, b]) => b - a).slice(0, 8));
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
