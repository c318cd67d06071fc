import { Account, StackFacts } from '../deployed/account';
import { Drift, Login } from '../../lib/contract/look';
import { Alias, aliasesNamed, DeployedStack, handlerOf, isProvisioned, readStack } from '../deployed/deployed-stack';
import { isNamed } from '../deployed/named-resource';
import { NotPossible } from '../deployed/not-possible';
import { DRIFT_ALIAS } from '../../lib/contract/wire';
import { resourceName } from '../../rehearsal/plan/resource-name';

/** What one provisioner says of the database it is for. */
export interface DatabaseDrift {
  readonly stack: string;
  /** ARN of the stack. */
  readonly stackId: string;
  readonly account: string;
  readonly region: string;
  /** `DBClusterResourceId` or `DbiResourceId`; undefined where no role of the stack tells it. */
  readonly resourceId?: string;
  /** Who the provisioner signs in as: the master, unless adminCredentials say otherwise. */
  readonly admin: string;
  /** As in server_version_num. */
  readonly version: number;
  /** Who works on roles at this moment. */
  readonly underWay?: string;
  /** Logical ids that were compared. @default - all */
  readonly only?: string[];
  readonly driftedRoles: number;
  /** Those with a difference, or that could not be compared. */
  readonly resources: (Omit<Drift['resources'][number], 'notes'> & { readonly name: string })[];
  readonly undeclared?: UndeclaredLogin[];
}

export interface UndeclaredLogin extends Login {
  /** Whether the provisioner signs in as it. */
  readonly isAdmin: boolean;
  /** Why it is no surprise. */
  readonly expected?: 'admin' | 'Amazon RDS' | 'given';
}

export interface StackReference {
  readonly name: string;
  readonly account?: string;
  readonly region?: string;
  /**
   * Of a stack that is not named but of an app: whether the app declares users or group roles in it. Otherwise it may
   * be passed over.
   */
  readonly declares?: boolean;
}

export interface Comparison {
  readonly databases: DatabaseDrift[];
  /** What could not be compared, and why. */
  readonly impossible: string[];
  /** Of the names that it was narrowed to, those that nothing has. */
  readonly missing: string[];
}

/** The only role of Amazon RDS that each database has, so that no other can have its name. */
const ROLE_OF_RDS = 'rdsadmin';

export interface ComparisonRequest {
  /** Logical ids or paths of constructs; none for all. */
  readonly only: readonly string[];
  /** Whether logins are looked for that no stack declares. */
  readonly undeclared: boolean;
  /** Those of them that are to be there. */
  readonly expected: readonly string[];
}

export async function compareStacks(
  account: Account,
  stacks: readonly StackReference[],
  request: ComparisonRequest,
): Promise<Comparison> {
  const databases: DatabaseDrift[] = [];
  const found = new Set<string>();
  const impossible: string[] = [];
  const attempt = async (name: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof NotPossible)) {
        throw error;
      }
      impossible.push(`stack ${name}: ${error.message}`);
    }
  };
  for (const reference of stacks) {
    await attempt(reference.name, async () => {
      const all = await read(account, reference);
      for (const stack of all) {
        const aliases = aliasesNamed(DRIFT_ALIAS, stack);
        impossible.push(
          ...withoutAlias(stack, aliases).map(
            handler =>
              `stack ${stack.facts.name}: its provisioner ${handler} has no alias "${DRIFT_ALIAS}"; call iamAuth.grantDrift(...) with the role that compares, and deploy the stack once`,
          ),
        );
        for (const alias of aliases) {
          await attempt(stack.facts.name, async () => {
            databases.push(...await compare(account, stack, alias, request, found));
          });
        }
      }
      if (
        reference.declares !== false
        && all.every(stack => aliasesNamed(DRIFT_ALIAS, stack).length === 0 && handlersOf(stack).length === 0)
      ) {
        throw new NotPossible(
          reference.declares
            ? 'it is deployed without the users and group roles that the app declares in it; deploy it, or name the stacks to compare'
            : 'it has no users or group roles of cdk-aurora-iam-auth; name the stack that declares them',
        );
      }
    });
  }
  const missing = request.only.filter(name => !found.has(name));
  if (databases.length === 0 && impossible.length === 0 && missing.length === 0) {
    impossible.push(
      'nothing was compared: no stack with users or group roles of cdk-aurora-iam-auth is deployed in this account and Region; deploy one, or pass --region',
    );
  }
  return { databases, impossible, missing };
}

/** A stack and those nested in it. */
async function read(
  account: Account,
  { name, account: expected, region, declares }: StackReference,
): Promise<DeployedStack[]> {
  const caller = expected === undefined ? undefined : await account.id(region);
  if (caller !== expected) {
    throw new NotPossible(
      `it is in account ${expected}, and the credentials are of account ${caller}; use those of account ${expected}`,
    );
  }
  const facts: StackFacts | undefined = await account.stack(name, region);
  if (!facts && declares !== false) {
    throw new NotPossible(
      declares
        ? `it is not deployed ${region === undefined ? 'in the account and Region of the credentials' : `in ${region}`}, and the app declares users or group roles in it; `
        + `${region === undefined ? 'pass --region, deploy it' : 'deploy it'}, or name the stacks to compare`
        : 'it is not deployed, or in another account or Region than the credentials; pass --region',
    );
  }
  return facts ? withNested(await readStack(account, facts)) : [];
}

function withNested(stack: DeployedStack): DeployedStack[] {
  return [stack, ...[...stack.nested.values()].flatMap(withNested)];
}

function handlersOf({ template }: DeployedStack): string[] {
  return [
    ...new Set(
      Object.values(template.Resources)
        .filter(isProvisioned)
        .flatMap(role => handlerOf(role, template) ?? []),
    ),
  ];
}

function withoutAlias(stack: DeployedStack, aliases: readonly Alias[]): string[] {
  return handlersOf(stack).filter(handler => !aliases.some(alias => alias.handler === handler));
}

async function compare(
  account: Account,
  stack: DeployedStack,
  alias: Alias,
  { only: names, undeclared, expected }: ComparisonRequest,
  found: Set<string>,
): Promise<DatabaseDrift[]> {
  const { facts, template, resources } = stack;
  const only = wantedOf(stack, alias, names, found);
  if (only?.length === 0) {
    return [];
  }
  const event = { ...undeclared ? { undeclared } : {}, ...only ? { only } : {} };
  const answer = await account.invoke(alias.arn, event, 'iamAuth.grantDrift(...)') as Drift;
  const { server: { admin, version }, underWay, driftedRoles, undeclared: logins } = answer;
  const role = Object.entries(template.Resources).find(
    ([logicalId, definition]) =>
      isProvisioned(definition) && resources.has(logicalId) && handlerOf(definition, template) === alias.handler,
  );
  return [{
    stack: facts.name,
    stackId: facts.id,
    account: facts.account,
    region: facts.region,
    ...role ? { resourceId: resources.get(role[0])!.physicalId.split('/')[0] } : {},
    admin,
    version,
    ...underWay === undefined ? {} : { underWay },
    ...only ? { only } : {},
    driftedRoles,
    resources: answer.resources.filter(({ changes, problem }) => changes.length > 0 || problem !== undefined)
      .map(
        ({ logicalId, names, changes, problem }) => ({
          logicalId,
          name: resourceName(logicalId, template.Resources[logicalId]),
          names,
          changes,
          ...problem === undefined ? {} : { problem },
        }),
      ),
    ...logins ? { undeclared: logins.map(login => marked(login, admin, expected)) } : {},
  }];
}

/**
 * @param found gets the names that something has
 * @returns logical ids of what is named of this provisioner; undefined for all
 */
function wantedOf(
  { template, facts }: DeployedStack,
  { handler }: Alias,
  names: readonly string[],
  found: Set<string>,
): string[] | undefined {
  return names.length === 0
    ? undefined
    : Object.entries(template.Resources)
        .filter(([, definition]) => isProvisioned(definition) && handlerOf(definition, template) === handler)
        .filter(([logicalId, definition]) => {
          const meant = names.filter(name =>
            isNamed({ logicalId, name: resourceName(logicalId, definition) }, facts.name, name),
          );
          meant.forEach(name => found.add(name));
          return meant.length > 0;
        })
        .map(([logicalId]) => logicalId);
}

function marked(login: Login, admin: string, given: readonly string[]): UndeclaredLogin {
  const { role } = login;
  const expected
    = role === admin ? 'admin' : role === ROLE_OF_RDS ? 'Amazon RDS' : given.includes(role) ? 'given' : undefined;
  return { ...login, isAdmin: role === admin, ...expected === undefined ? {} : { expected } };
}
