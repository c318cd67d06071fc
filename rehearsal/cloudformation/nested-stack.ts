import { Properties, ResourceFailure, ResourceProvider, ResourceRequest, StackIdentity } from './template';
import { Stack, StackResult } from './stack';

export interface NestedStacks {
  /** A stack that does not exist yet. */
  create(request: ResourceRequest): Stack;
  find(id: string): Stack;
  /** Creates or updates it as the properties of its resource say. */
  deploy(stack: Stack, properties: Properties): Promise<StackResult>;
  forget(id: string): void;
}

/** `AWS::CloudFormation::Stack`: a stack of its own. What fails in it fails it, and with it its parent. */
export function nestedStack(stacks: NestedStacks): ResourceProvider {
  const deploy = async (stack: Stack, properties: Properties) => {
    const { reason, outputs } = await stacks.deploy(stack, properties);
    if (reason !== undefined) {
      throw new ResourceFailure(
        `Embedded stack ${stack.identity.id} was not successfully deployed: ${reason}`,
        stack.identity.id,
      );
    }
    return {
      physicalId: stack.identity.id,
      attributes: Object.fromEntries(Object.entries(outputs).map(([name, value]) => [`Outputs.${name}`, value])),
    };
  };
  return {
    create: request => deploy(stacks.create(request), request.properties),
    update: (request, current) => deploy(stacks.find(current.physicalId), request.properties),
    delete: async (_stack: StackIdentity, { physicalId }) => {
      const { reason } = await stacks.find(physicalId).destroy();
      if (reason !== undefined) {
        throw new Error(`Embedded stack ${physicalId} was not successfully deleted: ${reason}`);
      }
      stacks.forget(physicalId);
    },
  };
}
