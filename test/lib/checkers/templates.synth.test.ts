import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CelEngine, Engine, TemplateFile } from '@aws/cloudformation-validate';
import { CfnGuardValidator } from '@cdklabs/cdk-validator-cfnguard';
import { App, Stack } from 'aws-cdk-lib';
import * as rds from 'aws-cdk-lib/aws-rds';
import { InstanceIamAuth } from '../../../lib';
import { firstOf, full } from '../../full';
import { newApp, newCluster, newInstance, vpcOf } from '../support';
import { clusterApp, EXAMPLE_NAMES, exampleApp, isOurs, resourcesIn, strict } from './apps';

interface Problem {
  readonly rule: string;
  readonly stackName: string;
  readonly logicalId: string;
}

/** `rule at resource of stack`, of what is ours. */
function ours(app: App, problems: Problem[]): string[] {
  const places = new Set(
    resourcesIn(app)
      .filter(isOurs)
      .map(resource => `${resource.stack.stackName} ${resource.stack.resolve(resource.logicalId) as string}`),
  );
  return problems
    .filter(({ logicalId, stackName }) => places.has(`${stackName} ${logicalId}`))
    .map(({ rule, logicalId, stackName }) => `${rule} at ${logicalId.replace(/[0-9A-F]{8}$/, '')} of ${stackName}`)
    .sort();
}

const templatesOf = (app: App) =>
  app.synth().stacks.map(({ stackName, templateFullPath }) => ({ stackName, file: templateFullPath }));

full.describe('AWS\'s validator of templates', () => {
  let engine: Engine;
  beforeAll(() => engine = new CelEngine());
  afterAll(() => engine.free());

  /**
   * W3005: a dependency that is there already. CDK writes it for every function with a role, and does not look at it
   * where it validates itself.
   */
  const problemsIn = (file: string) =>
    engine
      .validateStandard(new TemplateFile(file), { severityLevel: 'WARN', strict: true })
      .diagnostics.filter(({ ruleId }) => ruleId !== 'W3005')
      .map(({ ruleId, message, entity }) => `${ruleId} ${message} at ${entity?.logicalId}`);

  /** The rule that CDK makes between a proxy and its database, on a port that the validator does not see. */
  const PROXY_RULE = /^E3687 .* at ClusterSecurityGroupfrom\w*Proxy\w*IndirectPort/;

  test.each(firstOf<[string, () => App]>(2, [
    ['an app with all that may be asked of the provisioner', () => clusterApp(strict)],
    ...EXAMPLE_NAMES.map((name): [string, () => App] => [`the example ${name}`, () => exampleApp(name)]),
  ]))('has nothing to say about %s', (_, build) => {
    const templates = templatesOf(build());
    expect(templates.length).toBeGreaterThan(0);
    expect(templates.flatMap(({ file }) => problemsIn(file)).filter(problem => !PROXY_RULE.test(problem))).toEqual([]);
  });

  full.test('does not see the port of an instance that is restored', () => {
    const app = newApp();
    const stack = new Stack(app, 'Data');
    const instance = new rds.DatabaseInstanceFromSnapshot(stack, 'Instance', {
      engine: rds.DatabaseInstanceEngine.postgres({ version: rds.PostgresEngineVersion.VER_17 }),
      vpc: vpcOf(stack),
      snapshotIdentifier: 'snapshot',
      credentials: rds.SnapshotCredentials.fromGeneratedSecret('chief'),
    });
    new InstanceIamAuth(stack, 'IamAuth', { instance }).addUser('app');
    expect(problemsIn(templatesOf(app)[0].file).map(problem => problem.slice(0, 5)).sort()).toEqual(['E3687', 'E3687']);
  });

  test('control: sees what is wrong', () => {
    const [{ file }] = templatesOf(clusterApp());
    const broken = join(process.env.TMPDIR!, 'broken.template.json');
    writeFileSync(
      broken,
      readFileSync(file, 'utf8')
        .replace('"Deny"', '"Denied"')
        .replace('"nodejs24.x"', '"nodejs1.x"')
        .replace('"SecurityGroupIds"', '"SecurityGroups"'),
    );
    expect(
      problemsIn(broken).map(problem =>
        problem
          .split(' at ')
          .at(-1)!
          .replace(/[0-9A-F]{8}$/, ''),
      ),
    ).toEqual(expect.arrayContaining(['IamAuthProvisionerHandlerRolePolicy', 'IamAuthProvisionerHandler']));
  });
});

describe('CloudFormation Guard', () => {
  const RULES = join(
    require.resolve('@cdklabs/cdk-validator-cfnguard/package.json'),
    '../rules/control-tower/cfn-guard',
  );

  /** With some rules, or all of Control Tower's. */
  function problemsIn(app: App, ...rules: string[]): Problem[] {
    const guard = new CfnGuardValidator(
      rules.length > 0 ? { controlTowerRulesEnabled: false, rules: rules.map(rule => join(RULES, rule)) } : {},
    );
    return templatesOf(app).flatMap(({ stackName, file }) => {
      const { violations } = guard.validate({ templatePaths: [file] });
      return violations.flatMap(({ ruleName, violatingResources }) =>
        violatingResources.map(({ resourceLogicalId }) => ({
          rule: ruleName,
          stackName,
          logicalId: resourceLogicalId,
        })),
      );
    });
  }

  const LOGS = ['encrypted', 'retention_period'].map(
    of => `cloudwatch_log_group_${of}_check at IamAuthProvisionerLogs of QuickStart`,
  );

  full.test('finds in all controls of Control Tower what properties are for, and nothing else', () => {
    const app = exampleApp('quick-start');
    expect(ours(app, problemsIn(app))).toEqual(
      [...LOGS, 'lambda_inside_vpc_check at IamAuthProvisionerProviderframeworkonEvent of QuickStart'].sort(),
    );
  });

  full.test('finds nothing in any control where all is asked of the provisioner', () => {
    const app = clusterApp(strict);
    const problems = problemsIn(app);
    expect(problems.length).toBeGreaterThan(0); // of the database
    expect(ours(app, problems)).toEqual([]);
  });

  full.test('does not see that a function is in subnets of another stack', () => {
    const app = exampleApp('service-stack');
    expect(ours(app, problemsIn(app, 'lambda/ct-lambda-pr-3.guard'))).toEqual([
      'lambda_inside_vpc_check at IamAuthProvisionerProviderframeworkonEvent of Data',
      'lambda_inside_vpc_check at ProvisionerDataIamAuthHandler of Billing',
      'lambda_inside_vpc_check at ProvisionerDataIamAuthProviderframeworkonEvent of Billing',
    ]);
  });

  describe.each([
    ['CT.RDS.PR.4, a cluster', 'rds/ct-rds-pr-4.guard', () => clusterApp(), (stack: Stack) => newCluster(stack)],
    ['CT.RDS.PR.7, an instance', 'rds/ct-rds-pr-7.guard', () => {
      const app = newApp();
      const stack = new Stack(app, 'Data');
      new InstanceIamAuth(stack, 'IamAuth', { instance: newInstance(stack) }).addUser('app');
      return app;
    }, (stack: Stack) => newInstance(stack)],
  ] as const)('%s', (_, rule, withUs, build) => {
    test('passes', () => expect(problemsIn(withUs(), rule)).toEqual([]));

    test('control: fails without us', () => {
      const app = newApp();
      build(new Stack(app, 'Data'));
      expect(problemsIn(app, rule)).toHaveLength(1);
    });
  });
});
