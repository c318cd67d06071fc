import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  checked,
  isObject,
  json,
  listOf,
  mapOf,
  object,
  parse,
  read,
  text,
  textOf,
  unreadable,
} from './assembly-files';
import { Template } from './template';

interface Manifest {
  readonly artifacts: Record<string, Artifact>;
  /** What CDK would have to look up in AWS; until then the templates have invented values in its place. */
  readonly missing?: { readonly key?: unknown }[];
}

interface Artifact {
  readonly type: string;
  readonly environment?: string;
  readonly displayName?: string;
  readonly dependencies?: string[];
  readonly metadata?: Metadata;
  readonly additionalMetadataFile?: string;
  readonly properties?: {
    readonly templateFile?: string;
    readonly file?: string;
    readonly stackName?: string;
    readonly directoryName?: string;
  };
}

type Metadata = Record<string, { readonly type: string; readonly data?: unknown }[]>;

/** An asset as the legacy synthesizer declares it: its bucket and key are parameters of the template. */
interface LegacyAsset {
  readonly path: string;
  readonly id: string;
  readonly packaging: string;
  readonly s3BucketParameter?: string;
  readonly s3KeyParameter?: string;
  readonly artifactHashParameter?: string;
  readonly imageNameParameter?: string;
}

interface AssetManifest {
  readonly files?: Record<string, {
    readonly source: { readonly path?: string; readonly packaging?: string };
    readonly destinations: Record<string, { readonly objectKey: string }>;
  }>;
}

const METADATA = mapOf(listOf(object({ type: text })));

const ARTIFACTS = mapOf(object({ type: text }, {
  environment: text,
  displayName: text,
  dependencies: listOf(text),
  metadata: METADATA,
  properties: object({}, { directoryName: text, stackName: text }),
}));

const ASSET_MANIFEST = object({}, {
  files: mapOf(object({ source: object({}, { path: text }), destinations: mapOf(object({ objectKey: text })) })),
});

/** Also of a stack without resources. */
const TEMPLATE = object({}, {
  Resources: mapOf(object({ Type: text }, { Properties: object({}), Metadata: object({}) })),
  Parameters: mapOf(object({})),
  Conditions: object({}),
  Mappings: object({}),
  Outputs: mapOf(object({})),
});

export interface AssemblyStack {
  /** Unique in the assembly: the name, or the path of the construct where several stacks have the name. */
  readonly id: string;
  /** Name in CloudFormation. */
  readonly name: string;
  readonly template: Template;
  /** Bytes of the template as `cdk synth` has written it. */
  readonly templateBytes: number;
  /** Ids of the stacks that are deployed before it. */
  readonly dependencies: string[];
  /** Undefined where the stack leaves it open. */
  readonly account?: string;
  readonly region?: string;
  /** The stage that it is in; stacks of a stage are deployed together. @default - that of the app */
  readonly stage?: string;
  /** Values of parameters that the CDK CLI gives: the assets of the legacy synthesizer. */
  readonly parameters: Readonly<Record<string, string>>;
  /** By logical id. */
  readonly nested: Readonly<Record<string, AssemblyStack>>;
  /**
   * Templates that stack sets deploy from a file of the assembly, by the logical id of the stack set.
   *
   * @default - none
   */
  readonly stackSets?: Readonly<Record<string, AssemblyStack>>;
}

/** A file or folder that the CDK CLI uploads. */
interface Asset {
  readonly path: string;
  readonly isFolder: boolean;
}

const ENVIRONMENT = /^aws:\/\/([^/]+)\/(.+)$/;

/** What `cdk synth` wrote, stages included. */
export class CloudAssembly {
  /** All stacks, each after those that it depends on; those of stages come last. */
  readonly stacks: AssemblyStack[];
  private readonly files = new Map<string, Asset>();
  private readonly missing = new Set<string>();
  private readonly folders = new Set<string>();

  /** @param folder usually cdk.out */
  constructor(readonly folder: string) {
    if (!existsSync(join(folder, 'manifest.json'))) {
      throw new Error(`${folder} is not a cloud assembly: it has no manifest.json; run cdk synth first`);
    }
    this.stacks = withUniqueIds(this.stacksIn(folder));
  }

  /** Folder of each asset that is one, by its object key in the bucket. */
  get assets(): Map<string, string> {
    return new Map([...this.files].filter(([, { isFolder }]) => isFolder).map(([key, { path }]) => [key, path]));
  }

  /** Why the templates are not those of a deployment, as the CDK CLI refuses it. */
  get lookupProblem(): string | undefined {
    return this.missing.size === 0
      ? undefined
      : `what it looks up in AWS is not known, and the templates have invented values in its place: ${[...this.missing].join(', ')}; `
        + 'run cdk synth with credentials that may look it up, and keep the cdk.context.json that it writes';
  }

  private stacksIn(folder: string, stage?: string): AssemblyStack[] {
    if (this.folders.has(resolve(folder))) {
      unreadable(folder, 'manifest.json', 'a stage has no folder of its own');
    }
    this.folders.add(resolve(folder));
    const manifest = json(textOf(folder, 'manifest.json'), folder, 'manifest.json');
    if (!isObject(manifest) || !isObject(manifest.artifacts)) {
      // Other programs write files of that name, too.
      throw new Error(
        `${folder} is not a cloud assembly: its manifest.json has no artifacts; name the folder that cdk synth has written`,
      );
    }
    const { artifacts, missing = [] } = checked<Manifest>(
      manifest,
      folder,
      'manifest.json',
      object({ artifacts: ARTIFACTS }, { missing: listOf(object({})) }),
    );
    missing.forEach(({ key }) => this.missing.add(String(key)));
    const [ordered, visited] = [new Set<string>(), new Set<string>()];
    const visit = (id: string) => {
      if (Object.hasOwn(artifacts, id) && !visited.has(id)) {
        visited.add(id);
        artifacts[id].dependencies?.forEach(visit);
        ordered.add(id);
      }
    };
    Object.keys(artifacts).forEach(visit);
    Object.values(artifacts)
      .filter(({ type }) => type === 'cdk:asset-manifest')
      .forEach(({ properties }) => this.addAssets(folder, properties?.file ?? ''));
    const stacks = [...ordered]
      .filter(id => isStack(artifacts[id]))
      .map(id => ({ ...this.stackOf(folder, artifacts, id), ...(stage === undefined ? {} : { stage }) }));
    const stages = [...ordered].filter(id => artifacts[id].type === 'cdk:cloud-assembly');
    return [...stacks, ...stages.flatMap((id) => {
      const { directoryName = '' } = artifacts[id].properties ?? {};
      return this.stacksIn(join(folder, directoryName), join(stage ?? '', directoryName));
    })];
  }

  private stackOf(folder: string, artifacts: Record<string, Artifact>, id: string): AssemblyStack {
    const artifact = artifacts[id];
    const { properties = {}, environment = '', dependencies = [], additionalMetadataFile } = artifact;
    const [, account, region] = ENVIRONMENT.exec(environment) ?? [];
    const metadata
      = additionalMetadataFile === undefined
        ? artifact.metadata
        : read<Metadata>(folder, additionalMetadataFile, METADATA);
    const name = properties.stackName ?? id;
    // Before the templates, of which nested ones are assets.
    const parameters = this.legacyAssets(folder, metadata ?? {});
    return {
      ...this.templateOf(folder, name, properties.templateFile ?? ''),
      id: name,
      name,
      path: artifact.displayName ?? id,
      parameters,
      // Dependencies are artifacts; their ids are those of the stacks until withUniqueIds() says otherwise.
      dependencies: dependencies
        .filter(each => isStack(artifacts[each]))
        .map(each => artifacts[each].properties?.stackName ?? each),
      account: account === 'unknown-account' ? undefined : account,
      region: region === 'unknown-region' ? undefined : region,
    } as AssemblyStack;
  }

  private templateOf(
    folder: string,
    id: string,
    file: string,
  ): Pick<AssemblyStack, 'template' | 'templateBytes' | 'nested' | 'stackSets'> {
    const content = textOf(folder, file);
    const parsed = parse<Partial<Template>>(content, folder, file, TEMPLATE);
    const template: Template = { ...parsed, Resources: parsed.Resources ?? {} };
    const nested = Object.entries(template.Resources)
      .filter(([, { Type: type }]) => type === 'AWS::CloudFormation::Stack')
      .flatMap(([logicalId, definition]) => {
        const nestedFile = this.nestedTemplate(folder, definition);
        const nestedId = `${id}/${logicalId}`;
        return nestedFile === undefined
          ? []
          : [
              [
                logicalId,
                {
                  ...this.templateOf(folder, nestedId, nestedFile),
                  id: nestedId,
                  name: nestedId,
                  dependencies: [] as string[],
                  parameters: {},
                },
              ] as const,
            ];
      });
    return {
      template,
      templateBytes: Buffer.byteLength(content),
      nested: Object.fromEntries(nested),
      stackSets: this.stackSetsIn(folder, id, template),
    };
  }

  /** One whose template was not made by CDK may be YAML. */
  private stackSetsIn(folder: string, id: string, { Resources: resources }: Template): Record<string, AssemblyStack> {
    return Object.fromEntries(
      Object.entries(resources)
        .filter(([, { Type: type }]) => type === 'AWS::CloudFormation::StackSet')
        .flatMap(([logicalId, definition]) => {
          const file = this.nestedTemplate(folder, definition);
          const name = `${id}/${logicalId}`;
          const isJson = file !== undefined && /^\s*\{/.test(textOf(folder, file));
          return isJson
            ? [
                [
                  logicalId,
                  { ...this.templateOf(folder, name, file), id: name, name, dependencies: [], parameters: {} },
                ] as const,
              ]
            : [];
        }),
    );
  }

  /** File of a nested template: the metadata name it, or the URL has the key of its asset. */
  private nestedTemplate(
    folder: string,
    { Metadata: metadata, Properties: properties }: Template['Resources'][string],
  ): string | undefined {
    const named = metadata?.['aws:asset:path'];
    if (typeof named === 'string' && existsSync(join(folder, named))) {
      return named;
    }
    const url = JSON.stringify(properties?.TemplateURL ?? '');
    const asset = [...this.files].find(([key, { isFolder }]) => !isFolder && url.includes(key));
    if (!asset && typeof named === 'string') {
      unreadable(folder, named, 'it is not there');
    }
    return asset && asset[1].path.slice(folder.length + 1);
  }

  private addAssets(folder: string, file: string): void {
    for (const { source, destinations } of Object.values(
      read<AssetManifest>(folder, file, ASSET_MANIFEST).files ?? {},
    )) {
      for (const { objectKey } of Object.values(destinations)) {
        this.addAsset(objectKey, folder, source.path ?? '', source.packaging);
      }
    }
  }

  private addAsset(key: string, folder: string, path: string, packaging?: string): void {
    const absolute = join(folder, path);
    const isFolder = packaging === 'zip' && (statSync(absolute, { throwIfNoEntry: false })?.isDirectory() ?? true);
    this.files.set(key, { path: absolute, isFolder });
  }

  /** Values as the CDK CLI gives them: the key is in two parts, which the template joins. */
  private legacyAssets(folder: string, metadata: Metadata): Record<string, string> {
    const assets = Object.values(metadata)
      .flat()
      .filter(({ type }) => type === 'aws:cdk:asset')
      .map(({ data }) => data as LegacyAsset);
    return Object.fromEntries(
      assets.flatMap(
        ({ id, path, packaging, s3BucketParameter, s3KeyParameter, artifactHashParameter, imageNameParameter }) => {
          const key = `legacy-${id}`;
          if (s3KeyParameter !== undefined) {
            this.addAsset(`assets/${key}`, folder, path, packaging);
            this.addAsset(s3KeyParameter, folder, path, packaging);
          }
          return [
            ...s3BucketParameter === undefined ? [] : [[s3BucketParameter, 'assets']],
            ...s3KeyParameter === undefined ? [] : [[s3KeyParameter, `assets/||${key}`]],
            ...artifactHashParameter === undefined ? [] : [[artifactHashParameter, id]],
            ...imageNameParameter === undefined ? [] : [[imageNameParameter, `assets:${id}`]],
          ];
        },
      ),
    ) as Record<string, string>;
  }
}

function isStack(artifact?: Artifact): boolean {
  return artifact?.type === 'aws:cloudformation:stack';
}

/** Stacks of different stages may have the same name, in different accounts or Regions. */
function withUniqueIds(stacks: AssemblyStack[]): AssemblyStack[] {
  const isShared = (name: string) => stacks.filter(each => each.name === name).length > 1;
  return stacks.map((stack) => {
    const { path, ...others } = stack as AssemblyStack & { path: string };
    const stage = path.slice(0, path.lastIndexOf('/') + 1);
    // A stack depends on those of its own stage.
    const idOf = (name: string) =>
      isShared(name)
        ? ((stacks as (AssemblyStack & { path: string })[]).find(
            each => each.name === name && each.path.startsWith(stage),
          )?.path ?? name)
        : name;
    return isShared(stack.name)
      ? {
          ...others,
          id: path,
          nested: renamed(stack.nested, stack.id, path),
          dependencies: stack.dependencies.map(idOf),
        }
      : { ...others, dependencies: stack.dependencies.map(idOf) };
  });
}

function renamed(nested: AssemblyStack['nested'], from: string, to: string): AssemblyStack['nested'] {
  return Object.fromEntries(Object.entries(nested).map(([logicalId, stack]) =>
    [logicalId, { ...stack, id: `${to}${stack.id.slice(from.length)}`, nested: renamed(stack.nested, from, to) }]));
}
