/**
 * Keeps the cloud assemblies of some examples as they are today, in test/rehearsal/fixtures/releases/<name>: what is
 * deployed by them is upgraded to each later state by test/rehearsal/library-upgrade.server.test.ts. Run before a
 * release: `tsx scripts/keep-assemblies.ts <version>`.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const EXAMPLES = ['quick-start', 'rds-instance', 'service-stack', 'shop'];

interface Manifest {
  readonly version: string;
  readonly artifacts: Record<
    string,
    {
      readonly type: string;
      readonly environment?: string;
      readonly displayName?: string;
      readonly dependencies?: string[];
      readonly properties?: object;
    }
  >;
}

interface Assets {
  readonly files: Record<string, { readonly source: { path: string } }>;
}

const root = resolve(__dirname, '..');
const [name] = process.argv.slice(2);
if (!name || !/^[\w.-]+$/.test(name)) {
  throw new Error('expected a name, such as 0.1.0');
}
const target = join(root, 'test/rehearsal/fixtures/releases', name);
const work = mkdtempSync(join(tmpdir(), 'keep-'));

for (const example of EXAMPLES) {
  const [from, to] = [join(work, example), join(target, example)];
  mkdirSync(to, { recursive: true });
  execFileSync(process.execPath, ['--import', 'tsx', `examples/${example}/app.ts`], {
    cwd: root,
    stdio: 'ignore',
    env: {
      ...process.env,
      CDK_OUTDIR: from,
      CDK_VALIDATION: 'false',
      TSX_TSCONFIG_PATH: 'examples/tsconfig.json',
      CDK_CONTEXT_JSON: '{"aws:cdk:enable-path-metadata":true}',
    },
  });
  const read = <Content>(file: string) => JSON.parse(readFileSync(join(from, file), 'utf8')) as Content;
  const { version, artifacts } = read<Manifest>('manifest.json');
  const kept = Object.entries(artifacts).filter(
    ([, { type }]) => type === 'aws:cloudformation:stack' || type === 'cdk:asset-manifest',
  );
  for (const [, { properties }] of kept) {
    const { templateFile, file } = properties as { templateFile?: string; file?: string };
    if (templateFile !== undefined) {
      writeFileSync(join(to, templateFile), JSON.stringify(read(templateFile)));
    }
    if (file !== undefined) {
      const assets = read<Assets>(file);
      for (const { source } of Object.values(assets.files).filter(each => each.source.path.startsWith('asset.'))) {
        // All examples have the same functions.
        if (!existsSync(join(target, source.path))) {
          cpSync(join(from, source.path), join(target, source.path), { recursive: true });
        }
        source.path = `../${source.path}`;
      }
      writeFileSync(join(to, file), JSON.stringify(assets, undefined, 1));
    }
  }
  const slim = kept.map(([id, { type, environment, displayName, dependencies, properties }]) => [
    id,
    { type, environment, displayName, dependencies, properties },
  ]);
  writeFileSync(
    join(to, 'manifest.json'),
    JSON.stringify({ version, artifacts: Object.fromEntries(slim) as object }, undefined, 1),
  );
}
rmSync(work, { recursive: true, force: true });
