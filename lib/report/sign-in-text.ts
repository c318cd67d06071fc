import type { Principal, ServerAccess, SignIn } from './access-report';
import { sortedBy, visible } from './plain-text';

/** Who signs in, as in `OrdersFunction role`; of the same stack without its path. */
export function principalText({ kind, path, name, arn, label }: Principal, stackPath: string): string {
  if (kind === 'statement') {
    return label === undefined
      ? 'any identity with the statement of connectStatement()'
      : visible(`${label} (statement of connectStatement())`);
  }
  const known = path === undefined ? arn ?? name ?? 'a principal' : within(path, stackPath);
  return visible(
    kind === 'policy'
      ? `identities with the policy ${known}${label === undefined ? '' : ` (${label})`}`
      : kind === 'principal' || known.toLowerCase().endsWith(kind) ? known : `${known} ${kind}`,
  );
}

export function signInText(access: SignIn, stackPath: string): string {
  const { principal, at } = access;
  return [
    principalText(principal, stackPath),
    ...at
      ? [
          at.kind === 'proxy'
            ? `through ${visible(within(at.path, stackPath))}`
            : `at replica ${visible(within(at.path, stackPath))}`,
        ]
      : [],
  ].join(' ');
}

/** A path as it is read in its own stack. */
export function within(path: string, stackPath: string): string {
  return path.startsWith(`${stackPath}/`) ? path.slice(stackPath.length + 1) : path;
}

/** The roles that sign in and that the app creates, each with who may assume it. */
export function trustedRoles(
  { users, signInsByTag, otherSignIns }: ServerAccess, stackPath: string,
): { readonly role: string; readonly by: readonly string[] }[] {
  const signIns = [...users.flatMap(user => user.signIns), ...signInsByTag, ...otherSignIns];
  const roles = new Map(signIns.flatMap(({ principal }) => principal.assumedBy === undefined
    ? []
    : [[principalText(principal, stackPath), principal.assumedBy] as const]));
  return sortedBy([...roles], ([role]) => role).map(([role, by]) => ({ role, by }));
}
