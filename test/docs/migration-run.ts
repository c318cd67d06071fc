import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { CloudAssembly } from '../../rehearsal/cloudformation/cloud-assembly';
import { ResourceState } from '../../rehearsal/cloudformation/template';
import { Rehearsal, RehearsalOptions } from '../../rehearsal/rehearsal';
import { execute } from '../../rehearsal/sign-in';

/** An account in which the apps of docs/migrate.md are deployed. */
export class MigrationRun {
  static async start(roleRules: RehearsalOptions['roleRules']): Promise<MigrationRun> {
    return new MigrationRun(await Rehearsal.start({ roleRules }));
  }

  private constructor(readonly rehearsal: Rehearsal) {}

  /** Deploys stacks in this order, each of which must go well. */
  async deploy(assembly: CloudAssembly, stacks: string[]): Promise<void> {
    for (const stack of stacks) {
      const { status, reason } = await this.rehearsal.deploy(assembly, stack);
      expect({ stack, reason, status: status.replace('CREATE', 'UPDATE') }).toEqual({
        stack,
        status: 'UPDATE_COMPLETE',
      });
    }
  }

  get server(): AuroraLikeServer {
    return this.rehearsal.database(this.resource('Data', 'AWS::RDS::DBCluster')!);
  }

  resource(stack: string, type: string, id = ''): ResourceState | undefined {
    return this.rehearsal.resources(stack).find(each => each.type === type && each.logicalId.startsWith(id));
  }

  roleArn(stack: string, id: string): string {
    return this.resource(stack, 'AWS::IAM::Role', id)!.attributes.Arn as string;
  }

  tokenOf(user: string, stack: string, role: string): string {
    return this.server.token('', user, {
      credentials: this.rehearsal.credentialsOf(this.resource(stack, 'AWS::IAM::Role', role)!),
    });
  }

  /** Rows of one statement, or the refusal. */
  asMaster(sql: string): Promise<unknown> {
    return execute(this.server, { ...this.server.master, database: 'shop' }, sql);
  }

  async mustAsMaster(sql: string): Promise<void> {
    expectDone(await this.asMaster(sql));
  }

  /** What the provisioner has changed since it was asked last, without its registry. */
  takeChanges(): unknown[] {
    const lines = this.rehearsal.logs
      .splice(0)
      .flatMap(({ text }) => text.split('\n'))
      .filter(line => line.startsWith('{'));
    return lines
      .map(line => JSON.parse(line) as { notice?: string; change?: string })
      .filter(({ notice }) => notice === 'changing')
      .map(({ change }) => change);
  }
}

/** Several statements have no rows. */
export function expectDone(answer: unknown): void {
  expect(typeof answer === 'string' ? answer : 'done').toBe('done');
}
