import { object, refuse, text } from './decode';
import { sentAt } from './response-url';

/** The event as CDK's provider framework hands it over. It also has a pre-signed URL, so it is never logged. */
export interface Event {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly RequestId: string;
  readonly StackId: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceType: string;
  readonly ResourceProperties: { readonly [name: string]: unknown };
  /**
   * When CloudFormation has sent it, in milliseconds since 1970, as its pre-signed URL says; undefined where that does
   * not say it.
   */
  readonly sentAt?: number;
}

const REQUEST_TYPES = ['Create', 'Update', 'Delete'] as const;
const NOT_FROM_CLOUDFORMATION = 'let CloudFormation send the events';

/** Decodes what every event has. An event may come from anything that may invoke the function. */
export function readEvent(value: unknown): Event {
  const {
    RequestType: type,
    StackId: stackId,
    LogicalResourceId: logicalId,
    PhysicalResourceId: physicalId,
    ResourceType: resourceType,
    ResourceProperties: properties,
    RequestId: requestId,
    ResponseURL: url,
  } = object('event', value);
  return {
    RequestType:
      REQUEST_TYPES.find(each => each === type)
      ?? refuse('RequestType', type, `known are ${REQUEST_TYPES.join(', ')}`, NOT_FROM_CLOUDFORMATION),
    RequestId: text('RequestId', requestId),
    StackId: text('StackId', stackId),
    LogicalResourceId: decodeLogicalId(text('LogicalResourceId', logicalId)),
    ...physicalId === undefined ? {} : { PhysicalResourceId: text('PhysicalResourceId', physicalId) },
    ResourceType: text('ResourceType', resourceType),
    ResourceProperties: object('ResourceProperties', properties),
    ...typeof url === 'string' && URL.canParse(url) ? { sentAt: sentAt(new URL(url)) } : {},
  };
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resources-section-structure.html */
function decodeLogicalId(logicalId: string): string {
  return /^[A-Za-z0-9]{1,255}$/.test(logicalId)
    ? logicalId
    : refuse(
        'LogicalResourceId',
        logicalId,
        'it has other characters than A-Z, a-z and 0-9, or more than 255',
        NOT_FROM_CLOUDFORMATION,
      );
}

/** The part of Lambda's context that is used. */
export interface Context {
  readonly awsRequestId: string;
  readonly functionName: string;
  /**
   * With the name of the alias behind it, if the function was invoked by one: only who may invoke that alias gets here
   * with it.
   */
  readonly invokedFunctionArn?: string;
  /** Of the function, also if it is not the one that Lambda makes for it. */
  readonly logGroupName?: string;
  getRemainingTimeInMillis(): number;
}
