import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { SynthesizedApp, type TemplateFile } from './synthesized-app';
import type { Resource, TemplateBody } from './template';

/** Of manifest.json, as far as it is read. */
interface Manifest {
  readonly artifacts?: Readonly<Record<string, {
    readonly type: string;
    readonly environment?: string;
    readonly properties?: { readonly templateFile?: string; readonly stackName?: string };
    readonly metadata?: ConstructMetadata;
    readonly additionalMetadataFile?: string;
  }>>;
}

/** What constructs carry, by their paths with a slash in front. */
export type ConstructMetadata = Readonly<Record<string, readonly { readonly type: string; readonly data?: unknown }[]>>;

/** A stack of the cloud assembly. */
interface StackArtifact {
  readonly file: TemplateFile;
  readonly metadata: ConstructMetadata;
}

/** What a synthesis has written. */
export interface CloudAssembly {
  readonly app: SynthesizedApp;
  /** By the template file of the stack. */
  readonly metadata: ReadonlyMap<string, ConstructMetadata>;
}

/**
 * Reads templates, those of their nested stacks, and what the constructs carry.
 *
 * @param templatePaths absolute paths of the templates of stacks
 */
export function readCloudAssembly(templatePaths: readonly string[]): CloudAssembly {
  const stacks = [...new Set(templatePaths)].map(readStack);
  return {
    app: new SynthesizedApp(stacks.map(({ file }) => file), readNested),
    metadata: new Map(stacks.map(({ file, metadata }) => [file.file, metadata])),
  };
}

function readStack(file: string): StackArtifact {
  const folder = dirname(file);
  const manifest = join(folder, 'manifest.json');
  const { artifacts = {} } = existsSync(manifest) ? readJson<Manifest>(manifest) : {};
  const [id, artifact] = Object.entries(artifacts).find(
    ([, { properties }]) => properties?.templateFile === basename(file),
  ) ?? [basename(file), undefined];
  const metadata
    = artifact?.additionalMetadataFile === undefined
      ? {}
      : readJson<ConstructMetadata>(join(folder, artifact.additionalMetadataFile));
  return {
    file: {
      file,
      stack: {
        name: artifact?.properties?.stackName ?? id,
        environment: artifact?.environment ?? 'aws://unknown-account/unknown-region',
        folder,
      },
      body: readJson<TemplateBody>(file),
    },
    metadata: { ...artifact?.metadata, ...metadata },
  };
}

/**
 * CDK uploads the template of a nested stack or a stack set as an asset; its name in the assembly is in the metadata,
 * or has to be found by its hash.
 */
function readNested({ template: { stack }, metadata, properties }: Resource): TemplateFile | undefined {
  const name
    = metadata['aws:asset:path']
      ?? (properties.TemplateURL === undefined
        ? undefined
        : nameOfAsset(stack.folder, JSON.stringify(properties.TemplateURL)));
  const file = typeof name === 'string' ? join(stack.folder, name) : undefined;
  const body = file !== undefined && existsSync(file) ? readTemplate(file) : undefined;
  return file !== undefined && body ? { file, stack, body } : undefined;
}

/** Undefined where it is not JSON, as a template that was not made by CDK. */
function readTemplate(file: string): TemplateBody | undefined {
  try {
    return readJson<TemplateBody>(file);
  } catch {
    return undefined;
  }
}

interface Assets {
  readonly files?: Readonly<Record<string, { readonly source: { readonly path?: string } }>>;
}

function nameOfAsset(folder: string, url: string): string | undefined {
  return readdirSync(folder).filter(name => name.endsWith('.assets.json')).flatMap((name) => {
    const { files = {} } = readJson<Assets>(join(folder, name));
    return Object.entries(files).filter(([hash]) => url.includes(hash)).map(([, { source }]) => source.path);
  })[0];
}

function readJson<Content>(file: string): Content {
  return JSON.parse(readFileSync(file, 'utf8')) as Content;
}
