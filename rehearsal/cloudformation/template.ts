import { isDeepStrictEqual } from 'node:util';

/** A CloudFormation template, as far as it is rehearsed. */
export interface Template {
  readonly Parameters?: Record<string, ParameterDefinition>;
  readonly Mappings?: Record<string, Record<string, Record<string, unknown>>>;
  readonly Conditions?: Record<string, unknown>;
  readonly Resources: Record<string, ResourceDefinition>;
  readonly Outputs?: Record<
    string,
    { readonly Value: unknown; readonly Condition?: string; readonly Export?: { readonly Name: unknown } }
  >;
  readonly Transform?: unknown;
}

export interface ParameterDefinition {
  readonly Type: string;
  readonly Default?: string | number;
  readonly AllowedValues?: (string | number)[];
  readonly MinValue?: number;
}

export interface ResourceDefinition {
  readonly Type: string;
  readonly Properties?: Properties;
  readonly Metadata?: { readonly 'aws:cdk:path'?: string; readonly [key: string]: unknown };
  readonly DependsOn?: string | string[];
  readonly Condition?: string;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

export type Properties = Record<string, unknown>;

/** Which stack, where. */
export interface StackIdentity {
  readonly name: string;
  /** Its ARN. */
  readonly id: string;
  readonly partition: string;
  readonly region: string;
  readonly account: string;
}

/** A resource that exists. */
export interface ResourceState {
  readonly logicalId: string;
  readonly type: string;
  /** What `Ref` gives. */
  readonly physicalId: string;
  /** With all intrinsics resolved. */
  readonly properties: Properties;
  /** What `Fn::GetAtt` gives. */
  readonly attributes: Properties;
  readonly definition: ResourceDefinition;
}

export interface ResourceRequest {
  readonly stack: StackIdentity;
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Properties;
  /** Another resource has failed meanwhile. */
  readonly cancelled?: AbortSignal;
}

export interface ResourceOutcome {
  readonly physicalId: string;
  readonly attributes: Properties;
}

/** A resource that could not be made or changed, but has a physical id: it is deleted again. */
export class ResourceFailure extends Error {
  constructor(message: string, readonly physicalId?: string) {
    super(message);
  }
}

/** What CloudFormation calls to create, update and delete resources of a type. A throw is a failure. */
export interface ResourceProvider {
  create(request: ResourceRequest): Promise<ResourceOutcome>;
  /** Another physical id in the outcome means that the resource was replaced. */
  update(request: ResourceRequest, current: ResourceState): Promise<ResourceOutcome>;
  delete(stack: StackIdentity, state: ResourceState): Promise<void>;
}

export function hasLanguageExtensions({ Transform: transform }: Template): boolean {
  return isDeepStrictEqual([transform].flat(), ['AWS::LanguageExtensions']);
}

/** Why a template cannot be rehearsed. Functions are looked at when they are resolved. */
export function whyNotRehearsed(template: Template): string | undefined {
  if (template.Transform !== undefined && !hasLanguageExtensions(template)) {
    return `its template has the Transform ${JSON.stringify(template.Transform)}, only AWS::LanguageExtensions is known`;
  }
  const { Resources: resources, Conditions: conditions = {}, Outputs: outputs = {} } = template;
  const loop = loopIn(resources, conditions, outputs);
  if (loop !== undefined) {
    return `its template has ${loop}`;
  }
  return policyFunction(resources);
}

/** The first Fn::ForEach of some sections. */
export function loopIn(...sections: object[]): string | undefined {
  return sections.flatMap(section => Object.keys(section)).find(name => name.startsWith('Fn::'));
}

/** What is wrong with the first resource whose removal policy is not a text. */
export function policyFunction(resources: Template['Resources']): string | undefined {
  const [logicalId] = Object.entries(resources).find(([, { DeletionPolicy, UpdateReplacePolicy }]) =>
    [DeletionPolicy, UpdateReplacePolicy].some(policy => typeof policy === 'object')) ?? [];
  return logicalId && `the policy on deletion or replacement of ${logicalId} is a function`;
}
