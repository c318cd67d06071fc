import type { PolicyValidationPluginReport, PolicyViolation } from 'aws-cdk-lib';
import type { Acknowledgements } from './acknowledgements';
import type { SynthesizedApp } from './app/synthesized-app';
import type { Resource } from './app/template';
import type { Finding, Rule } from './rule';

/** Puts all rules to all resources, outputs and parameters. */
export function reportOf(
  { resources, declarations }: SynthesizedApp,
  rules: Rule[],
  acknowledgements: Acknowledgements,
): PolicyValidationPluginReport {
  const violations = [...resources, ...declarations]
    .flatMap(checked =>
      rules.flatMap((rule) => {
        const answer = rule.check(checked);
        return typeof answer === 'string'
          ? []
          : distinct(answer)
              .map(found => atConstruct(checked, found))
              .map(({ resource, finding }) => ({ resource, violation: violationOf(rule, resource, finding) }));
      }),
    )
    .filter(({ violation, resource }) => !acknowledgements.has(violation.ruleName, resource))
    .map(({ violation }) => violation);
  return { success: violations.every(({ severity }) => severity === WARNING), violations };
}

const WARNING = 'warning';

/** What is found in the template of a stack set is said of the stack set, which has a construct. */
function atConstruct(resource: Resource, finding: Finding): { readonly resource: Resource; readonly finding: Finding } {
  const { logicalId, template: { embeddedBy, isOfStackSet } } = resource;
  if (!embeddedBy || !isOfStackSet) {
    return { resource, finding };
  }
  const property = embeddedBy.properties.TemplateBody === undefined ? 'TemplateURL' : 'TemplateBody';
  return atConstruct(embeddedBy, {
    ...finding,
    what: [logicalId, ...finding.what === undefined ? [] : [finding.what]].join(' '),
    problem: `${logicalId} in the template of this stack set: ${finding.problem}`,
    location: `Properties/${property}/${logicalId}/${finding.location}`,
  });
}

function violationOf(
  { id, remedy, source, isWarning }: Rule,
  { logicalId, template: { file } }: Resource,
  { what, unknown, problem, location }: Finding,
): PolicyViolation {
  return {
    ruleName: findingId(id, what, unknown),
    description: unknown ? `cannot be told at synthesis: ${problem}` : problem,
    severity: unknown || isWarning ? WARNING : 'error',
    fix: remedy,
    ruleMetadata: { source },
    violatingResources: [{ resourceLogicalId: logicalId, templatePath: file, locations: [location] }],
  };
}

/**
 * The id that a finding is acknowledged by: `Rule`, or `Rule[what]` where there may be several about one resource. What
 * cannot be told has an id of its own, so that who has acknowledged that has not acknowledged that the rule is broken.
 *
 * CDK takes no `::` in an id that is acknowledged, nor braces without their partners, and makes hyphens of spaces.
 */
function findingId(rule: string, what: string | undefined, unknown = false): string {
  const details = [...unknown ? ['unknown'] : [], ...what === undefined ? [] : [what]];
  const detail = details.join(' ').replace(/:{2,}/g, ':').replaceAll(' ', '-');
  return detail === '' ? rule : `${rule}[${isBalanced(detail) ? detail : detail.replace(/[()[\]{}]/g, '_')}]`;
}

function isBalanced(text: string): boolean {
  const opened: string[] = [];
  for (const character of text.replace(/[^()[\]{}]/g, '')) {
    const at = ')]}'.indexOf(character);
    if (at < 0) {
      opened.push(character);
    } else if (opened.pop() !== '([{'[at]) {
      return false;
    }
  }
  return opened.length === 0;
}

/** Two statements with the same in them are one finding: the first. */
function distinct(findings: Finding[]): Finding[] {
  const found = new Map<string, Finding>();
  for (const finding of findings) {
    const key = JSON.stringify([finding.what, finding.unknown]);
    found.set(key, found.get(key) ?? finding);
  }
  return [...found.values()];
}
