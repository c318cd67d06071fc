/** From a user of an app to the database that its client connects to. */
import { resolve } from 'node:path';
import { AwsAccount } from './aws/account';
import { DeployedResources } from './aws/stacks';
import { clusterFacts, instanceFacts } from './collect/database';
import { DeclaredResourceId, DeclaredUser, declaredUsers } from './declared-user';
import { deployedName } from './deployed-name';
import { DatabaseFacts, isSeen, Seen } from './observations';
import { DoctorOptions } from './options';
import { callerFolder } from '../../rehearsal/caller-folder';
import { CloudAssembly } from '../../rehearsal/cloudformation/cloud-assembly';
import { InputError } from '../../rehearsal/rehearse/input-error';

/** What `cdk synth` has written. */
export function assemblyOf({ app = 'cdk.out' }: Pick<DoctorOptions, 'app'>): CloudAssembly {
  try {
    return new CloudAssembly(resolve(callerFolder(), app));
  } catch (error) {
    throw new InputError((error as Error).message, { cause: error });
  }
}

/** The one that is meant. */
export function findDeclaredUser(
  username: string,
  assembly: CloudAssembly,
  { app = 'cdk.out', stack }: Pick<DoctorOptions, 'app' | 'stack'>,
): DeclaredUser {
  const users = declaredUsers(assembly, username);
  const meant = users.filter(user => stack === undefined || [user.stack.name, user.stack.id].includes(stack));
  if (meant.length === 1) {
    return meant[0];
  }
  throw new InputError(
    meant.length === 0
      ? `no ${stack === undefined ? 'stack' : `stack ${stack}`} in ${app} declares a user ${username}, exactly as spelled; pass --app, or --env to take the PG* variables of the client`
      : `${username} is declared by ${meant.map(user => user.stack.id).join(', ')}; pass --stack with one of them`,
  );
}

/** The database that CloudFormation has made for it. */
export async function databaseOf(user: DeclaredUser, aws: AwsAccount): Promise<Seen<DatabaseFacts>> {
  const known = await identify(user, aws);
  if (!isSeen(known)) {
    return known;
  }
  const { kind, ...request } = known.value;
  return kind === 'cluster' ? clusterFacts(await aws.cluster(request)) : instanceFacts(await aws.instance(request));
}

type Request = { readonly kind: 'cluster' | 'instance' } & (
  { readonly identifier: string } | { readonly resourceId: string }
);

/**
 * The physical id of a user that is deployed begins with the resource id; of one that is not, the template may say it.
 */
async function identify(user: DeclaredUser, { stacks }: AwsAccount): Promise<Seen<Request>> {
  const name = await deployedName(user, stacks);
  if (!isSeen(name)) {
    return name;
  }
  const deployed: Seen<string | undefined>
    = name.value === undefined ? { value: undefined } : await stacks.find(name.value, user.logicalId);
  const [, resourceId] = isSeen(deployed) ? /^((?:cluster|db)-[A-Z0-9]+)\//.exec(deployed.value ?? '') ?? [] : [];
  return resourceId === undefined
    ? fromTemplate(
        user.resourceId,
        name.value ?? user.stack.name,
        stacks,
      )
    : { value: byResourceId(resourceId) };
}

async function fromTemplate(
  declared: DeclaredResourceId,
  stack: string,
  stacks: DeployedResources,
): Promise<Seen<Request>> {
  switch (declared.of) {
    case 'resource': {
      const id = await stacks.physicalId(stack, declared.logicalId);
      return isSeen(id) ? { value: { kind: declared.kind, identifier: id.value } } : id;
    }
    case 'export': {
      const value = await stacks.exportedValue(declared.name);
      return isSeen(value) ? { value: byResourceId(value.value) } : value;
    }
    case 'text':
      return { value: byResourceId(declared.text) };
    case 'nothing known':
      return { unseen: 'the template does not tell which database it is' };
  }
}

function byResourceId(resourceId: string): Request {
  return { kind: resourceId.startsWith('db-') ? 'instance' : 'cluster', resourceId };
}
