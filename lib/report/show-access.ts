import { type CfnResource, type IResolvable, Lazy, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { writeAccessReport } from './report-files';
import { within } from './sign-in-text';
import { factLine, factLines } from './summary';
import type { DeclaredOfPublic, DeclaredRole } from '../model/access-model';
import { publicLines } from './public-lines';
import { rolesInStack } from '../model/app-access';

/** Key in the metadata of the custom resource. */
const ACCESS = 'Access';

/** Constructs of a role. */
export interface ShownConstructs {
  readonly resource: CfnResource;

  /** A construct of the stack that no other code uses. */
  readonly provisioner: Construct;
}

/**
 * Makes the template say in words who may sign in and what a role may do, because `cdk diff` lists no privileges of SQL
 * among the security changes: in the metadata of its custom resource, one fact a line; and in the metadata of the
 * template, because a resource that is new or gone is one line there, without its metadata.
 *
 * CloudFormation sends an event for changes of properties, not for those of metadata:
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-requesttypes-update.html
 *
 * And has the access report written.
 */
export function showAccess(role: DeclaredRole, { resource, provisioner }: ShownConstructs): void {
  const stack = Stack.of(resource);
  const { root } = stack.node;
  resource.addMetadata(ACCESS, textOf(() => factLines(root, role)));
  stack.addMetadata(`${ACCESS} of ${within(role.path, role.stack)}`, textOf(() => factLine(root, role)));
  if (rolesInStack(stack)[0] === role) {
    writeAccessReport(stack, provisioner);
  }
}

/** The same of what PUBLIC loses. A stack has an access report where it has roles. */
export function showPublic(declared: DeclaredOfPublic, { resource }: Pick<ShownConstructs, 'resource'>): void {
  const lines = publicLines(declared);
  resource.addMetadata(ACCESS, lines);
  Stack.of(resource).addMetadata(`${ACCESS} of ${within(declared.path, declared.stack)}`, lines.join('; '));
}

/** Text refers to nothing: it is left out while CDK looks for references, and made once for each template. */
function textOf<Text>(produce: () => Text): IResolvable {
  let known: Text | undefined;
  return Lazy.uncachedAny({ produce: ({ preparing }) => known = preparing ? undefined : known ?? produce() });
}
