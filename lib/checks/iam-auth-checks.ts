import type { IPolicyValidationContext, IPolicyValidationPlugin, PolicyValidationPluginReport } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { Acknowledgements } from './acknowledgements';
import { readCloudAssembly } from './app/cloud-assembly';
import { reportOf } from './report';
import { RULES } from './rules';

/**
 * Checks what a whole app does with IAM database authentication of PostgreSQL, when it is synthesized.
 *
 * Reads the templates as they deploy, follows references from stack to stack, and finds databases without IAM
 * authentication, grants that allow signing in as more than one user, workloads that can read the password of a master,
 * proxies that cannot sign in, and connections without TLS. `docs/checks.md` has the rules.
 *
 * A rule that is broken fails the synthesis. What only the deployment knows, such as a parameter, is a warning. Both
 * are silenced for a construct and what is in it by acknowledging the id that the report gives:
 * `Validations.of(construct).acknowledge({ id, reason })`.
 *
 * @example
 * Validations.of(app).addPlugins(new IamAuthChecks());
 */
export class IamAuthChecks implements IPolicyValidationPlugin {
  /** Name of the plugin, in the report. */
  public readonly name = 'IamAuthChecks';

  /** The ids of the rules. */
  public readonly ruleIds?: string[] = RULES.map(({ id }) => id);

  /**
   * Called by CDK when the templates have been written.
   *
   * @param context where the templates are
   * @returns the findings that are not acknowledged
   */
  public validate(context: IPolicyValidationContext): PolicyValidationPluginReport {
    const { app, metadata } = readCloudAssembly(context.templatePaths);
    // Newer versions of CDK hand it over.
    const { appConstruct } = context as { appConstruct?: IConstruct };
    return reportOf(app, RULES, new Acknowledgements(metadata, appConstruct));
  }
}
