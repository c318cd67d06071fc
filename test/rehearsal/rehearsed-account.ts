import { Socket } from 'node:net';
import { AwsAccount as AwsAccountOfDoctor } from '../../cli/doctor/aws/account';
import { written } from '../../cli/doctor/doctor';
import { observe } from '../../cli/doctor/observe';
import { environmentOf } from '../../cli/doctor/options';
import { Account, Credentials, DoctorAnswer, STACK } from '../../integ-tests/first-deployment/account';
import { StackEvent } from '../../integ-tests/first-deployment/stack';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { ResourceState } from '../../rehearsal/cloudformation/template';
import { Rehearsal, RehearsalOptions } from '../../rehearsal/rehearsal';
import { synthesized } from './synthesized';

type Options = Record<string, string | undefined>;

/** What AWS says of a deployment that is only made up: in what it ends, and of the resource that failed. */
export interface MadeUpFailure {
  readonly status: string;
  readonly reason: string;
}

/**
 * A rehearsal in place of an account: the same questions, answered by real PostgreSQL and by what the rehearsal knows
 * of AWS.
 */
export class RehearsedAccount implements Account {
  static async start({
    region = 'eu-central-1',
    roleRules,
  }: Pick<RehearsalOptions, 'region' | 'roleRules'> = {}): Promise<RehearsedAccount> {
    const rehearsal: Rehearsal = await Rehearsal.start({
      region,
      roleRules,
      onEvent: event => account.observe(event.logicalId, event.type, event.status, event.reason),
    });
    const account: RehearsedAccount = new RehearsedAccount(region, rehearsal);
    return account;
  }

  /** The context of each deployment. */
  readonly deployments: Record<string, string>[] = [];
  /** In place of the next deployments; undefined for one that is carried out. */
  readonly failures: (MadeUpFailure | undefined)[] = [];
  /** In place of what AWS answers to a command. */
  readonly answers = new Map<string, (options: Options) => unknown>();
  /** Called before each sign-in, and after each deployment. */
  beforeSignIn: (attempt: { user: string; sql: string }) => unknown = () => undefined;
  afterDeployment: (number: number) => unknown = () => undefined;
  /** How long each step of a deletion takes. */
  deletionMs = 0;

  private readonly events: StackEvent[] = [];
  private readonly id: string;
  private outputs: Record<string, string> = {};
  private status = '';
  private passedMs = 0;

  private constructor(
    readonly region: string,
    readonly rehearsal: Rehearsal,
  ) {
    const partition = region.startsWith('cn-') ? 'aws-cn' : 'aws';
    this.id = `arn:${partition}:cloudformation:${region}:111122223333:stack/${STACK}/1`;
  }

  get server(): AuroraLikeServer {
    return this.rehearsal.database(this.resource(({ type }) => type === 'AWS::RDS::DBCluster'));
  }

  async aws(command: string, options: Options = {}, credentials?: Credentials): Promise<unknown> {
    const answer = this.answers.get(command) ?? this.commands[command];
    if (!answer) {
      throw new Error(`aws ${command} is not rehearsed`);
    }
    return await Promise.resolve(answer(options, credentials));
  }

  async invoke(functionName: string, payload: object): Promise<unknown> {
    await this.beforeSignIn(payload as { user: string; sql: string });
    const { result, error } = await this.rehearsal.invoke(functionName, payload);
    if (error) {
      throw new Error(error.message);
    }
    return result;
  }

  async deploy(context: Record<string, string>): Promise<void> {
    this.deployments.push(context);
    const failure = this.failures.shift();
    if (failure) {
      this.status = failure.status;
      this.observe('Something', 'AWS::Lambda::Function', 'CREATE_FAILED', failure.reason);
      this.observe(STACK, 'AWS::CloudFormation::Stack', failure.status);
      return;
    }
    const { status, outputs } = await this.rehearsal.deploy(
      await synthesized('integ-tests/first-deployment/app.ts', context),
      STACK,
    );
    this.status = status;
    this.outputs = { ...this.outputs, ...outputs };
    this.observe(STACK, 'AWS::CloudFormation::Stack', status);
    await this.afterDeployment(this.deployments.length);
  }

  async destroy(): Promise<void> {
    const { status } = await this.rehearsal.destroy(STACK);
    this.observe(STACK, 'AWS::CloudFormation::Stack', status);
  }

  /** From outside of the network, with the role of the user itself. */
  async doctor(variables: Record<string, string>): Promise<DoctorAnswer> {
    const { awsEndpoint, credentials } = this.rehearsal;
    const { Arn: arn } = this.resource(
      ({ logicalId, type }) => type === 'AWS::IAM::Role' && logicalId.startsWith('Orders'),
    ).attributes;
    const issued = credentials.issue(arn as string);
    const { host, port, username, database, sslMode } = environmentOf(variables);
    const now = () => new Date();
    const seen = await observe({
      client: { host, port, username, database, sslMode, inside: false },
      named: {},
      aws: new AwsAccountOfDoctor(
        this.region,
        { credentials: () => Promise.resolve(issued), endpoint: awsEndpoint.url },
        now,
      ),
      network: {
        lookup: () => Promise.resolve(['10.0.0.7']),
        socket: () => new Unreachable(),
      },
      now,
    });
    return JSON.parse(written(seen, { json: true, verbose: false })) as DoctorAnswer;
  }

  now(): number {
    return Date.now() + this.passedMs;
  }

  async sleep(milliseconds: number): Promise<void> {
    this.passedMs += milliseconds;
    return Promise.resolve();
  }

  private resource(is: (state: ResourceState) => boolean): ResourceState {
    return this.rehearsal.resources(STACK).find(is)!;
  }

  private observe(logicalId: string, type: string, status: string, reason?: string): void {
    if (status === 'DELETE_COMPLETE') {
      this.passedMs += this.deletionMs;
    }
    const PhysicalResourceId = this.physicalIdOf(logicalId);
    this.events.unshift({
      Timestamp: new Date(this.now()).toISOString(),
      LogicalResourceId: logicalId,
      ResourceType: type,
      ResourceStatus: status,
      ResourceStatusReason: reason,
      PhysicalResourceId,
    });
  }

  /** Also of a resource that is gone, as the events of a stack have it. */
  private physicalIdOf(logicalId: string): string | undefined {
    const known = this.events.find(
      ({ LogicalResourceId, PhysicalResourceId }) =>
        LogicalResourceId === logicalId && PhysicalResourceId !== undefined,
    );
    const resources = this.rehearsal.stackIds.includes(STACK) ? this.rehearsal.resources(STACK) : [];
    return known?.PhysicalResourceId ?? resources.find(state => state.logicalId === logicalId)?.physicalId;
  }

  private readonly commands: Record<string, (options: Options, credentials?: Credentials) => unknown> = {
    'freetier get-account-plan-state': () => ({ accountPlanType: 'PAID' }),
    'rds describe-db-engine-versions': () => ({
      DBEngineVersions: [{ EngineVersion: '16.8' }, { EngineVersion: '17.7' }],
    }),
    'lambda get-account-settings': () => ({ AccountLimit: { ConcurrentExecutions: 1000 } }),
    'cloudformation describe-stacks': () => ({
      Stacks: [
        {
          StackId: this.id,
          StackStatus: this.status,
          Outputs: Object.entries(this.outputs).map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue })),
        },
      ],
    }),
    'cloudformation describe-stack-events': () => ({ StackEvents: this.events }),
    'sts assume-role': ({ '--role-arn': arn }) => {
      const { accessKeyId, secretAccessKey, sessionToken } = this.rehearsal.credentialsOf(
        this.resource(({ attributes }) => attributes.Arn === arn),
      );
      return {
        Credentials: { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken },
      };
    },
    'secretsmanager get-secret-value': () => ({ SecretString: JSON.stringify(this.server.master) }),
    'rds-data execute-statement': async (
      { '--resource-arn': resourceArn, '--secret-arn': secretArn, '--database': database, '--sql': sql },
      credentials,
    ) => {
      const call = {
        method: 'POST',
        path: '/Execute',
        body: JSON.stringify({ resourceArn, secretArn, database, sql }),
        accessKeyId: credentials!.accessKeyId,
        region: this.region,
      };
      const { status, body, headers } = (await this.rehearsal.services.dataApi.service(call))!;
      if (status !== 200) {
        throw new Error(
          `An error occurred (${headers?.['x-amzn-ErrorType']}) when calling the ExecuteStatement operation: `
          + (body as { message: string }).message,
        );
      }
      return body;
    },
    'rds modify-db-cluster': options =>
      (this.server.iamAuthentication = '--enable-iam-database-authentication' in options),
    'rds describe-db-clusters': () => ({
      DBClusters: [{ Status: 'available', IAMDatabaseAuthenticationEnabled: this.server.iamAuthentication }],
    }),
    'logs describe-log-groups': ({ '--log-group-name-prefix': prefix = '' }) => ({
      logGroups: this.rehearsal
        .resources(STACK)
        .filter(({ type, physicalId }) => type === 'AWS::Logs::LogGroup' && physicalId.startsWith(prefix))
        .map(({ physicalId }) => ({ logGroupName: physicalId })),
    }),
  };
}

class Unreachable extends Socket {
  override connect(): this {
    return this.destroy(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' }));
  }
}
