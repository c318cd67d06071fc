import { Account } from './account';
import { describeAccount } from './account-facts';
import { Answers, Line } from './answers';
import { Database } from './database';
import { Deployments } from './deployments';
import { enableIamAuthentication } from './enable-iam-authentication';
import { askAboutAdmin, askAboutEvents, askCatalog, askDataApi, askPolicies, canAsk } from './questions';
import { Deployment } from './stack';

export interface FirstDeploymentOptions {
  readonly account: Account;
  readonly engineVersion: string;
  /** The ids that have to be answered. */
  readonly ids: string[];
  /** Called with each answer, and with each fact beside them, at once. */
  readonly report: (line: Line) => void;
  /** Whether the stack stays. @default false */
  readonly keep?: boolean;
}

/** In these there was no Data API when this was written. */
const HAS_NO_DATA_API = /^(cn|us-gov|us-iso)/;

/**
 * Deploys, asks, changes, asks again, and deletes. Each answer is reported as soon as it is known, so that a run which
 * ends early has answered what came before.
 */
export class FirstDeployment {
  private readonly account: Account;
  private readonly answers: Answers;
  private readonly hasDataApi: boolean;
  private readonly deployments: Deployments;

  constructor(private readonly options: FirstDeploymentOptions) {
    const { account, engineVersion, report } = options;
    this.account = account;
    this.answers = new Answers(report);
    this.hasDataApi = !HAS_NO_DATA_API.test(account.region);
    this.deployments = new Deployments(account, this.answers, engineVersion, this.hasDataApi);
  }

  /** @returns whether everything was asked */
  async run(): Promise<boolean> {
    await describeAccount(this.account, this.answers, this.options.engineVersion);
    const deployment = await this.deployments.deployFirst();
    if (!deployment) {
      this.leaveOthers('there is no stack to ask: see its events, and run again');
      return false;
    }
    // Whatever goes wrong: a stack that stays costs money.
    const isComplete = await this.ask(deployment).catch((error: Error) => {
      this.answers.fact('ended early', error.message);
      return false;
    });
    if (!this.options.keep) {
      await this.deployments.destroy(deployment);
    }
    this.leaveOthers('not asked in this run');
    return isComplete;
  }

  private async ask(deployment: Deployment): Promise<boolean> {
    const { account, answers } = this;
    const database = new Database(account, deployment.outputs);
    if (!(await canAsk(answers, database, deployment))) {
      return false;
    }
    await askCatalog(answers, database);
    await askPolicies(answers, database);
    await askAboutAdmin(answers, database);
    if (this.hasDataApi) {
      await askDataApi(answers, database);
    }
    await askAboutEvents(answers, database, deployment);
    await this.deployments.changeUsers(database);
    await this.deployments.breakUpdate(database);
    await enableIamAuthentication(account, answers, deployment.outputs.ClusterId);
    await this.examine(deployment.outputs);
    return true;
  }

  private leaveOthers(why: string): void {
    this.options.ids.filter(id => !this.answers.has(id)).forEach(id => this.answers.answer(id, 'not decided', why));
  }

  /** From here the database cannot be reached: all that can be looked at from outside must be as it should be. */
  private async examine({ Host: host }: Record<string, string>): Promise<void> {
    const variables = { PGHOST: host, PGPORT: '5432', PGUSER: 'orders', PGDATABASE: 'shop', PGSSLMODE: 'verify-full' };
    const { signedIn, cause, steps } = await this.account.doctor(variables);
    this.answers.fact('doctor', {
      signedIn,
      cause,
      steps: steps.map(({ step, state, found }) => `${state} ${step}: ${found}`),
    });
  }
}
