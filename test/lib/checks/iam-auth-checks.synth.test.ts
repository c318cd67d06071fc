import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, AppProps, CfnParameter, CfnResource, Fn, NestedStack, Stack, Stage, Validations } from 'aws-cdk-lib';
import * as rds from 'aws-cdk-lib/aws-rds';
import { IConstruct } from 'constructs';
import { IamAuthChecks } from '../../../lib';
import { RULES } from '../../../lib/checks/rules';
import { findingsIn, quietApp, reportOf, resource, templatesOf } from './support';

const OFF = 'IamAuth-AuthenticationOff';
const acknowledge = (construct: IConstruct, id: string) => Validations.of(construct).acknowledge({ id, reason: 'It is tried out.' });

/** An instance that nobody can sign in to with IAM. */
function off(scope: IConstruct, id: string): CfnResource {
  return resource(scope, id, 'AWS::RDS::DBInstance', { Engine: 'postgres', EngineVersion: '17' });
}

interface Violation {
  readonly ruleName: string;
  readonly violatingConstructs: { readonly constructPath: string }[];
}

/** What CDK writes about a synthesis: the findings that fail it or warn, by their ids, and the paths of constructs. The report is another one in newer versions. */
function reportOfCdk(app: App): Record<string, string[]> {
  const { directory } = app.synth();
  const file = ['policy-validation-report.json', 'validation-report.json'].map(name => join(directory, name)).find(existsSync)!;
  const { pluginReports } = JSON.parse(readFileSync(file, 'utf8')) as { pluginReports: { pluginName?: string; summary?: { pluginName: string }; violations: Violation[] }[] };
  const violations = pluginReports.filter(({ pluginName, summary }) => (pluginName ?? summary?.pluginName) === 'IamAuthChecks').flatMap(report => report.violations);
  return Object.fromEntries(violations.map(({ ruleName, violatingConstructs }) => [ruleName, violatingConstructs.map(({ constructPath }) => constructPath)]));
}

/** What the synthesis prints when it fails, or throws, as newer versions do in a test. */
function failureOf(app: App): string {
  const before = process.exitCode;
  try {
    app.synth();
    return process.exitCode === 1 ? jest.mocked(console.error).mock.calls.flat().join('\n') : 'none';
  } catch (error) {
    return (error as Error).message;
  } finally {
    process.exitCode = before;
  }
}

// CDK says that it validates, and that the old way is old.
beforeEach(() => (['error', 'warn'] as const).forEach(name => jest.spyOn(console, name).mockImplementation(() => undefined)));
afterEach(() => jest.restoreAllMocks());

describe('IamAuthChecks', () => {
  test('has rules with ids that are permanent', () => {
    expect(new IamAuthChecks().ruleIds).toEqual([
      OFF, 'IamAuth-ConnectWildcard', 'IamAuth-ConnectCondition', 'IamAuth-UnescapedUsername', 'IamAuth-MasterSecretReadable', 'IamAuth-MasterPasswordModifiable', 'IamAuth-ProvisionerInvocable',
      'IamAuth-ProvisionerWildcard', 'IamAuth-ProxyCannotConnect', 'IamAuth-MasterWithPassword', 'IamAuth-ForceSslOff',
      'IamAuth-SignInErrorsNotExported',
    ]);
    expect(RULES.filter(({ source }) => !/^https:\/\/(docs\.aws\.amazon\.com|repost\.aws\/knowledge-center)\//.test(source))).toEqual([]);
  });

  test('says what, where, why and what to do', () => {
    const app = quietApp();
    off(new Stack(app, 'Data'), 'Database');
    const [template] = templatesOf(app);
    expect(reportOf(app)).toEqual({
      success: false,
      violations: [{
        ruleName: OFF,
        severity: 'error',
        description: 'EnableIAMDatabaseAuthentication is not set, so that no user can sign in with IAM, and each signs in with a password',
        fix: 'set iamAuthentication: true, or apply ClusterIamAuthEnabled or InstanceIamAuthEnabled',
        ruleMetadata: { source: 'https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Enabling.html' },
        violatingResources: [{ resourceLogicalId: 'Database', templatePath: template, locations: ['Properties/EnableIAMDatabaseAuthentication'] }],
      }],
    });
  });

  test('warns of what cannot be told, and goes on', () => {
    const app = quietApp();
    const stack = new Stack(app, 'Data');
    new CfnParameter(stack, 'Open');
    resource(stack, 'Database', 'AWS::RDS::DBInstance', { Engine: 'postgres', EngineVersion: '17', EnableIAMDatabaseAuthentication: Fn.ref('Open') });
    expect(reportOf(app)).toMatchObject({
      success: true,
      violations: [{ ruleName: `${OFF}[unknown]`, severity: 'warning', description: 'cannot be told at synthesis: EnableIAMDatabaseAuthentication is <Open>, and unless that is true no user can sign in with IAM' }],
    });
  });

  test.each<[string, (app: App) => void]>([
    ['Validations', app => Validations.of(app).addPlugins(new IamAuthChecks())],
    ['Validations of a stage', (app) => { Validations.of(app.node.findChild('Prod')).addPlugins(new IamAuthChecks()); }],
  ])('is run by CDK, which adds the path of the construct: %s', (_, add) => {
    const app = quietApp();
    off(new Stack(new Stage(app, 'Prod'), 'Data'), 'Database');
    add(app);
    expect(reportOfCdk(app)).toEqual({ [OFF]: ['Prod/Data/Database'] });
  });

  test('is run by CDK where it is given in the old way', () => {
    const app = new App({
      context: { '@aws-cdk/core:failSynthOnValidationErrors': false },
      policyValidationBeta1: [new IamAuthChecks()] as unknown as AppProps['policyValidationBeta1'],
    });
    off(new Stack(app, 'Data'), 'Database');
    expect(reportOfCdk(app)).toEqual({ [OFF]: ['Data/Database'] });
  });

  test('fails a synthesis, and says what, where and what to do', () => {
    const app = new App();
    off(new Stack(app, 'Data'), 'Database');
    Validations.of(app).addPlugins(new IamAuthChecks());
    const failure = failureOf(app);
    for (const text of [OFF, 'Data/Database', 'EnableIAMDatabaseAuthentication is not set', 'set iamAuthentication: true, or apply']) {
      expect(failure).toContain(text);
    }
  });

  test('does not fail one for what cannot be told', () => {
    const app = new App();
    const stack = new Stack(app, 'Data');
    new CfnParameter(stack, 'Open');
    resource(stack, 'Database', 'AWS::RDS::DBInstance', { Engine: 'postgres', EngineVersion: '17', EnableIAMDatabaseAuthentication: Fn.ref('Open') });
    Validations.of(app).addPlugins(new IamAuthChecks());
    expect(failureOf(app)).toBe('none');
    expect(reportOfCdk(app)).toEqual({ [`${OFF}[unknown]`]: ['Data/Database'] });
  });

  test('looks at a template once, however often CDK names it', () => {
    const app = quietApp();
    off(new Stack(app, 'Data'), 'Database');
    const templates = templatesOf(app);
    expect(reportOf(app, [...templates, ...templates]).violations).toHaveLength(1);
  });
});

describe('what is acknowledged', () => {
  test('is no finding: on the resource, on a construct around it, on the stack', () => {
    for (const at of ['Data/Database', 'Data']) {
      const app = quietApp();
      off(new Stack(app, 'Data'), 'Database');
      acknowledge(app.node.findAll().find(({ node }) => node.path === at)!, OFF);
      expect(reportOf(app)).toEqual({ success: true, violations: [] });
    }
  });

  test('is acknowledged there, and nowhere else', () => {
    const app = quietApp();
    const [one, other] = ['One', 'Other'].map(id => new Stack(app, id));
    acknowledge(off(one, 'Database'), OFF);
    off(one, 'Second');
    off(other, 'Database');
    expect(findingsIn(app)).toEqual([`${OFF} at Database`, `${OFF} at Second`]);
  });

  test('is what was found, and nothing else', () => {
    const app = quietApp();
    const stack = new Stack(app, 'Data');
    acknowledge(off(stack, 'Database'), `${OFF}[unknown]`);
    const policy = resource(stack, 'Policy', 'AWS::IAM::ManagedPolicy', {
      PolicyDocument: { Version: '2012-10-17', Statement: ['*/*', 'cluster-A/*'].map(name => ({ Effect: 'Allow', Action: 'rds-db:connect', Resource: `arn:aws:rds-db:eu-west-1:111111111111:dbuser:${name}` })) },
    });
    acknowledge(policy, 'IamAuth-ConnectWildcard');
    acknowledge(policy, 'IamAuth-ConnectWildcard[dbuser:*/*]');
    expect(findingsIn(app)).toEqual([`${OFF} at Database`, 'IamAuth-ConnectWildcard[dbuser:cluster-A/*] at Policy']);
  });

  test('can be acknowledged, whatever is in the name', () => {
    const [names, build] = [['a]*', '{*', 'a b*', 'x::y*', '${aws:username}', '(*)'], () => {
      const app = quietApp();
      const policy = resource(new Stack(app, 'Data'), 'Policy', 'AWS::IAM::ManagedPolicy', {
        PolicyDocument: { Version: '2012-10-17', Statement: names.map(name => ({ Effect: 'Allow', Action: 'rds-db:connect', Resource: `arn:aws:rds-db:eu-west-1:111111111111:dbuser:cluster-A/${name}` })) },
      });
      return { app, policy };
    }];
    const ids = reportOf(build().app).violations.map(({ ruleName }) => ruleName);
    // CDK 2.276 takes no brace without its partner.
    expect(ids).toEqual(['a_*', '_*', 'a-b*', 'x:y*', '${aws:username}', '(*)'].map(name => `IamAuth-UnescapedUsername[dbuser:cluster-A/${name}]`));
    const { app, policy } = build();
    ids.forEach(id => acknowledge(policy, id));
    expect(reportOf(app).violations).toEqual([]);
  });

  test('can be acknowledged in a nested stack, whose logical ids are those of the stack around it', () => {
    const app = quietApp();
    const stack = new Stack(app, 'Data');
    const nested = new NestedStack(stack, 'Nested');
    off(stack, 'Database');
    acknowledge(off(nested, 'Database'), OFF);
    const within = reportOf(app).violations.map(({ violatingResources: [{ templatePath }] }) => templatePath);
    expect(within).toEqual([expect.stringMatching(/Data\.template\.json$/)]);
  });

  test('is acknowledged in the spelling of newer versions of CDK as well', () => {
    const app = quietApp();
    off(new Stack(app, 'Data'), 'Database').node.addMetadata(Validations.ACKNOWLEDGED_RULES_METADATA_KEY, { [`Annotation::${OFF}`]: 'It is tried out.' });
    expect(reportOf(app).violations).toEqual([]);
  });

  test('can be acknowledged by what CDK takes for the whole app', () => {
    const app = quietApp();
    off(new Stack(app, 'Data'), 'Database');
    Validations.of(app).addPlugins(new IamAuthChecks());
    acknowledge(app, `IamAuthChecks::${OFF}`);
    expect(reportOfCdk(app)).toEqual({});
  });

  test('can be acknowledged on the app, where CDK hands it over', () => {
    const app = quietApp();
    off(new Stack(app, 'Data'), 'Database');
    acknowledge(app, OFF);
    const templatePaths = templatesOf(app);
    const context = { templatePaths, appConstruct: app };
    expect(new IamAuthChecks().validate({ templatePaths }).violations).toHaveLength(1);
    expect(new IamAuthChecks().validate(context).violations).toEqual([]);
  });
});

describe('a nested stack', () => {
  test('has its database, and refers to it from the stack around it and back', () => {
    const app = quietApp();
    const stack = new Stack(app, 'Data');
    const nested = new NestedStack(stack, 'Nested');
    const cluster = new rds.CfnDBCluster(nested, 'Cluster', { engine: 'aurora-postgresql', engineVersion: '17.7' });
    const arn = (name: string) => `arn:aws:rds-db:eu-west-1:111111111111:dbuser:${name}`;
    const policy = (scope: Stack, id: string, Resource: unknown) => resource(scope, id, 'AWS::IAM::ManagedPolicy', { PolicyDocument: { Statement: [{ Effect: 'Allow', Action: 'rds-db:connect', Resource }] } });
    const outer = new rds.CfnDBCluster(stack, 'Outer', { engine: 'aurora-postgresql', engineVersion: '17.7', enableIamDatabaseAuthentication: true, enableCloudwatchLogsExports: ['iam-db-auth-error'] });
    policy(stack, 'FromOutside', arn(`${cluster.attrDbClusterResourceId}/*`));
    policy(nested, 'FromInside', arn(`${outer.attrDbClusterResourceId}/*`));
    expect(findingsIn(app)).toEqual([
      `${OFF} at Cluster`,
      'IamAuth-ConnectWildcard[dbuser:<Cluster.DBClusterResourceId>/*] at FromOutside',
      'IamAuth-ConnectWildcard[dbuser:<Outer.DBClusterResourceId>/*] at FromInside',
    ]);
  });
});

test('a value that CDK carries to another Region is followed', () => {
  const app = quietApp();
  const [data, replica] = ['eu-west-1', 'us-east-1'].map(region => new Stack(app, region, { env: { account: '111111111111', region }, crossRegionReferences: true }));
  const cluster = new rds.CfnDBCluster(data, 'Cluster', { engine: 'aurora-postgresql', engineVersion: '17.7', enableIamDatabaseAuthentication: true, enableCloudwatchLogsExports: ['iam-db-auth-error'] });
  resource(replica, 'Policy', 'AWS::IAM::ManagedPolicy', {
    PolicyDocument: { Statement: [{ Effect: 'Allow', Action: 'rds-db:connect', Resource: `arn:aws:rds-db:eu-west-1:111111111111:dbuser:${cluster.attrDbClusterResourceId}/*` }] },
  });
  expect(findingsIn(app)).toEqual(['IamAuth-ConnectWildcard[dbuser:<Cluster.DBClusterResourceId>/*] at Policy']);
});
