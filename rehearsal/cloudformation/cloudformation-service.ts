import { AwsAnswer, AwsCall, AwsService } from './aws-endpoint';
import { Authorize } from './secrets-manager';
import { Stack } from './stack';
import { Template } from './template';
import { fault, parametersOf, result } from '../rds-api/query-protocol';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/Welcome.html */
const VERSION = '2010-05-15';

/** The reference names no number of resources on a page; this is as many as the service gives. */
const RESOURCES_PER_PAGE = 100;

const ACTIONS = ['DescribeStacks', 'GetTemplate', 'ListStackResources'];

export interface CloudFormationSurroundings {
  readonly authorize: Authorize;
  /** ARN of who an access key belongs to. */
  readonly principal: (accessKeyId: string) => string | undefined;
  readonly stacks: () => Stack[];
  /** What was uploaded for a stack, in place of what is carried out. */
  readonly original: (stack: Stack) => Template | undefined;
}

/** What CloudFormation tells of stacks, to whom policies allow it. */
export class CloudFormationService {
  constructor(private readonly surroundings: CloudFormationSurroundings) {}

  readonly service: AwsService = (call) => {
    const { Action: action, ...parameters } = parametersOf(call, VERSION) ?? {};
    return ACTIONS.includes(action) ? this.answer(call, action, parameters) : undefined;
  };

  private answer(
    { accessKeyId, region }: AwsCall,
    action: string,
    { StackName: name = '', ...others }: Record<string, string>,
  ): AwsAnswer {
    const principal = this.surroundings.principal(accessKeyId) ?? '';
    const [, partition, , , account] = principal.split(':');
    // A name is asked for with a star in place of what makes the id unique.
    const asked = name.startsWith('arn:')
      ? name
      : `arn:${partition}:cloudformation:${region}:${account}:stack/${name}/*`;
    if (!this.surroundings.authorize(accessKeyId, `cloudformation:${action}`, asked)) {
      return fault(
        403,
        'AccessDenied',
        `User: ${principal} is not authorized to perform: cloudformation:${action} on resource: ${asked} because no identity-based policy allows the cloudformation:${action} action`,
      );
    }
    const stack = this.surroundings
      .stacks()
      .find(
        ({ identity, status }) =>
          status !== undefined
          && (name === identity.id
            || (name === identity.name
              && identity.account === account
              && identity.region === region
              && status !== 'DELETE_COMPLETE')),
      );
    if (!stack) {
      return fault(
        400,
        'ValidationError',
        action === 'DescribeStacks' ? `Stack with id ${name} does not exist` : `Stack '${name}' does not exist`,
      );
    }
    switch (action) {
      case 'DescribeStacks': return this.describe(stack);
      case 'GetTemplate':
        return result(action, {
          TemplateBody: JSON.stringify(this.surroundings.original(stack) ?? {}),
          StagesAvailable: { member: ['Original', 'Processed'] },
        });
      default: return resources(stack, others.NextToken);
    }
  }

  /** @see https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Parameter.html */
  private describe(stack: Stack): AwsAnswer {
    const original = this.surroundings.original(stack)?.Parameters ?? {};
    const parameters = Object.entries(stack.deployed?.Parameters ?? {}).map(
      ([ParameterKey, { Type: type, Default: value }]) => {
        const { Type: declared = type, Default: name } = original[ParameterKey] ?? {};
        const isStored = declared.startsWith('AWS::SSM::Parameter::Value<');
        return {
          ParameterKey,
          ParameterValue: isStored ? name : value,
          ...(isStored && declared !== type ? { ResolvedValue: value } : {}),
        };
      },
    );
    return result('DescribeStacks', {
      Stacks: {
        member: [{
          StackId: stack.identity.id,
          StackName: stack.identity.name,
          StackStatus: stack.status,
          CreationTime: '2026-01-01T00:00:00Z',
          Parameters: { member: parameters },
          Outputs: {
            member: Object.entries(stack.outputs).map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue })),
          },
        }],
      },
    });
  }
}

function resources(stack: Stack, token = '0'): AwsAnswer {
  const from = Number(token);
  const all = [...stack.resources.values()];
  const page = all.slice(from, from + RESOURCES_PER_PAGE).map(({ logicalId, physicalId, type }) => ({
    LogicalResourceId: logicalId,
    PhysicalResourceId: physicalId,
    ResourceType: type,
    ResourceStatus: 'CREATE_COMPLETE',
    LastUpdatedTimestamp: '2026-01-01T00:00:00Z',
  }));
  return result('ListStackResources', {
    StackResourceSummaries: { member: page },
    NextToken: from + RESOURCES_PER_PAGE < all.length ? `${from + RESOURCES_PER_PAGE}` : undefined,
  });
}
