/** Stacks as they are deployed, where there is no app to read. */
import { AwsAccount } from './aws/account';
import { isSeen, Seen } from './observations';
import { NotSeen } from './world';
import { AssemblyStack } from '../../rehearsal/cloudformation/cloud-assembly';

type DeployedStacks = Pick<AwsAccount['stacks'], 'find' | 'stackOf' | 'template'>;

const STACK = 'AWS::CloudFormation::Stack';

/**
 * The stack that is named, or the one that has made the database, with all that are nested in it.
 *
 * @param identifier of the cluster or instance
 */
export async function deployedStackFor(
  identifier: string,
  name: string | undefined,
  stacks: DeployedStacks,
): Promise<AssemblyStack> {
  const stack = name ?? seen(await stacks.stackOf(identifier)) ?? notSeen(
    `needs the provisioner of the database, and no stack has made ${identifier}: pass --stack with a stack that has its users, or --app`,
  );
  return read(stack, stack, stacks);
}

/** @param id path of the nested stacks that lead to it, as in an app */
async function read(id: string, name: string, stacks: DeployedStacks): Promise<AssemblyStack> {
  const template = seen(await stacks.template(name))
    ?? notSeen(`there is no stack ${name}: pass --stack with a stack that has users of this database, or --app`);
  const nested: Record<string, AssemblyStack> = {};
  for (const [logicalId, { Type: type }] of Object.entries(template.Resources)) {
    const child = type === STACK ? seen(await stacks.find(name, logicalId)) : undefined;
    if (child !== undefined) {
      nested[logicalId] = await read(`${id}/${logicalId}`, child, stacks);
    }
  }
  return { id, name, template, templateBytes: 0, dependencies: [], parameters: {}, nested };
}

function seen<Value>(answer: Seen<Value>): Value {
  return isSeen(answer) ? answer.value : notSeen(answer.unseen);
}

function notSeen(reason: string): never {
  throw new NotSeen(reason);
}
