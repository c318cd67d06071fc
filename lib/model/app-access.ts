import type { IConstruct } from 'constructs';
import type { AccessModel, AppAccess, DeclaredRole, SignInGrant } from './access-model';
import { errorAt } from './errors';

/** The same in each copy of the library, so that all of them write and read one model. */
const ACCESS = Symbol.for('cdk-aurora-iam-auth.access');

/**
 * Another number when a copy of the library that knows this one would take something for what it is not: in the model,
 * or in what it gets from another copy beside it, which is `ManagedDatabase` and the values in `Privileges` and
 * `OnRemoval`.
 */
const FORMAT = 1;

/** The model of the app that a construct is in. */
export function appAccess({ node: { root, path } }: IConstruct): AppAccess {
  const app = root as { [ACCESS]?: AppAccess };
  app[ACCESS] ??= { format: FORMAT, models: new Map(), roles: new Map(), rolesByStack: new Map() };
  const access = app[ACCESS];
  if (access.format !== FORMAT) {
    throw errorAt(
      { node: { path } },
      'two versions of cdk-aurora-iam-auth are in this app, which keep what it declares in '
      + `formats ${access.format} and ${FORMAT}, so that neither would see the users and grants of the other; `
      + 'install one version of it (npm ls cdk-aurora-iam-auth shows where both come from)',
    );
  }
  return access;
}

/** @param construct the cluster, instance or proxy: what it is made of where the app makes it, its import otherwise */
export function accessModelOf(construct: IConstruct): AccessModel {
  const { models } = appAccess(construct);
  const { path } = construct.node;
  return valueAt(models, path, () => ({
    path,
    roles: [],
    signIns: new Map(),
    signInsByTag: [],
    endpoints: new Map(),
    alsoResourceIds: new Set(),
    claims: { roleNames: new Map(), schemas: new Map(), provisioners: new Map() },
    checks: new Set(),
  }));
}

export function rolesInStack(stack: IConstruct): readonly DeclaredRole[] {
  return appAccess(stack).rolesByStack.get(stack.node.path) ?? [];
}

/** What creates a role; undefined for one that is managed elsewhere. */
export function declaredRoleOf(construct: IConstruct): DeclaredRole | undefined {
  return appAccess(construct).roles.get(construct.node.path);
}

/** @param construct one that stands for the role, or for a user of a list */
export function standFor(construct: IConstruct, role: DeclaredRole): void {
  appAccess(construct).roles.set(construct.node.path, role);
}

export function addRole(construct: IConstruct, role: DeclaredRole): void {
  standFor(construct, role);
  role.database.model.roles.push(role);
  valueAt<string, DeclaredRole[]>(appAccess(construct).rolesByStack, role.stack, () => []).push(role);
}

export function addSignIn({ signIns, signInsByTag }: AccessModel, grant: SignInGrant): void {
  const { username } = grant;
  const grants = username === undefined ? signInsByTag : valueAt<string, SignInGrant[]>(signIns, username, () => []);
  grants.push(grant);
}

/** @returns what has the key: the value, or the one that came before */
export function claim<Value>(claims: Map<string, Value>, key: string, value: Value): Value {
  return valueAt(claims, key, () => value);
}

/** The claims of a schema's database, or of a stack. */
export function claimsIn<Value>(claims: Map<string, Map<string, Value>>, key: string): Map<string, Value> {
  return valueAt<string, Map<string, Value>>(claims, key, () => new Map());
}

/** @returns whether the check is not there yet; it is from then on */
export function addCheck(
  { checks }: AccessModel,
  check: 'IAM authentication' | 'retained access' | 'entrance',
): boolean {
  const first = !checks.has(check);
  checks.add(check);
  return first;
}

/** What has a path of the model. */
export function constructAt(root: IConstruct, path: string): IConstruct {
  const ids = path.slice(root.node.path.length).split('/').filter(id => id !== '');
  return ids.reduce((scope, id) => scope.node.findChild(id), root);
}

function valueAt<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}
