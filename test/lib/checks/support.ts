import { App, CfnResource, Stack } from 'aws-cdk-lib';
import { FAIL_SYNTH_ON_VALIDATION_ERRORS_CONTEXT } from 'aws-cdk-lib/cx-api';
import { IConstruct } from 'constructs';
import { IamAuthChecks } from '../../../lib';
import { readCloudAssembly } from '../../../lib/checks/app/cloud-assembly';
import { Resource } from '../../../lib/checks/app/template';
import { Rule } from '../../../lib/checks/rule';
import { IRELAND, logicalIdOf, newApp } from '../support';

/** What a test says of a finding: its id behind the one of the rule, and its text. */
export interface Said {
  readonly id: string;
  readonly description: string;
  readonly location: string;
}

/** An app whose synthesis neither prints a report nor sets the exit status of the process. */
export function quietApp(context: Record<string, unknown> = {}): App {
  return newApp({ [FAIL_SYNTH_ON_VALIDATION_ERRORS_CONTEXT]: false, ...context });
}

export function newStack(): Stack {
  return new Stack(quietApp(), 'Data', { env: IRELAND });
}

/** All that the plugin finds in an app, by the ids of findings. */
export function findingsIn(app: App): string[] {
  return reportOf(app)
    .violations.map(
      ({ ruleName, violatingResources: [{ resourceLogicalId }] }) => `${ruleName} at ${resourceLogicalId}`,
    )
    .sort();
}

export function reportOf(app: App, templatePaths = templatesOf(app)) {
  return new IamAuthChecks().validate({ templatePaths });
}

/** The templates of all stacks, those of stages included. */
export function templatesOf(app: App): string[] {
  return app.synth().stacksRecursively.map(({ templateFullPath }) => templateFullPath);
}

/** What a rule answers to the resource of a construct. */
export function answer(rule: Rule, construct: IConstruct): Answer<Said> {
  const { app } = readCloudAssembly(templatesOf(construct.node.root as App));
  const file = Stack.of(construct).templateFile;
  return answerTo(
    rule,
    app.resources.find(
      ({ logicalId, template }) => logicalId === logicalIdOf(construct) && template.file.endsWith(file),
    )!,
  );
}

type Answer<Found> = 'NOT_APPLICABLE' | 'COMPLIANT' | Found[];

export function answerTo(rule: Rule, resource: Resource): Answer<Said> {
  const said = rule.check(resource);
  return typeof said === 'string'
    ? said
    : said.map(({ what, unknown, problem, location }) => ({
        id: [...(unknown ? ['unknown'] : []), ...(what === undefined ? [] : [what])].join(' '),
        description: problem,
        location,
      }));
}

/** A resource as a template has it. */
export function resource(
  scope: IConstruct,
  id: string,
  type: string,
  properties: Record<string, unknown>,
): CfnResource {
  return new CfnResource(Stack.of(scope), id, { type, properties });
}
