import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import type { ConstructMetadata } from './app/cloud-assembly';
import type { Resource } from './app/template';

const LOGICAL_ID = 'aws:cdk:logicalId';

/**
 * Which findings are acknowledged where: on the construct of the resource, or on one around it.
 *
 * CDK writes what constructs carry into the cloud assembly, stack by stack. What is acknowledged on the app or on a
 * stage is not among it; newer versions of CDK hand over the constructs themselves.
 */
export class Acknowledgements {
  /** By the paths of constructs. */
  private readonly ids = new Map<string, Set<string>>();
  /** Paths of constructs by template file of the stack, and by logical id in it or in one of its nested stacks. */
  private readonly paths = new Map<string, Map<string, string[]>>();

  /**
   * @param metadata of the constructs of stacks, by the template file of the stack
   * @param root of the constructs, where it is known
   */
  constructor(metadata: ReadonlyMap<string, ConstructMetadata>, root?: IConstruct) {
    for (const [file, constructs] of metadata) {
      const paths = new Map<string, string[]>();
      this.paths.set(file, paths);
      for (const [name, entries] of Object.entries(constructs)) {
        const path = name.replace(/^\//, '');
        for (const { type, data } of entries) {
          if (type === LOGICAL_ID && typeof data === 'string') {
            paths.set(data, [...paths.get(data) ?? [], path]);
          }
          this.add(path, type, data);
        }
      }
    }
    for (const { node } of root?.node.findAll() ?? []) {
      node.metadata.forEach(({ type, data }) => this.add(node.path, type, data));
    }
  }

  public has(id: string, resource: Resource): boolean {
    const path = this.pathOf(resource);
    const above = path?.split('/').map((_, index, names) => names.slice(0, index + 1).join('/')) ?? [];
    return ['', ...above].some(construct => this.ids.get(construct)?.has(id));
  }

  /** Path of the construct of a resource. */
  private pathOf({ metadata, template, logicalId }: Resource): string | undefined {
    const known = metadata['aws:cdk:path'];
    if (typeof known === 'string') {
      return known;
    }
    let { embeddedBy, file } = template;
    const within = embeddedBy && nestedStackPath(this.pathOf(embeddedBy));
    while (embeddedBy) {
      ({ embeddedBy, file } = embeddedBy.template);
    }
    const candidates = this.paths.get(file)?.get(logicalId) ?? [];
    // Those of a nested stack are longer.
    return within === undefined
      ? [...candidates].sort((one, other) => one.split('/').length - other.split('/').length)[0]
      : candidates.find(candidate => candidate.startsWith(`${within}/`));
  }

  private add(path: string, type: string, data: unknown): void {
    if (type !== Validations.ACKNOWLEDGED_RULES_METADATA_KEY) {
      return;
    }
    const ids = this.ids.get(path) ?? new Set<string>();
    this.ids.set(path, ids);
    // CDK puts a source in front of an id that names none.
    Object.keys(Object(data) as object).forEach(id => ids.add(id.replace(/^annotation::/i, '')));
  }
}

/** `Stack/Name` of the resource `Stack/Name.NestedStack/Name.NestedStackResource`. */
function nestedStackPath(path: string | undefined): string | undefined {
  return path?.replace(/\.NestedStack\/[^/]*$/, '');
}
