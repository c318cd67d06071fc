import { CfnDeletionPolicy, CfnResource, NestedStack, Stack, Stage, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import type { SignInTarget } from './sign-in-target';
import { PROVISIONED_RESOURCE_TYPES } from '../contract/wire';
import { accessModelOf, addCheck } from '../model/app-access';

/** Id of the error about access that a removal policy keeps, for those who acknowledge it. */
const RETAINED_ACCESS = 'cdk-aurora-iam-auth:retainedAccess';

/** Types that grant what a policy document says: identities, policies, permission sets, custom resources. */
const POLICY_TYPES = /^(AWS::(IAM|SSO|Serverless)::|AWS::CloudFormation::(StackSet|CustomResource)$|Custom::)/;

/** The two attributes of a resource that keep it, and what they are called in `cfnOptions`. */
const ATTRIBUTES = { DeletionPolicy: 'deletionPolicy', UpdateReplacePolicy: 'updateReplacePolicy' } as const;

type Attribute = keyof typeof ATTRIBUTES;

/**
 * Deletes a resource when it leaves the app, whatever removal policy an aspect or a mixin applies to it.
 * Refuses an override that says otherwise.
 *
 * @param resource the resource
 * @param consequence what would go on if it were retained, and what to do instead
 */
export function neverRetain(resource: CfnResource, consequence: string): void {
  for (const [, option] of entries()) {
    let policy = resource.cfnOptions[option];
    // Where there is no policy there is none, so that the template is not longer.
    Object.defineProperty(resource.cfnOptions, option, {
      get: () => policy && CfnDeletionPolicy.DELETE,
      set: (applied?: CfnDeletionPolicy) => policy = applied,
      enumerable: true,
    });
  }
  const { cfnResourceType } = resource;
  const problem = (policy: string) => `${policy} of this ${cfnResourceType} is an override, and ${consequence}`;
  resource.node.addValidation({ validate: () => retentionOf(resource).map(problem) });
}

/**
 * Refuses removal policies that keep access to a database when its construct leaves the app: on policies, which hold
 * statements of the app as well, so that their removal policy is the app's to decide; and on nested stacks.
 */
export function refuseRetainedAccess(target: SignInTarget): void {
  const { identity } = target;
  if (addCheck(accessModelOf(identity), 'retained access')) {
    identity.node.addValidation({ validate: () => retainedAccess(target) });
  }
}

function retainedAccess(target: SignInTarget): string[] {
  // Each stage validates its own resources: aspects of the app do not reach into it.
  const constructs = (Stage.of(target.identity) ?? target.identity.node.root).node.findAll();
  const nestedStacks = constructs.filter(each => NestedStack.isNestedStack(each));
  return constructs.filter(each => CfnResource.isCfnResource(each)).flatMap((resource) => {
    const retention = retentionOf(resource);
    const nested = nestedStacks.find(each => each.nestedStackResource === resource);
    if (retention.length === 0 || [resource, ...nested ? [nested] : []].some(isAcknowledged)) {
      return [];
    }
    const { cfnResourceType: type, node: { path } } = resource;
    const has = `${path} (${type}) has ${retention.join(' and ')}`;
    const remedy = `leave ${type} out where the removal policy is applied (excludeResourceTypes of RemovalPolicies), `
      + `or acknowledge it: Validations.of(construct).acknowledge({ id: '${RETAINED_ACCESS}', reason: '...' })`;
    if (nested) {
      return constructsGiveAccess(nested, target)
        ? [`${has}, and users or grants of this database are in it: a nested stack that leaves the app stays, `
          + `with logins and permissions; ${remedy}`]
        : [];
    }
    return allowsConnect(resource, target)
      ? [`${has}, and allows rds-db:connect on this database: when it leaves the app or is replaced, it stays, `
        + `and its identities may still sign in; ${remedy}`]
      : [];
  });
}

function constructsGiveAccess(scope: IConstruct, target: SignInTarget): boolean {
  const resources = scope.node.findAll().filter(each => CfnResource.isCfnResource(each));
  return resources.some(each => makesRoles(each, target) || allowsConnect(each, target));
}

/** Whether a resource makes users or group roles of a database. */
function makesRoles(resource: CfnResource, target: SignInTarget): boolean {
  return (
    PROVISIONED_RESOURCE_TYPES.includes(resource.cfnResourceType) && propertiesAbout(resource, target) !== undefined
  );
}

/** Whether a resource has a statement that allows signing in to a database. */
function allowsConnect(resource: CfnResource, target: SignInTarget): boolean {
  const properties = POLICY_TYPES.test(resource.cfnResourceType) ? propertiesAbout(resource, target) : undefined;
  return properties?.includes('rds-db:connect') === true;
}

/** The properties of a resource as text, without statements that deny, if they refer to the database. */
function propertiesAbout(resource: CfnResource, { identity, resourceId }: SignInTarget): string | undefined {
  const stack = Stack.of(resource);
  const [id, idInItsStack] = [stack, Stack.of(identity)].map(each => JSON.stringify(each.resolve(resourceId)));
  const isLiteral = id.startsWith('"');
  if (stack !== Stack.of(identity) && !isLiteral && id === idInItsStack) {
    return undefined; // That stack does not refer to the database: what reads the same there is something else.
  }
  const properties = JSON.stringify(propertiesIn(resource), (_key, value: unknown) =>
    (value as { readonly Effect?: unknown } | null)?.Effect === 'Deny' ? undefined : value);
  return properties?.includes(isLiteral ? id.slice(1, -1) : id) ? properties : undefined;
}

function overridesOf(resource: CfnResource): { readonly [attribute in Attribute]?: unknown } {
  return resource['rawOverrides'] as { [attribute in Attribute]?: unknown };
}

/** The attributes that keep a resource, as the template will have them. */
function retentionOf(resource: CfnResource): string[] {
  const overrides = overridesOf(resource);
  return entries().flatMap(([attribute, option]) => {
    const policy = attribute in overrides
      ? Stack.of(resource).resolve(overrides[attribute]) as unknown
      : resource.cfnOptions[option];
    return policy === undefined || policy === CfnDeletionPolicy.DELETE
      ? []
      : [`${attribute} ${typeof policy === 'string' ? policy : JSON.stringify(policy)}`];
  });
}

interface Template {
  readonly Resources: { readonly [logicalId: string]: { readonly Properties?: unknown } };
}

/** What the template will say, overrides included. */
function propertiesIn(resource: CfnResource): unknown {
  const template = Stack.of(resource).resolve(resource._toCloudFormation()) as Template;
  return Object.values(template.Resources)[0].Properties;
}

/** Acknowledged on the construct or on one around it. */
function isAcknowledged(construct: IConstruct): boolean {
  const entriesOfMetadata = construct.node.scopes.flatMap(({ node }) => node.metadata);
  return entriesOfMetadata.some(({ type, data }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY
    // CDK puts a source in front of an id that names none.
    && Object.keys(Object(data) as object).some(id => id.replace(/^annotation::/i, '') === RETAINED_ACCESS));
}

function entries(): [Attribute, (typeof ATTRIBUTES)[Attribute]][] {
  return Object.entries(ATTRIBUTES) as [Attribute, (typeof ATTRIBUTES)[Attribute]][];
}
