/** What CloudFormation has made of templates. */
import { CloudFormationClient, DescribeStackResourceCommand, ListExportsCommand } from '@aws-sdk/client-cloudformation';
import { AwsApi, missing } from './api';
import { isSeen, Seen } from '../observations';

export class DeployedResources {
  constructor(private readonly api: AwsApi) {}

  /** Physical id of a resource of a stack, which is named by its name or ARN; undefined if there is none. */
  async find(stack: string, logicalId: string): Promise<Seen<string | undefined>> {
    return this.api.see('cloudformation:DescribeStackResource', async () => {
      try {
        const { StackResourceDetail } = await this.api.client(CloudFormationClient).send(
          new DescribeStackResourceCommand({ StackName: stack, LogicalResourceId: logicalId }),
        );
        return StackResourceDetail?.PhysicalResourceId;
      } catch (error) {
        // As for DescribeStacks, no other error is documented: "Resource ... does not exist for stack ...", "Stack ... does not exist".
        if ((error as Error).name === 'ValidationError' && /does not exist/.test((error as Error).message)) {
          return undefined;
        }
        throw error;
      }
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
}
