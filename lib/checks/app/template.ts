export type Properties = Readonly<Record<string, unknown>>;

/** A resource as it deploys, overrides included. */
export interface Resource {
  readonly template: Template;
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Properties;
  readonly metadata: Properties;
}

/** A value, and the template whose names it uses. */
export interface Scoped {
  readonly value: unknown;
  readonly template: Template;
}

/** All templates that are checked together, and what leads from one to another. */
export interface CheckedApp {
  readonly resources: Resource[];
  ofType(...types: string[]): Resource[];

  /**
   * What `Fn::ImportValue` gives; undefined where another app exports it, or where it cannot be told which stack does.
   */
  exported(name: string, importer: Template): Scoped | undefined;

  /** An output of a stack of this app, by the names of both. */
  output(stackName: string, outputName: string): Scoped | undefined;

  /** The template of a nested stack or a stack set. */
  nestedIn(resource: Resource): Template | undefined;
}

export const STACK_SET = 'AWS::CloudFormation::StackSet';

/** In place of the type of a resource. */
export const [OUTPUT, PARAMETER] = ['output', 'parameter'];

/** The stack that a template is deployed as; a nested one has the identity of the stack around it. */
export interface StackIdentity {
  readonly name: string;
  /** As in `aws://111111111111/eu-west-1`. */
  readonly environment: string;
  /** Of the cloud assembly. */
  readonly folder: string;
}

/** The sections of a template that rules read. */
export interface TemplateBody {
  readonly Resources?: Readonly<Record<string, {
    readonly Type: string; readonly Properties?: Properties; readonly Metadata?: Properties;
  }>>;
  readonly Outputs?: Readonly<Record<string, {
    readonly Value: unknown; readonly Export?: { readonly Name: unknown };
  }>>;
  readonly Parameters?: Readonly<Record<string, Properties>>;
}

/** A template that was synthesized. */
export class Template {
  public readonly resources: Resource[];
  /** Its outputs and parameters, which may have values in them as resources do. */
  public readonly declarations: Resource[];
  public readonly outputs: NonNullable<TemplateBody['Outputs']>;
  private readonly byLogicalId: Map<string, Resource>;

  /**
   * @param app all templates, for what refers to another one
   * @param file absolute path
   * @param stack the stack it is deployed as, or within
   * @param body what is in the file
   * @param embeddedBy of a nested stack or a stack set: the resource that deploys it
   */
  constructor(
    readonly app: CheckedApp, readonly file: string, readonly stack: StackIdentity, body: TemplateBody,
    readonly embeddedBy?: Resource,
  ) {
    const declared = (type: string, entries: Readonly<Record<string, object>> = {}) => Object.entries(entries)
      .map(([logicalId, properties]) => ({
        template: this, logicalId, type, properties: properties as Properties, metadata: {},
      }));
    this.declarations = [...declared(OUTPUT, body.Outputs), ...declared(PARAMETER, body.Parameters)];
    // What has no type is Fn::ForEach or Fn::Transform, and no resource before the deployment.
    this.resources = Object.entries(body.Resources ?? {}).filter(([, { Type }]) => typeof Type === 'string').map((
      [logicalId, { Type: type, Properties: properties = {}, Metadata: metadata = {} }],
    ) =>
      ({ template: this, logicalId, type, properties, metadata }));
    this.byLogicalId = new Map(this.resources.map(resource => [resource.logicalId, resource]));
    this.outputs = body.Outputs ?? {};
  }

  /**
   * Whether its resources have no constructs, because the template is in a property, or in a file that a stack set
   * deploys.
   */
  public get isOfStackSet(): boolean {
    return this.embeddedBy !== undefined
      && (this.embeddedBy.type === STACK_SET || this.embeddedBy.template.isOfStackSet);
  }

  public find(logicalId: string): Resource | undefined {
    return this.byLogicalId.get(logicalId);
  }
}
