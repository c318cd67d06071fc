import { join } from 'node:path';
import { Stack as CdkStack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { transformSync } from 'esbuild';
import ts from 'typescript';
import { Catalog, readCatalog } from '../../cli/generate/catalog';
import { connections } from '../../cli/generate/connection';
import { generated } from '../../cli/generate/generate';
import { Model } from '../../cli/generate/model/model';
import { SubjectOptions } from '../../cli/generate/model/subjects';
import { AuroraIamAuth, IamAuthBase } from '../../lib';
import { AuroraLikeServer } from '../../rehearsal/aurora-like-server';
import { Stack } from '../lambda/stack';
import { newApp, newCluster, resourcesOf } from '../lib/support';

const ROOT = join(__dirname, '../..');

const NOTHING_ELSE: SubjectOptions = { includePasswordLogins: false, includePublicConnect: false, preferred: 'shop' };

/** What `generate` writes of a server, read over verified TLS as its master. */
export async function generate(
  server: AuroraLikeServer,
  options: Partial<SubjectOptions> = {},
  only?: string[],
): Promise<{ file: string; model: Model; catalog: Catalog }> {
  const { username, password } = server.master;
  const visit = await connections({
    host: server.host,
    port: server.port,
    username,
    password,
    database: 'postgres',
    sslMode: 'verify-full',
    caFile: server.caFile,
  });
  const catalog = await readCatalog(visit, 'postgres', only);
  return { ...generated(catalog, { ...NOTHING_ELSE, ...options }), catalog };
}

/** What tsc says of generated files, in one program. */
export function compilerErrors(files: ReadonlyMap<string, string>): string[] {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.CommonJS,
    strict: true,
    noUnusedLocals: true,
    noUnusedParameters: true,
    noImplicitReturns: true,
    esModuleInterop: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    paths: { 'cdk-aurora-iam-auth': [join(ROOT, 'lib/index.ts')] },
  };
  const paths = new Map([...files].map(([name, text]) => [join(ROOT, `test/cli/.generated-${name}.ts`), text]));
  const host = ts.createCompilerHost(options);
  const onDisk = { ...host };
  host.readFile = path => paths.get(path) ?? onDisk.readFile(path);
  host.fileExists = path => paths.has(path) || onDisk.fileExists(path);
  host.getSourceFile = (path, ...others) =>
    paths.has(path) ? ts.createSourceFile(path, paths.get(path)!, others[0]) : onDisk.getSourceFile(path, ...others);
  const program = ts.createProgram([...paths.keys()], options, host);
  const own = [...paths.keys()].map(path => program.getSourceFile(path)!);
  return [
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...own.flatMap(file => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]),
  ].map(
    ({ messageText, file, start = 0 }) =>
      `${file?.fileName}:${file?.getLineAndCharacterOfPosition(start).line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
  );
}

interface CustomResource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
  readonly DependsOn?: string[];
}

/** A generated class. It takes those before it as `databaseAccess`, `databaseAccess2` and so on. */
type Generated = new (
  scope: Construct,
  id: string,
  props: { readonly iamAuth: IamAuthBase; readonly [name: string]: Construct },
) => Construct;

/** An app with the generated constructs, each in a stack of its own. */
export function stacksOf(file: string): CdkStack[] {
  const { code } = transformSync(file, { loader: 'ts', format: 'cjs' });
  const load = (name: string): unknown => jest.requireActual(name === 'cdk-aurora-iam-auth' ? '../../lib' : name);
  const module = { exports: {} as Record<string, Generated> };
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the text under test is a text
  (new Function('require', 'module', 'exports', code) as (...globals: unknown[]) => void)(load, module, module.exports);
  const app = newApp();
  const first = new CdkStack(app, 'Shop');
  const cluster = newCluster(first);
  const made: Record<string, Construct> = {};
  return Object.entries(module.exports).map(([name, DatabaseAccess], index) => {
    const stack = index === 0 ? first : new CdkStack(app, `Shop${index + 1}`);
    const iamAuth = new AuroraIamAuth(stack, 'IamAuth', { cluster });
    made[`${name[0].toLowerCase()}${name.slice(1)}`] = new DatabaseAccess(stack, 'Access', { ...made, iamAuth });
    return stack;
  });
}

/** The custom resources of an app with the generated constructs, each after those that it waits for. */
export function synthesized(file: string): [logicalId: string, resource: CustomResource][] {
  return stacksOf(file).flatMap(inOrder);
}

function inOrder(stack: CdkStack): [logicalId: string, resource: CustomResource][] {
  const resources = Object.entries(resourcesOf(stack)).filter(([, { Type }]) => Type.startsWith('Custom::Rds')) as [
    string,
    CustomResource,
  ][];
  const byId = new Map(resources);
  const order = new Set<string>();
  const visit = (id: string) => {
    if (byId.has(id) && !order.has(id)) {
      byId.get(id)!.DependsOn?.forEach(visit);
      order.add(id);
    }
  };
  [...byId.keys()].forEach(visit);
  return [...order].map(id => [id, byId.get(id)!]);
}

/**
 * Sends the resources of an app to the real handler, as Creates; returns what it executed beside the statements of the
 * registry.
 */
export async function deploy(
  server: AuroraLikeServer,
  resources: ReturnType<typeof synthesized>,
  stack = new Stack(server),
): Promise<string[]> {
  for (const [LogicalResourceId, resource] of resources) {
    await stack.send({ RequestType: 'Create', LogicalResourceId, ...eventOf(server, resource) } as never, {
      username: 'unused',
    });
  }
  return stack.takeExecuted().map(({ sql }) => sql);
}

/** What the handler gets of a resource: CloudFormation makes a text of each scalar. */
export function eventOf(
  { resourceId }: AuroraLikeServer,
  { Type, Properties }: CustomResource,
): { ResourceType: string; ResourceProperties: Record<string, unknown> } {
  const properties = JSON.parse(JSON.stringify(Properties)) as Record<string, unknown>; // a list of the CDK is of another realm in jest
  return {
    ResourceType: Type,
    ResourceProperties: {
      ...properties,
      ServiceToken: 'arn:aws:lambda:eu-central-1:123456789012:function:framework',
      Database: { ResourceId: resourceId },
    },
  };
}

/** A snapshot without what the provisioner keeps for itself. */
export function withoutRegistry(snapshot: unknown): unknown {
  const { registry, ...others } = snapshot as Record<string, string[]>;
  void registry;
  return Object.fromEntries(
    Object.entries(others).map(([part, lines]) => [part, lines.filter(line => !line.includes('cdk_aurora_iam_auth'))]),
  );
}
