import { randomUUID } from 'node:crypto';
import { Invocation } from './lambda-function';
import { Properties, ResourceOutcome, ResourceProvider, ResourceRequest, ResourceState, StackIdentity } from './template';

const LONGEST_ANSWER_BYTES = 4096;

interface OnEventAnswer {
  readonly PhysicalResourceId?: unknown;
  readonly Data?: Properties;
  readonly NoEcho?: boolean;
}

/** Invokes the onEvent handler behind the service token of CDK's provider framework. */
export type InvokeOnEvent = (serviceToken: string, event: Properties) => Promise<Invocation>;

/** A custom resource behind CDK's provider framework. */
export function customResource(invokeOnEvent: InvokeOnEvent): ResourceProvider {
  const call = async (
    requestType: string, { stack, logicalId, type, properties }: ResourceRequest, current?: ResourceState,
  ): Promise<ResourceOutcome> => {
    const serviceToken = properties.ServiceToken as string;
    const request = {
      RequestType: requestType,
      RequestId: randomUUID(),
      StackId: stack.id,
      ResponseURL: `https://cloudformation-custom-resource-response.invalid/${randomUUID()}`,
      LogicalResourceId: logicalId,
      ResourceType: type,
      ...current && { PhysicalResourceId: current.physicalId },
      ResourceProperties: stringified(properties, logicalId),
      ...requestType === 'Update' && { OldResourceProperties: stringified(current?.properties, logicalId) },
    };
    const { result, error } = await invokeOnEvent(serviceToken, request);
    if (error) {
      throw new Error(error.message);
    }
    return checked(request, result ?? {}, current);
  };
  return {
    create: request => call('Create', request),
    update: async (request, current) => {
      if (request.properties.ServiceToken !== current.properties.ServiceToken) {
        throw new Error('Modifying service token is not allowed.');
      }
      return call('Update', request, current);
    },
    delete: async (stack: StackIdentity, state: ResourceState) => {
      await call('Delete', { ...state, stack }, state);
    },
  };
}

/** The rules of the framework and of CloudFormation for an answer. */
function checked(request: { RequestType: string; [field: string]: unknown }, answer: OnEventAnswer, current?: ResourceState): ResourceOutcome {
  const { RequestType: requestType, RequestId, StackId, LogicalResourceId } = request;
  const { Data = {}, NoEcho = false } = answer;
  const physicalId = answer.PhysicalResourceId ?? (requestType === 'Delete' ? current?.physicalId : undefined);
  if (typeof physicalId !== 'string' || physicalId === '') {
    throw new Error(`the answer to ${requestType} has no PhysicalResourceId`);
  }
  if (requestType === 'Delete' && physicalId !== current?.physicalId) {
    throw new Error(`DELETE: cannot change the physical resource ID from "${current?.physicalId}" to "${physicalId}" during deletion`);
  }
  const response = { Status: 'SUCCESS', Reason: 'SUCCESS', StackId, RequestId, PhysicalResourceId: physicalId, LogicalResourceId, NoEcho, Data };
  const bytes = Buffer.byteLength(JSON.stringify(response));
  if (bytes > LONGEST_ANSWER_BYTES) {
    throw new Error(`Response object is too long: ${bytes} bytes, ${LONGEST_ANSWER_BYTES} are allowed`);
  }
  return { physicalId, attributes: Data };
}

/** CloudFormation hands every scalar to a custom resource as a string. */
function stringified(value: unknown, path: string): unknown {
  if (Array.isArray(value)) {
    return value.map((item, i) => stringified(item, `${path}[${i}]`));
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, stringified(item, `${path}.${key}`)]));
  }
  if (typeof value === 'string' && /\{\{resolve:(secretsmanager|ssm-secure):/.test(value)) {
    throw new Error(`${path}: CloudFormation resolves no reference to a secret in a custom resource`);
  }
  return String(value);
}
