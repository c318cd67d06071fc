import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { CloudAssembly } from '../../rehearsal/cloudformation/cloud-assembly';
import { hasServer, isDatabase } from '../../rehearsal/cloudformation/database-servers';
import { StackEvent, StackResult } from '../../rehearsal/cloudformation/stack';
import { synthesize } from '../../rehearsal/cloudformation/synthesize';
import { ResourceDefinition, ResourceState, Template } from '../../rehearsal/cloudformation/template';
import { PolicyDocument, PolicyStatement } from '../../rehearsal/iam/policy-document';
import { Rehearsal } from '../../rehearsal/rehearsal';
import { declaredRoles } from '../../rehearsal/rehearse/declared-roles';
import { Attempt, measureAccess, principalsFor, SignInTarget, trySignIns } from '../../rehearsal/rehearse/measure-access';
import { resourceName } from '../../rehearsal/rehearse/resource-name';
import { selectStacks } from '../../rehearsal/rehearse/source';
import { snapshot } from '../lambda/catalog';

jest.setTimeout(180_000);

const ROOT = resolve(__dirname, '../..');
const APPS = [
  ...readdirSync(join(ROOT, 'examples')).map(name => `examples/${name}/app.ts`).filter(app => existsSync(join(ROOT, app))),
  ...readdirSync(join(ROOT, 'integ-tests')).filter(name => /^integ\..*\.ts$/.test(name) && !name.endsWith('.snapshot')).map(name => `integ-tests/${name}`),
];

/** Which role signs in as which user, at which replica and through which proxy, if so. Nobody else does. */
const SIGN_INS: Record<string, string[]> = {
  'examples/data-api/app.ts': ['Service as orders'],
  'examples/global-database/app.ts': ['Reports as reports', 'RegionalReports as reports at Cluster'],
  'examples/imported-cluster/app.ts': ['Service as reports'],
  'examples/isolated-subnets/app.ts': ['Service as orders'],
  'examples/no-password/app.ts': ['Reports as reports'],
  'examples/proxy/app.ts': ['ProxyRole as orders', 'Reports as reports', 'Service/ServiceRole as orders through Proxy'],
  'examples/quick-start/app.ts': ['Operator as mario.rossi@example.com'],
  'examples/rds-instance/app.ts': ['Service as orders', 'Reports as reports at Replica'],
  'examples/service-stack/app.ts': ['Service as billing', 'Pipeline as migrator'],
  'examples/shop/app.ts': ['ada role as ada', 'grace role as grace', 'migrator role as migrator', 'orders role as orders'],
  'examples/switch-on/app.ts': ['Service as reports'],
  'integ-tests/integ.no-password.ts': ['SignIn/ServiceRole as reports'],
  'integ-tests/integ.proxy.ts': ['ProxyRole as orders', 'SignIn/ServiceRole as orders through Proxy'],
  'integ-tests/integ.quick-start.ts': ['SignIn/ServiceRole as mario.rossi@example.com'],
};

type Resources = Record<string, ResourceDefinition>;
type Change = (resources: Resources) => Resources;

/** Users and group roles. */
const isOurs = ({ Type: type }: { Type: string }) => /^Custom::Rds(IamUsers?|Role)$/.test(type);
const oursIn = (resources: Resources) => Object.entries(resources).filter(([, definition]) => isOurs(definition));

/** The same assembly with one template changed. */
function changed(assembly: CloudAssembly, stackName: string, change: Change): CloudAssembly {
  const stacks = assembly.stacks.map(stack =>
    stack.name === stackName ? { ...stack, template: { ...stack.template, Resources: change(stack.template.Resources) } satisfies Template } : stack);
  return Object.create(assembly, { stacks: { value: stacks } }) as CloudAssembly;
}

const withProperties = (properties: object): Change => resources =>
  ({ ...resources, ...Object.fromEntries(oursIn(resources).map(([id, definition]) => [id, { ...definition, Properties: { ...definition.Properties, ...properties } }])) });

/** One more user, which has a privilege in a database that is not there. */
function withFailing(dependsOnOthers: boolean): Change {
  return (resources) => {
    const [[, { Properties }]] = oursIn(resources);
    const { ServiceToken, ServiceTimeout, Database } = Properties!;
    const properties = { ServiceToken, ServiceTimeout, Database, Username: 'nobody', Privileges: { nowhere: { Database: ['CONNECT'] } }, OnRemoval: { Action: 'DROP_OR_DISABLE' } };
    return { ...resources, Failing: { Type: 'Custom::RdsIamUser', Properties: properties, ...dependsOnOthers ? { DependsOn: oursIn(resources).map(([id]) => id) } : {} } };
  };
}

const both = (...changes: Change[]): Change => resources => changes.reduce((result, change) => change(result), resources);

class Run {
  static async of(app: string): Promise<Run> {
    const assembly = await synthesize(app);
    const { name } = assembly.stacks.filter(({ template }) => oursIn(template.Resources ?? {}).length > 0).at(-1)!;
    let run: Run | undefined = undefined;
    const rehearsal = await Rehearsal.start({ onEvent: event => run?.observe(event) });
    return run = new Run(assembly, name, rehearsal);
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
      const assertions = Object.entries(outputs).filter(([id]) => id.startsWith('AssertionResults')).map(([, result]) => JSON.parse(result) as { status: string });
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
    const roles = resources.filter(({ type }) => type === 'AWS::IAM::Role').map(role => ({
      name: resourceName(role.logicalId, role.definition), arn: role.attributes.Arn as string, credentials: this.rehearsal.credentialsOf(role),
    }));
    const declared = declaredRoles(resources, this.server.resourceId);
    const attempts: Attempt[] = [];
    const principals = (resource: ResourceState, target: SignInTarget) =>
      principalsFor(resource, target, roles, (arn, action, its) => this.rehearsal.allows(arn, action, its));
    const marked = (mark: string, { logicalId, definition }: ResourceState, here: Attempt[]) =>
      here.map(attempt => ({ ...attempt, username: `${attempt.username} ${mark} ${resourceName(logicalId, definition)}` }));
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
    return lines.map(line => JSON.parse(line) as { notice?: string; change?: string }).filter(({ notice }) => notice === 'changing').map(({ change }) => change);
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

describe.each(APPS)('%s', (app) => {
  let run: Run;
  beforeAll(async () => run = await Run.of(app));
  afterAll(() => run.rehearsal.close());

  test('is deployed, deployed again, changed, rolled back and destroyed, and the catalog ends as it began', async () => {
    expect(await run.deploy()).toMatchObject({ status: 'CREATE_COMPLETE' });
    const deployed = await snapshot(run.server);
    expect(run.ours).toBeGreaterThan(0);
    expect(run.assertions > 0).toBe(app.startsWith('integ-tests/'));

    const attempts = await run.signIns();
    expect(attempts.filter(({ outcome }) => outcome === 'yes').map(({ principal, username }) => `${principal} as ${username}`)).toEqual(SIGN_INS[app]);
    const others = attempts.filter(({ outcome }) => outcome !== 'yes');
    expect(others.length).toBeGreaterThan(0);
    expect(others.filter(({ outcome }) => outcome !== 'no')).toEqual([]);

    // Unchanged: nothing is called.
    expect(await run.deploy()).toMatchObject({ status: 'UPDATE_COMPLETE' });
    expect(run.rehearsal.logs).toEqual([]);

    // Called, and nothing to do.
    expect(await run.deploy(withProperties({ Reapply: 'now' }))).toMatchObject({ status: 'UPDATE_COMPLETE' });
    expect(run.events.filter(({ type, status }) => isOurs({ Type: type }) && status === 'UPDATE_COMPLETE')).toHaveLength(run.ours);
    expect(run.changes).toEqual([]);
    const reapplied = await snapshot(run.server);
    const shared = (state: unknown) => (state as { shared: unknown }).shared;
    expect(shared(reapplied)).toEqual(shared(deployed));

    // Without their privileges, and with them again because another user fails: after all of them, and beside them.
    for (const dependsOnOthers of [true, false]) {
      const narrowed = both(withProperties({ Privileges: {}, Reapply: 'now' }), withFailing(dependsOnOthers));
      const { status, reason } = await run.deploy(narrowed);
      expect(status).toBe('UPDATE_ROLLBACK_COMPLETE');
      expect(reason).toMatch(/^Failing \(Custom::RdsIamUser\): cannot grant CONNECT on database "nowhere" to "nobody": database "nowhere" does not exist \(SQLSTATE 3D000\)/);
      expect(run.changes.length).toBeGreaterThan(0);
      expect(withoutDeclarations(await snapshot(run.server))).toEqual(withoutDeclarations(reapplied));
    }

    // Changed for good.
    expect(await run.deploy(withProperties({ Privileges: {} }))).toMatchObject({ status: 'UPDATE_COMPLETE' });
    expect(isDeepStrictEqual(shared(await snapshot(run.server)), shared(deployed))).toBe(false);
    expect(await run.deploy()).toMatchObject({ status: 'UPDATE_COMPLETE' });
    expect(withoutDeclarations(await snapshot(run.server))).toEqual(withoutDeclarations(deployed));

    await run.destroy();
    expect(run.after).toEqual(run.born);
  });

  test('is rolled back as a whole when one user fails at the first deployment, and leaves nothing', async () => {
    for (const dependsOnOthers of [true, false]) {
      run.after = undefined;
      const { status, reason } = await run.deploy(withFailing(dependsOnOthers));
      expect(status).toBe('ROLLBACK_COMPLETE');
      expect(reason).toMatch(/^Failing \(Custom::RdsIamUser\): cannot grant CONNECT on database "nowhere"/);
      expect(run.after).toEqual(run.before);
      expect(run.rehearsal.resources(run.stackName)).toEqual([]);
    }
  });
});

describe('the roles of the provisioner', () => {
  let run: Run;
  beforeAll(async () => run = await Run.of('examples/quick-start/app.ts'));
  afterAll(() => run.rehearsal.close());

  /** Statements of its policies that the rehearsal decides by; the others are about logs and network interfaces. */
  const ACTIONS = ['secretsmanager:GetSecretValue', 'lambda:InvokeFunction'];

  const statements: Record<string, (statement: PolicyStatement) => PolicyStatement[]> = {
    'without it': () => [],
    'for another resource': ({ Resource, ...statement }) => [{ ...statement, Resource: { 'Fn::Join': ['', [Resource, 'x']] } as never }],
    'for another action': statement => [{ ...statement, Action: ['secretsmanager:DescribeSecret', 'lambda:GetFunction'] }],
  };

  test.each(ACTIONS.flatMap(action => Object.keys(statements).map(how => [action, how])))('%s, %s: the deployment fails and is rolled back', async (action, how) => {
    let found = 0;
    const { status, reason } = await run.deploy(resources => Object.fromEntries(Object.entries(resources).map(([id, definition]) => {
      const { PolicyDocument: document } = (definition.Properties ?? {}) as { PolicyDocument?: PolicyDocument };
      if (!document || !id.startsWith('IamAuthProvisioner')) {
        return [id, definition];
      }
      const Statement = [document.Statement].flat().flatMap((statement) => {
        const isIt = [statement.Action].flat().includes(action);
        found += isIt ? 1 : 0;
        // The framework asks whether the function is there, for minutes, before it gives up.
        const rest = action.startsWith('lambda:') ? [{ ...statement, Action: ['lambda:GetFunction'] }] : [];
        return isIt ? [...statements[how](statement), ...rest] : [statement];
      });
      return [id, { ...definition, Properties: { ...definition.Properties, PolicyDocument: { ...document, Statement } } }];
    })));
    expect(found).toBe(1);
    expect({ status, reason }).toEqual({ status: 'ROLLBACK_COMPLETE', reason: expect.stringMatching(new RegExp(`AccessDeniedException: .*not authorized to perform: ${action} on resource`)) as string });
    expect(run.rehearsal.resources(run.stackName)).toEqual([]);
  });

  test('as they are, it does not', async () => {
    expect(await run.deploy()).toMatchObject({ status: 'CREATE_COMPLETE' });
  });
});

/** The registry remembers what was declared at a moment; how it is written down there is no access. */
function withoutDeclarations(state: unknown): unknown {
  const { registry, ...others } = state as { registry: string[] };
  return { ...others, registry: registry.length };
}
