import { GeneratedRoles } from './groups';
import { templateBytes } from './template-bytes';

/** Of what one stack takes. */
export interface Limits {
  readonly resources: number;
  readonly bytes: number;
}

/**
 * CloudFormation takes 500 resources and 1,000,000 bytes in a template. The rest is for a provisioner, a database, and
 * what else is in the stack.
 *
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
 */
export const LIMITS: Limits = { resources: 450, bytes: 850_000 };

/** Why no stack takes a role, such as one with privileges on tens of thousands of objects, one by one. */
export function sizeProblem(role: GeneratedRoles, { bytes: most }: Limits = LIMITS): string | undefined {
  const bytes = templateBytes({ ...role, names: role.names.slice(0, 1) });
  return bytes <= most
    ? undefined
    : `its declaration would have about ${bytes} bytes, and a template of CloudFormation takes 1000000 with all that is in it; `
      + 'grant on all objects of a schema, or through several group roles, and generate again';
}

/**
 * Roles of one stack after the other: each is still behind those that it names.
 *
 * @returns one part at least
 */
export function inParts(roles: GeneratedRoles[], limits: Limits = LIMITS): GeneratedRoles[][] {
  const parts: GeneratedRoles[][] = [[]];
  let [resources, bytes] = [0, 0];
  for (const role of roles.flatMap(one => slices(one, limits))) {
    const more = { resources: role.kind === 'role' ? role.names.length : 1, bytes: templateBytes(role) };
    if (resources + more.resources > limits.resources || bytes + more.bytes > limits.bytes) {
      parts.push([]);
      [resources, bytes] = [0, 0];
    }
    parts.at(-1)!.push(role);
    [resources, bytes] = [resources + more.resources, bytes + more.bytes];
  }
  return parts.filter((part, index) => index === 0 || part.length > 0);
}

/** Group roles that are the same are a resource each: as many together as a stack takes. */
function slices(role: GeneratedRoles, limits: Limits): GeneratedRoles[] {
  const { kind, names } = role;
  const each = templateBytes({ ...role, names: names.slice(0, 1) });
  const most = Math.max(1, Math.min(limits.resources, Math.floor(limits.bytes / each)));
  if (kind === 'user' || names.length <= most) {
    return [role];
  }
  return [...Array(Math.ceil(names.length / most)).keys()].map(n => ({
    ...role,
    names: names.slice(n * most, (n + 1) * most),
  }));
}
