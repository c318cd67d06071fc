import { parseDocument } from 'yaml';
import { NotPossible } from './not-possible';
import { Template } from '../../rehearsal/cloudformation/template';

/**
 * A template as it was uploaded: the CDK CLI uploads JSON, and small ones as YAML without short forms of functions.
 *
 * @see https://github.com/aws/aws-cdk-cli/blob/main/packages/%40aws-cdk/toolkit-lib/lib/util/yaml-cfn.ts
 */
export function parseTemplate(text: string, stackName: string): Template {
  try {
    return complete(JSON.parse(text) as Partial<Template>);
  } catch {
    const document = parseDocument(text, { schema: 'core', logLevel: 'silent' });
    const [problem] = [...document.errors, ...document.warnings];
    const content = problem ? undefined : document.toJS() as unknown;
    if (typeof content !== 'object' || content === null) {
      throw new NotPossible(
        `the template of stack ${stackName} is not read: ${problem?.message.split('\n')[0] ?? 'it is no object'}; deploy it with the CDK CLI, which writes no short forms`,
      );
    }
    return complete(content);
  }
}

function complete(template: Partial<Template>): Template {
  return { ...template, Resources: template.Resources ?? {} };
}
