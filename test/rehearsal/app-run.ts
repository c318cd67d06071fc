import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { CloudAssembly } from '../../rehearsal/cloudformation/cloud-assembly';
import { hasServer, isDatabase } from '../../rehearsal/cloudformation/database-properties';
import { StackEvent, StackResult } from '../../rehearsal/cloudformation/stack';
import { ResourceDefinition, ResourceState, Template } from '../../rehearsal/cloudformation/template';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { declaredRoles } from '../../rehearsal/rehearse/declared-roles';
import {
  Attempt,
  measureAccess,
  principalsFor,
  SignInTarget,
  trySignIns,
} from '../../rehearsal/rehearse/measure-access';
import { resourceName } from '../../rehearsal/plan/resource-name';
import { selectStacks } from '../../rehearsal/rehearse/source';
import { snapshot } from '../lambda/catalog';
import { synthesized } from './synthesized';

type Resources = Record<string, ResourceDefinition>;
export type Change = (resources: Resources) => Resources;

/** Users and group roles. */
export const isOurs = ({ Type: type }: { Type: string }) => /^Custom::Rds(IamUsers?|GroupRole)$/.test(type);
const oursIn = (resources: Resources) => Object.entries(resources).filter(([, definition]) => isOurs(definition));

/** The same assembly with one template changed. */
function changed(assembly: CloudAssembly, stackName: string, change: Change): CloudAssembly {
  const stacks = assembly.stacks.map(stack =>
    stack.name === stackName
      ? { ...stack, template: { ...stack.template, Resources: change(stack.template.Resources) } satisfies Template }
      : stack,
  );
  return Object.create(assembly, { stacks: { value: stacks } }) as CloudAssembly;
}

export const withProperties
  = (properties: object): Change =>
    resources => ({
      ...resources,
      ...Object.fromEntries(
        oursIn(resources).map(([id, definition]) => [
          id,
          { ...definition, Properties: { ...definition.Properties, ...properties } },
        ]),
      ),
    });

/** One more user, which has a privilege in a database that is not there. */
export function withFailing(dependsOnOthers: boolean): Change {
  return (resources) => {
    const [[, { Properties }]] = oursIn(resources);
    const { ServiceToken, ServiceTimeout, Database } = Properties!;
    const properties = {
      ServiceToken,
      ServiceTimeout,
      Database,
      Username: 'nobody',
      Privileges: { nowhere: { Database: ['CONNECT'] } },
      OnRemoval: { Action: 'DROP_OR_DISABLE' },
    };
    return {
      ...resources,
      Failing: {
        Type: 'Custom::RdsIamUser',
        Properties: properties,
        ...(dependsOnOthers ? { DependsOn: oursIn(resources).map(([id]) => id) } : {}),
      },
    };
  };
}

export const both
  = (...changes: Change[]): Change =>
    resources =>
      changes.reduce((result, change) => change(result), resources);

/** An app that is rehearsed, and what is seen meanwhile. */
export class AppRun {
  static async of(app: string): Promise<AppRun> {
    const assembly = await synthesized(app);
    const { name } = assembly.stacks.filter(({ template }) => oursIn(template.Resources ?? {}).length > 0).at(-1)!;
    let run: AppRun | undefined = undefined;
    const rehearsal = await Rehearsal.start({ onEvent: event => run?.observe(event) });
    return run = new AppRun(assembly, name, rehearsal);
  }

  readonly events: StackEvent[] = [];
  /** How many assertions of an integration test have been true. */
  assertions = 0;
  /** Of the new database. */
  born: unknown;
  /** Before the first of our resources of the stack that changes. */
  before: unknown;
  /** After the last of our resources. */
  after: unknown;

  private database?: ResourceState;
  private readonly stackNames: string[];
  /** Those that are deployed after it, as they are. */
  private readonly later: string[];

  /** @param stackName the stack that changes; those it depends on are deployed before it as they are */
  private constructor(readonly assembly: CloudAssembly, readonly stackName: string, readonly rehearsal: Rehearsal) {
    this.stackNames = selectStacks(assembly, [stackName]).map(({ name }) => name);
    this.later = assembly.stacks.map(({ name }) => name).filter(name => !this.stackNames.includes(name));
  }

  async deploy(change: Change = resources => resources): Promise<StackResult> {
    this.events.length = 0;
    this.rehearsal.logs.length = 0;
    for (const name of this.stackNames.slice(0, -1)) {
      expect((await this.rehearsal.deploy(this.assembly, name)).reason).toBeUndefined();
      this.before = await snapshot(this.server);
    }
    const result = await this.rehearsal.deploy(changed(this.assembly, this.stackName, change), this.stackName);
    for (const name of result.status === 'CREATE_COMPLETE' ? this.later : []) {
      const { reason, outputs } = await this.rehearsal.deploy(this.assembly, name);
      expect(reason).toBeUndefined();
      // Of an integration test: what integ-runner looks at.
      const assertions = Object.entries(outputs)
        .filter(([id]) => id.startsWith('AssertionResults'))
        .map(([, result]) => JSON.parse(result) as { status: string });
      expect(assertions.filter(({ status }) => status !== 'success')).toEqual([]);
      this.assertions += assertions.length;
    }
    return result;
  }

  async destroy(): Promise<void> {
    for (const name of [...this.stackNames, ...this.later].reverse()) {
      expect(await this.rehearsal.destroy(name)).toMatchObject({ status: 'DELETE_COMPLETE' });
    }
  }

  get server(): AuroraLikeServer {
    return this.rehearsal.database(this.database!);
  }

  /** All roles of IAM try to sign in as all users, at the database, at its replicas and through its proxies. */
  async signIns(): Promise<Attempt[]> {
    const resources = [...this.stackNames, ...this.later].flatMap(name => this.rehearsal.resources(name));
    const roles = resources
      .filter(({ type }) => type === 'AWS::IAM::Role')
      .map(role => ({
        name: resourceName(role.logicalId, role.definition),
        arn: role.attributes.Arn as string,
        credentials: this.rehearsal.credentialsOf(role),
      }));
    const declared = declaredRoles(resources, this.server.resourceId);
    const attempts: Attempt[] = [];
    const principals = (resource: ResourceState, target: SignInTarget) =>
      principalsFor(resource, target, roles, (arn, action, its) => this.rehearsal.allows(arn, action, its));
    const marked = (mark: string, { logicalId, definition }: ResourceState, here: Attempt[]) =>
      here.map(attempt => ({
        ...attempt,
        username: `${attempt.username} ${mark} ${resourceName(logicalId, definition)}`,
      }));
    for (const resource of resources.filter(hasServer)) {
      const server = this.rehearsal.database(resource);
      const { attempts: here } = await measureAccess(server, declared, principals(resource, server));
      attempts.push(...server.source ? marked('at', resource, here) : here);
    }
    for (const resource of resources.filter(({ type }) => type === 'AWS::RDS::DBProxy')) {
      const proxy = this.rehearsal.proxy(resource);
      attempts.push(...marked('through', resource, await trySignIns(proxy, declared, principals(resource, proxy))));
    }
    return attempts;
  }

  get ours(): number {
    return this.rehearsal.resources(this.stackName).filter(({ type }) => isOurs({ Type: type })).length;
  }

  /** What the handler has changed in databases, from its log. */
  get changes(): unknown[] {
    const lines = this.rehearsal.logs.flatMap(({ text }) => text.split('\n')).filter(line => line.startsWith('{'));
    return lines
      .map(line => JSON.parse(line) as { notice?: string; change?: string })
      .filter(({ notice }) => notice === 'changing')
      .map(({ change }) => change);
  }

  private async observe(event: StackEvent): Promise<void> {
    this.events.push(event);
    const state = this.rehearsal.resources(event.stackName).find(({ logicalId }) => logicalId === event.logicalId);
    if (state && isDatabase(state) && event.status === 'CREATE_COMPLETE') {
      this.database = state;
      this.born = this.before = await snapshot(this.server);
    }
    if (isOurs({ Type: event.type }) && event.status === 'DELETE_COMPLETE') {
      this.after = await snapshot(this.server);
    }
  }
}
