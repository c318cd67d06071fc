/** A CloudFormation template, as far as it is rehearsed. */
export interface Template {
  readonly Parameters?: Record<string, { readonly Type: string; readonly Default?: unknown }>;
  readonly Mappings?: Record<string, Record<string, Record<string, unknown>>>;
  readonly Conditions?: Record<string, unknown>;
  readonly Resources: Record<string, ResourceDefinition>;
  readonly Outputs?: Record<string, { readonly Value: unknown; readonly Condition?: string; readonly Export?: { readonly Name: unknown } }>;
  readonly Transform?: unknown;
}

export interface ResourceDefinition {
  readonly Type: string;
  readonly Properties?: Properties;
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
}

export interface ResourceOutcome {
  readonly physicalId: string;
  readonly attributes: Properties;
}

/** What CloudFormation calls to create, update and delete resources of a type. A throw is a failure. */
export interface ResourceProvider {
  create(request: ResourceRequest): Promise<ResourceOutcome>;
  /** Another physical id in the outcome means that the resource was replaced. */
  update(request: ResourceRequest, current: ResourceState): Promise<ResourceOutcome>;
  delete(stack: StackIdentity, state: ResourceState): Promise<void>;
}
