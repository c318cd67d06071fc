import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Template } from './template';

interface Manifest {
  readonly artifacts: Record<string, {
    readonly type: string;
    readonly environment?: string;
    readonly dependencies?: string[];
    readonly properties?: { readonly templateFile?: string; readonly file?: string; readonly stackName?: string; readonly directoryName?: string };
  }>;
}

interface AssetManifest {
  readonly files: Record<string, {
    readonly source: { readonly path: string; readonly packaging: string };
    readonly destinations: Record<string, { readonly objectKey: string }>;
  }>;
}

export interface AssemblyStack {
  readonly name: string;
  readonly template: Template;
  /** Names of the stacks that are deployed before it. */
  readonly dependencies: string[];
  /** Undefined where the stack leaves it open. */
  readonly account?: string;
  readonly region?: string;
}

/** What `cdk synth` wrote. */
export class CloudAssembly {
  private readonly manifest: Manifest;

  /** @param folder usually cdk.out */
  constructor(readonly folder: string) {
    if (!existsSync(join(folder, 'manifest.json'))) {
      throw new Error(`${folder} is not a cloud assembly: it has no manifest.json; run cdk synth first`);
    }
    this.manifest = this.read<Manifest>('manifest.json');
  }

  /** All stacks, each after those that it depends on. */
  get stacks(): AssemblyStack[] {
    const { artifacts } = this.manifest;
    const ordered = new Set<string>();
    const visit = (id: string) => {
      if (!ordered.has(id)) {
        artifacts[id].dependencies?.forEach(visit);
        ordered.add(id);
      }
    };
    Object.keys(artifacts).forEach(visit);
    return [...ordered].filter(id => this.isStack(id)).map(id => this.stack(id));
  }

  /** Folders of the stages, each of which is an assembly of its own. */
  get stages(): string[] {
    return Object.values(this.manifest.artifacts).filter(({ type }) => type === 'cdk:cloud-assembly')
      .map(({ properties }) => join(this.folder, properties?.directoryName ?? ''));
  }

  /** Folder of each asset that is one, by its object key in the bucket. */
  get assets(): Map<string, string> {
    const manifests = Object.values(this.manifest.artifacts).filter(({ type }) => type === 'cdk:asset-manifest');
    const files = manifests.flatMap(({ properties }) => Object.values(this.read<AssetManifest>(properties?.file ?? '').files));
    return new Map(files.filter(({ source }) => source.packaging === 'zip').flatMap(({ source, destinations }) =>
      Object.values(destinations).map(({ objectKey }) => [objectKey, join(this.folder, source.path)])));
  }

  private isStack(id: string): boolean {
    return this.manifest.artifacts[id].type === 'aws:cloudformation:stack';
  }

  private nameOf(id: string): string {
    return this.manifest.artifacts[id].properties?.stackName ?? id;
  }

  private stack(id: string): AssemblyStack {
    const { properties = {}, environment = '', dependencies = [] } = this.manifest.artifacts[id];
    const [, account, region] = /^aws:\/\/([^/]+)\/(.+)$/.exec(environment) ?? [];
    return {
      name: this.nameOf(id),
      dependencies: dependencies.filter(each => this.isStack(each)).map(each => this.nameOf(each)),
      template: this.read<Template>(properties.templateFile ?? ''),
      account: account === 'unknown-account' ? undefined : account,
      region: region === 'unknown-region' ? undefined : region,
    };
  }

  private read<Content>(file: string): Content {
    return JSON.parse(readFileSync(join(this.folder, file), 'utf8')) as Content;
  }
}
