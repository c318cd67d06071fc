import { CfnResource, CustomResource, Lazy, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { writeAccessReport } from './report-files';
import { within } from './sign-in-text';
import { factLine, factLines } from './summary';
import { DeclaredRole, rememberRole } from '../model/declared-roles';

/** Key in the metadata of the custom resource. */
const ACCESS = 'Access';

/**
 * Makes the template say in words who may sign in and what a role may do, because `cdk diff` lists no privileges of SQL among the security changes: in the metadata of its custom resource, one fact a line;
 * and in the metadata of the template, because a resource that is new or gone is one line there, without its metadata.
 *
 * CloudFormation sends an event for changes of properties, not for those of metadata: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-requesttypes-update.html
 *
 * And has the access report written.
 *
 * @param provisioner a construct of the stack that nobody else has something to do with
 */
export function showAccess(role: DeclaredRole & { readonly resource: CustomResource }, provisioner: Construct): void {
  const { resource, scope } = role;
  (resource.node.defaultChild as CfnResource).addMetadata(ACCESS, Lazy.any({ produce: () => factLines(role) }));
  const stack = Stack.of(scope);
  stack.addMetadata(`${ACCESS} of ${within(scope.node.path, stack.node.path)}`, Lazy.any({ produce: () => factLine(role) }));
  if (rememberRole(role)) {
    writeAccessReport(stack, provisioner);
  }
}
