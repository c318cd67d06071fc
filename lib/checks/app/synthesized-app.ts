import {
  type CheckedApp,
  type Resource,
  type Scoped,
  STACK_SET,
  type StackIdentity,
  Template,
  type TemplateBody,
} from './template';
import { jsonIn } from './value';

/** A template file of the cloud assembly. */
export interface TemplateFile {
  readonly file: string;
  readonly stack: StackIdentity;
  readonly body: TemplateBody;
}

/** The templates of a cloud assembly. */
export class SynthesizedApp implements CheckedApp {
  public readonly resources: Resource[];
  /** Outputs and parameters. */
  public readonly declarations: Resource[];
  private readonly templates: Template[];
  private readonly nested = new Map<Resource, Template>();
  private readonly byType = new Map<string, Resource[]>();
  private readonly exports = new Map<string, Scoped[]>();

  /**
   * @param files of the stacks
   * @param nestedIn the template of a nested stack or a stack set, where the cloud assembly has it
   */
  constructor(files: TemplateFile[], nestedIn: (resource: Resource) => TemplateFile | undefined = () => undefined) {
    const withNested = (template: Template): Template[] => [template, ...template.resources.flatMap((resource) => {
      const found = resource.type === 'AWS::CloudFormation::Stack' ? nestedIn(resource) : undefined;
      if (!found) {
        return [];
      }
      const child = new Template(this, found.file, found.stack, found.body, resource);
      this.nested.set(resource, child);
      return withNested(child);
    })];
    const deployed = files.flatMap(({ file, stack, body }) => withNested(new Template(this, file, stack, body)));
    this.addExports(deployed);
    // What is in the text of a template may be what a stack exports.
    const ofStackSets = deployed
      .flatMap(({ resources }) => resources)
      .filter(({ type }) => type === STACK_SET)
      .flatMap((set) => {
        const body = nestedIn(set)?.body ?? jsonIn(set.properties.TemplateBody, set.template);
        if (!isTemplateBody(body)) {
          return [];
        }
        const stack = {
          name: '',
          environment: 'aws://unknown-account/unknown-region',
          folder: set.template.stack.folder,
        };
        const template = new Template(this, `${set.template.file}#${set.logicalId}`, stack, body, set);
        this.nested.set(set, template);
        return withNested(template);
      });
    this.templates = [...deployed, ...ofStackSets];
    this.resources = this.templates.flatMap(({ resources }) => resources);
    this.declarations = this.templates.flatMap(({ declarations }) => declarations);
    for (const resource of this.resources) {
      put(this.byType, resource.type, resource);
    }
  }

  public ofType(...types: string[]): Resource[] {
    return types.flatMap(type => this.byType.get(type) ?? []);
  }

  public exported(name: string, importer: Template): Scoped | undefined {
    const all = this.exports.get(name) ?? [];
    const nearest = [
      all.filter(
        ({ template: { stack } }) =>
          stack.environment === importer.stack.environment && stack.folder === importer.stack.folder,
      ),
      all.filter(({ template: { stack } }) => stack.environment === importer.stack.environment),
      all,
    ].find(found => found.length > 0) ?? [];
    return nearest.length === 1 ? nearest[0] : undefined;
  }

  public output(stackName: string, outputName: string): Scoped | undefined {
    const found = this.templates.filter(
      ({ stack, embeddedBy, outputs }) => stack.name === stackName && !embeddedBy && outputName in outputs,
    );
    return found.length === 1 ? { value: found[0].outputs[outputName].Value, template: found[0] } : undefined;
  }

  public nestedIn(resource: Resource): Template | undefined {
    return this.nested.get(resource);
  }

  private addExports(templates: Template[]): void {
    for (const template of templates) {
      for (const { Value: value, Export: exported } of Object.values(template.outputs)) {
        if (typeof exported?.Name === 'string') {
          put(this.exports, exported.Name, { value, template });
        }
      }
    }
  }
}

/** What is worked out once for all resources of an app. */
export function oncePerApp<Fact>(work: (app: CheckedApp) => Fact): (app: CheckedApp) => Fact {
  const facts = new WeakMap<CheckedApp, Fact>();
  return (app) => {
    if (!facts.has(app)) {
      facts.set(app, work(app));
    }
    return facts.get(app)!;
  };
}

function isTemplateBody(body: unknown): body is TemplateBody {
  return Object.hasOwn(Object(body) as object, 'Resources');
}

function put<Item>(lists: Map<string, Item[]>, key: string, item: Item): void {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  list.push(item);
}
