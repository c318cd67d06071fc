import { App, CfnResource, Validations } from 'aws-cdk-lib';
import * as nag3 from 'cdk-nag';
import * as nag2 from 'cdk-nag-2';
import { resourcesIn } from './apps';

/** What a rule of a pack says about a resource. */
export interface Finding {
  /** With the pack, and with which finding it is where a rule tells them apart: `AwsSolutions-IAM5[Resource::*]`. */
  readonly id: string;
  readonly path: string;
  readonly acknowledged: boolean;
}

const PACKS = [
  'AwsSolutionsChecks',
  'HIPAASecurityChecks',
  'NIST80053R4Checks',
  'NIST80053R5Checks',
  'PCIDSS321Checks',
  'ServerlessChecks',
] as const;

export type Version = 2 | 3;

/** What all packs of a version find, acknowledged or not. */
export function findingsOf(version: Version, app: App): Finding[] {
  return version === 2 ? findingsOf2(app) : findingsOf3(app);
}

/** What is acknowledged for a version, whether or not anything is found. */
export function acknowledgementsOf(version: Version, app: App): Omit<Finding, 'acknowledged'>[] {
  return resourcesIn(app).flatMap(resource =>
    (version === 2 ? idsFor2(resource) : idsFor3(resource)).map(id => ({ id, path: resource.node.path })),
  );
}

function idsFor2(resource: CfnResource): string[] {
  const { rules_to_suppress: rules = [] } = (resource.getMetadata('cdk_nag') ?? {}) as {
    rules_to_suppress?: { id: string; applies_to?: string[] }[];
  };
  return rules.flatMap(({ id, applies_to: findings }) => findings?.map(finding => `${id}[${finding}]`) ?? [id]);
}

function idsFor3({ node }: CfnResource): string[] {
  const entries = node.metadata.filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY);
  // One for each id, or all ids in each, as versions of CDK have it.
  const ids = entries
    .flatMap(({ data }) => Object.keys(data as Record<string, string>))
    .map(id => id.replace(/^annotation::/i, ''));
  return [...new Set(ids)];
}

function findingsOf3(app: App): Finding[] {
  return PACKS.flatMap((name) => {
    const pack = new nag3[name](app);
    const run = () =>
      pack
        .validateScope(app)
        .violations.flatMap(({ ruleName, violatingResources }) =>
          violatingResources.map(({ constructPath }) => ({ id: ruleName, path: constructPath! })),
        );
    const remaining = new Set(run().map(key));
    // It keeps to itself what is acknowledged.
    Object.assign(pack, { isAcknowledged: () => false });
    return run().map(finding => ({ ...finding, acknowledged: !remaining.has(key(finding)) }));
  });
}

const key = ({ id, path }: Omit<Finding, 'acknowledged'>) => `${id} ${path}`;

function findingsOf2(app: App): Finding[] {
  const findings: Finding[] = [];
  const found
    = (acknowledged: boolean) =>
      ({ ruleId, findingId, resource }: { ruleId: string; findingId?: string; resource: CfnResource }) => {
        findings.push({ id: findingId ? `${ruleId}[${findingId}]` : ruleId, path: resource.node.path, acknowledged });
      };
  const ignore = () => undefined;
  const logger: nag2.INagLogger = {
    onCompliance: ignore,
    onNotApplicable: ignore,
    onNonCompliance: data => found(false)(data),
    onError: data => found(false)(data),
    onSuppressed: data => found(true)(data),
    onSuppressedError: data => found(true)(data),
  };
  for (const name of PACKS) {
    const pack = new nag2[name]({ reports: false });
    Object.assign(pack, { loggers: [logger] }); // instead of errors at the constructs
    resourcesIn(app).forEach(resource => pack.visit(resource));
  }
  return findings;
}
