import { Account, STACK } from './account';
import { concurrentExecutions } from './account-facts';
import { Answers } from './answers';
import { Database, said } from './database';
import { Deployment, eventsSince, lastDeployment, secondsBetween, StackEvent } from './stack';

const FURTHER_USERS = '12';

/** As long as deleting a function in a VPC is said to take. */
const LONGEST_DELETION_S = 40 * 60;

/** How a failure of the first deployment answers a question. Others are for people to read. */
const ANSWERS_OF_FAILURES: [id: string, reason: RegExp][] = [
  ['function-in-vpc', /CreateNetworkInterface/],
  ['nodejs-runtime', /runtime.*failed to satisfy constraint|runtime.*(not supported|not available)/i],
  ['runtime-certificates', /the server's certificate/],
];

/** What a user says that comes after the first one, if the master is asked for a token since then. */
const MASTER_LOCKED_OUT = /could not sign in with its password|the server asks for its password in clear text/;

/** The deployments of the stack, what they answer, and how long they took. */
export class Deployments {
  constructor(
    private readonly account: Account,
    private readonly answers: Answers,
    private readonly engineVersion: string,
    private readonly hasDataApi: boolean,
  ) {}

  private async deploy(what: string, context: Record<string, string>, rollback: boolean): Promise<Deployment> {
    const began = this.account.now();
    await this.account.deploy(
      { engineVersion: this.engineVersion, dataApi: `${this.hasDataApi}`, ...context },
      { rollback },
    );
    const deployment = await lastDeployment(this.account, began);
    this.answers.fact(what, {
      status: deployment.status,
      seconds: Math.round((this.account.now() - began) / 1000),
      slowest: slowest(deployment.events),
    });
    deployment.failures.forEach(({ LogicalResourceId, ResourceStatusReason }) =>
      this.answers.fact(`failure of ${what}`, { LogicalResourceId, ResourceStatusReason }),
    );
    return deployment;
  }

  /** Twice, if the first time a permission was not known yet. Without a rollback: that would delete the logs. */
  async deployFirst(): Promise<Deployment | undefined> {
    let deployment = await this.deploy('first deployment', {}, false);
    const early = reasonOf(deployment, /CreateNetworkInterface/);
    if (early !== undefined) {
      this.answers.answer('function-in-vpc', 'no', early);
      deployment = await this.deploy('second attempt', {}, false);
    }
    const isDeployed = deployment.status === 'CREATE_COMPLETE' || deployment.status === 'UPDATE_COMPLETE';
    for (const [id, reason] of ANSWERS_OF_FAILURES.filter(([each]) => !this.answers.has(each))) {
      const failure = reasonOf(deployment, reason);
      if (isDeployed || failure !== undefined) {
        this.answers.answer(id, failure === undefined, failure ?? deployment.status);
      }
    }
    const lockedOut = reasonOf(deployment, MASTER_LOCKED_OUT);
    if (lockedOut !== undefined) {
      this.answers.answer('admin-only-membership', 'yes', lockedOut);
    }
    return isDeployed ? deployment : undefined;
  }

  async changeUsers(database: Database): Promise<void> {
    const executions = await concurrentExecutions(this.account);
    const { status, failures } = await this.deploy(
      `deployment of ${FURTHER_USERS} users`,
      { changed: 'true', users: FURTHER_USERS },
      true,
    );
    const throttled = failures.find(({ ResourceStatusReason = '' }) =>
      /Rate Exceeded|TooManyRequests/i.test(ResourceStatusReason),
    );
    const works = status === 'UPDATE_COMPLETE';
    this.answers.answer(
      'concurrent-executions',
      works ? true : throttled ? false : 'not decided',
      `${executions} executions: ${throttled?.ResourceStatusReason ?? status}`,
    );
    if (!works) {
      await this.deploy('deployment without further users', { changed: 'true' }, true);
    }
    const insert = await database.asRole('Orders', 'orders', 'INSERT INTO t VALUES (2)');
    this.answers.fact('orders writes no more', said(insert));
  }

  async breakUpdate(database: Database): Promise<void> {
    const access = async () =>
      JSON.stringify([
        said(await database.asRole('Orders', 'orders', 'SELECT count(*)::int AS count FROM t')),
        said(await database.asRole('Orders', 'orders', 'INSERT INTO t VALUES (3)')),
        said(await database.asRole('Migrator', 'migrator')),
      ]);
    const before = await access();
    const { status, failures } = await this.deploy('deployment that fails', { changed: 'false', broken: 'true' }, true);
    const after = await access();
    this.answers.answer(
      'rolled-back-update',
      status === 'UPDATE_ROLLBACK_COMPLETE' && before === after,
      `${status}; before: ${before}; after: ${after}`,
    );
    const reason
      = failures.find(({ ResourceStatusReason = '' }) => ResourceStatusReason.includes('nowhere'))
        ?.ResourceStatusReason ?? 'there is no reason';
    const named = /log group: ([\w./#-]+)/.exec(reason)?.[1];
    const isNamed = named === undefined ? 'not decided' : await this.isLogGroup(named);
    this.answers.answer('log-group-in-reason', isNamed, reason);
  }

  private async isLogGroup(name: string): Promise<boolean> {
    const { logGroups } = (await this.account.aws('logs describe-log-groups', { '--log-group-name-prefix': name })) as {
      logGroups: { logGroupName: string }[];
    };
    return logGroups.some(({ logGroupName }) => logGroupName === name);
  }

  async destroy({ id, outputs }: Deployment): Promise<void> {
    const began = this.account.now();
    await this.account.destroy();
    const events = await eventsSince(this.account, id, began);
    const isProvisioner = ({ PhysicalResourceId }: StackEvent) => PhysicalResourceId === outputs.ProvisionerFunction;
    const seconds = secondsBetween(events, isProvisioner, 'DELETE_IN_PROGRESS', 'DELETE_COMPLETE');
    const status = events.filter(({ LogicalResourceId }) => LogicalResourceId === STACK).at(-1)?.ResourceStatus;
    this.answers.fact('deletion', {
      status,
      seconds: Math.round((this.account.now() - began) / 1000),
      slowest: slowest(events),
    });
    this.answers.answer(
      'function-deletion-time',
      seconds === undefined ? 'not decided' : seconds <= LONGEST_DELETION_S,
      `${seconds ?? 'unknown'} s`,
    );
  }
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
