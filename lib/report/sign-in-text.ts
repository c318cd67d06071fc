import type { Principal, SignIn } from './access-report';
import { visible } from './text';

/** Who signs in, as in `OrdersFunction role`; of the same stack without its path. */
export function principalText({ kind, path, name, arn }: Principal, stackPath: string): string {
  if (kind === 'statement') {
    return 'any identity with the statement of connectStatement()';
  }
  const known = path === undefined ? arn ?? name ?? 'a principal' : within(path, stackPath);
  return visible(kind === 'policy' ? `whoever has the policy ${known}` : kind === 'principal' || known.toLowerCase().endsWith(kind) ? known : `${known} ${kind}`);
}

export function signInText(access: SignIn, stackPath: string): string {
  const { principal, at } = access;
  return [
    principalText(principal, stackPath),
    ...at ? [at.kind === 'proxy' ? `through ${visible(within(at.path, stackPath))}` : `at replica ${visible(within(at.path, stackPath))}`] : [],
  ].join(' ');
}

/** A path as it is read in its own stack. */
export function within(path: string, stackPath: string): string {
  return path.startsWith(`${stackPath}/`) ? path.slice(stackPath.length + 1) : path;
}
