import { PolicyValidationPluginReport, PolicyViolation } from 'aws-cdk-lib';
import type { Acknowledgements } from './acknowledgements';
import type { Resource } from './app/template';
import { Finding, Rule } from './rule';

/** Puts all rules to all resources. */
export function reportOf(resources: Resource[], rules: Rule[], acknowledgements: Acknowledgements): PolicyValidationPluginReport {
  const violations = resources.flatMap(resource => rules.flatMap((rule) => {
    const answer = rule.check(resource);
    return typeof answer === 'string' ? [] : distinct(answer).map(finding => ({ finding, resource, violation: violationOf(rule, resource, finding) }));
  })).filter(({ violation, resource }) => !acknowledgements.has(violation.ruleName, resource)).map(({ violation }) => violation);
  return { success: violations.every(({ severity }) => severity === WARNING), violations };
}

const WARNING = 'warning';

function violationOf({ id, remedy, source }: Rule, { logicalId, template: { file } }: Resource, { what, unknown, problem, location }: Finding): PolicyViolation {
  return {
    ruleName: findingId(id, what, unknown),
    description: unknown ? `cannot be told at synthesis: ${problem}` : problem,
    severity: unknown ? WARNING : 'error',
    fix: remedy,
    ruleMetadata: { source },
    violatingResources: [{ resourceLogicalId: logicalId, templatePath: file, locations: [location] }],
  };
}

/**
 * The id that a finding is acknowledged by: `Rule`, or `Rule[what]` where there may be several about one resource. What cannot be told has an id of its own, so that
 * who has acknowledged that has not acknowledged that the rule is broken.
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

/** Two statements with the same in them are one finding. */
function distinct(findings: Finding[]): Finding[] {
  return [...new Map(findings.map(finding => [JSON.stringify([finding.what, finding.unknown]), finding])).values()];
}
