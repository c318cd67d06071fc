/** What CloudFormation has made of templates. */
import {
  CloudFormationClient,
  DescribeStackResourceCommand,
  DescribeStackResourcesCommand,
  GetTemplateCommand,
  ListExportsCommand,
} from '@aws-sdk/client-cloudformation';
import { AwsApi, missing } from './api';
import { Template } from '../../../rehearsal/cloudformation/template';
import { NotPossible } from '../../deployed/not-possible';
import { parseTemplate } from '../../deployed/parse-template';
import { isSeen, Seen } from '../observations';

export class DeployedResources {
  constructor(private readonly api: AwsApi) {}

  /** Physical id of a resource of a stack, which is named by its name or ARN; undefined if there is none. */
  async find(stack: string, logicalId: string): Promise<Seen<string | undefined>> {
    return this.ifThere('cloudformation:DescribeStackResource', async () => {
      const { StackResourceDetail } = await this.api.client(CloudFormationClient).send(
        new DescribeStackResourceCommand({ StackName: stack, LogicalResourceId: logicalId }),
      );
      return StackResourceDetail?.PhysicalResourceId;
    });
  }

  /** ARN of the stack that has made a resource; undefined if none has. */
  async stackOf(physicalId: string): Promise<Seen<string | undefined>> {
    return this.ifThere('cloudformation:DescribeStackResources', async () => {
      const { StackResources: [resource] = [] } = await this.api.client(CloudFormationClient).send(
        new DescribeStackResourcesCommand({ PhysicalResourceId: physicalId }),
      );
      return resource?.StackId;
    });
  }

  /** As it was uploaded; undefined if there is no such stack. */
  async template(stack: string): Promise<Seen<Template | undefined>> {
    return this.ifThere('cloudformation:GetTemplate', async () => {
      const { TemplateBody: body = '' } = await this.api.client(CloudFormationClient).send(
        new GetTemplateCommand({ StackName: stack, TemplateStage: 'Original' }),
      );
      return readable(body, stack);
    });
  }

  /** The same of one that must be there. */
  async physicalId(stack: string, logicalId: string): Promise<Seen<string>> {
    const found = await this.find(stack, logicalId);
    return isSeen(found)
      ? found.value === undefined ? { unseen: `stack ${stack} has no resource ${logicalId}` } : { value: found.value }
      : found;
  }

  async exportedValue(name: string): Promise<Seen<string>> {
    return this.api.see('cloudformation:ListExports', async () => {
      for (let token: string | undefined, page = 0; page === 0 || token !== undefined; page++) {
        const { Exports = [], NextToken } = await this.api.client(CloudFormationClient).send(
          new ListExportsCommand({ NextToken: token }),
        );
        const value = Exports.find(({ Name }) => Name === name)?.Value;
        if (value !== undefined) {
          return value;
        }
        token = NextToken;
      }
      return missing(`no stack exports ${name} in Region ${this.api.region} of this account`);
    });
  }

  private async ifThere<Value>(permission: string, ask: () => Promise<Value>): Promise<Seen<Value | undefined>> {
    return this.api.see(permission, async () => {
      try {
        return await ask();
      } catch (error) {
        // As for DescribeStacks, no other error is documented: "Resource ... does not exist for stack ...", "Stack ...
        // does not exist".
        if ((error as Error).name === 'ValidationError' && /does not exist/.test((error as Error).message)) {
          return undefined;
        }
        throw error;
      }
    });
  }
}

function readable(text: string, stack: string): Template {
  try {
    return parseTemplate(text, stack);
  } catch (error) {
    if (error instanceof NotPossible) {
      missing(error.message);
    }
    throw error;
  }
}
