/** Asks a deployed provisioner of the database, by its alias `plan`. */
import { SignInFacts } from '../../../lib/contract/look';
import { PLAN_ALIAS } from '../../../lib/contract/wire';
import { AssemblyStack } from '../../../rehearsal/cloudformation/cloud-assembly';
import { aliasIds, handlerOf, isProvisioned } from '../../deployed/deployed-stack';
import { AwsAccount } from '../aws/account';
import { deployedName, withNested } from '../deployed-name';
import { CatalogFacts, isSeen, Seen } from '../observations';
import { CatalogWitness, NotSeen, Server } from '../world';

const GRANT = 'iamAuth.grantPlan(role)';

export class ProvisionerWitness implements CatalogWitness {
  /** @param stacks that may have users of a database, by its identifier; in the order in which they are asked */
  constructor(
    private readonly stacks: (identifier: string) => Promise<readonly AssemblyStack[]>,
    private readonly aws: Pick<AwsAccount, 'region' | 'stacks' | 'invoke'>,
  ) {}

  async ask(username: string, database: string, { identifier, resourceId }: Server): Promise<CatalogFacts> {
    const alias = await this.aliasFor(resourceId, await this.stacks(identifier));
    const answer = seen(await this.aws.invoke(alias, { signIn: { username, database } }, GRANT));
    const { resourceId: answered, ...facts } = decode(answer);
    return answered === resourceId ? facts : notSeen(`the provisioner is of another database, ${answered}`);
  }

  /** ARN of the alias of a provisioner that is for this database. */
  private async aliasFor(resourceId: string, stacks: readonly AssemblyStack[]): Promise<string> {
    const withoutAlias: string[] = [];
    for (const { stack, name } of await this.deployedStacks(stacks)) {
      for (const handler of await this.handlersFor(resourceId, stack, name)) {
        const id = aliasIds(PLAN_ALIAS, stack.template).find(each => each.handler === handler)?.logicalId;
        const arn = id === undefined ? undefined : seen(await this.aws.stacks.find(name, id));
        if (arn !== undefined) {
          return arn;
        }
        withoutAlias.push(stack.id);
      }
    }
    return notSeen(
      withoutAlias.length > 0
        ? `needs the alias "${PLAN_ALIAS}" of the provisioner in stack ${withoutAlias.join(', ')}: call ${GRANT} with the role that runs this, and deploy`
        : 'no stack that was looked at has deployed users of this database; pass --app, or --stack with a stack that has',
    );
  }

  /** Those with roles, as CloudFormation calls them. */
  private async deployedStacks(
    stacks: readonly AssemblyStack[],
  ): Promise<{ readonly stack: AssemblyStack; readonly name: string }[]> {
    const here = stacks.filter(({ region = this.aws.region }) => region === this.aws.region).flatMap(withNested);
    const named = await Promise.all(
      here
        .filter(({ stack: { template } }) => Object.values(template.Resources).some(isProvisioned))
        .map(async each => ({ stack: each.stack, name: seen(await deployedName(each, this.aws.stacks)) })),
    );
    return named.flatMap(({ stack, name }) => (name === undefined ? [] : [{ stack, name }]));
  }

  /** Functions of a stack that manage roles of this database: the physical id of a role begins with the resource id. */
  private async handlersFor(resourceId: string, { template }: AssemblyStack, stack: string): Promise<string[]> {
    const databases = new Map<string, string>();
    for (const [logicalId, definition] of Object.entries(template.Resources).filter(([, each]) =>
      isProvisioned(each),
    )) {
      const handler = handlerOf(definition, template);
      if (handler !== undefined && !databases.has(handler)) {
        // None of a role that is not deployed yet.
        const physicalId = seen(await this.aws.stacks.find(stack, logicalId));
        if (physicalId !== undefined) {
          databases.set(handler, physicalId.split('/')[0]);
        }
      }
    }
    return [...databases].filter(([, id]) => id === resourceId).map(([handler]) => handler);
  }
}

function seen<Value>(answer: Seen<Value>): Value {
  return isSeen(answer) ? answer.value : notSeen(answer.unseen);
}

function notSeen(reason: string): never {
  throw new NotSeen(reason);
}

/** As another version of the provisioner may answer, or something else that has its name. */
function decode(answer: unknown): SignInFacts {
  const { resourceId, roles, server } = Object(answer) as Partial<SignInFacts>;
  return typeof resourceId === 'string' && Array.isArray(roles) && typeof server === 'object'
    ? answer as SignInFacts
    : notSeen(
        'the provisioner does not answer what it was asked: deploy the stack with the version of cdk-aurora-iam-auth that this program is of',
      );
}
