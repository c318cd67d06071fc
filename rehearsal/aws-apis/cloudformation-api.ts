import { AwsService } from '../cloudformation/aws-endpoint';
import { Authorize } from '../cloudformation/secrets-manager';
import { fault, parametersOf, result } from '../rds-api/query-protocol';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/Welcome.html */
const VERSION = '2010-05-15';

export interface StackFacts {
  readonly id: string;
  readonly resources: readonly { readonly logicalId: string; readonly physicalId: string; readonly type: string }[];
  readonly exports: Readonly<Record<string, string>>;
}

const ACTIONS = ['DescribeStackResource', 'DescribeStackResources', 'ListExports'];

/** DescribeStackResource, DescribeStackResources by the physical id of one of them, and ListExports of one page. */
export function cloudFormationApi(
  authorize: Authorize,
  stackNamed: (name: string) => StackFacts | undefined,
  stacks: () => StackFacts[],
): AwsService {
  return (call) => {
    const {
      Action: action,
      StackName: name = '',
      LogicalResourceId: logicalId,
      PhysicalResourceId: physicalId,
    } = parametersOf(call, VERSION) ?? {};
    if (!ACTIONS.includes(action)) {
      return undefined;
    }
    const stack = physicalId === undefined
      ? stackNamed(name)
      : stacks().find(({ resources }) => resources.some(resource => resource.physicalId === physicalId));
    if (!authorize(call.accessKeyId, `cloudformation:${action}`, stack?.id ?? '*')) {
      return fault(
        403,
        'AccessDenied',
        `User is not authorized to perform: cloudformation:${action} because no identity-based policy allows the cloudformation:${action} action`,
      );
    }
    if (action === 'ListExports') {
      return result(action, {
        Exports: {
          member: stacks().flatMap(({ id, exports }) =>
            Object.entries(exports).map(([Name, Value]) => ({ ExportingStackId: id, Name, Value })),
          ),
        },
      });
    }
    const described = ({ logicalId, physicalId, type }: StackFacts['resources'][number]) => ({
      StackName: /:stack\/([^/]+)\//.exec(stack?.id ?? '')?.[1],
      StackId: stack?.id,
      LogicalResourceId: logicalId,
      PhysicalResourceId: physicalId,
      ResourceType: type,
    });
    if (action === 'DescribeStackResources') {
      return stack === undefined
        ? fault(400, 'ValidationError', `Stack for ${physicalId} does not exist`)
        : result(action, { StackResources: { member: stack.resources.map(described) } });
    }
    const found = stack?.resources.find(resource => resource.logicalId === logicalId);
    return found === undefined
      ? fault(
          400,
          'ValidationError',
          stack === undefined
            ? `Stack '${name}' does not exist`
            : `Resource ${logicalId} does not exist for stack ${name}`,
        )
      : result(action, {
          StackResourceDetail: described(found),
        });
  };
}
