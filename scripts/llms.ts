/**
 * Writes llms.txt from `.jsii` and the pages: the API and the compiled samples in one file, for tools that read one.
 * `npx projen compile && npx projen llms`. With --check it fails where the file is not what it would write.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Sample, typescriptOfPages } from './samples';

const ROOT = join(__dirname, '..');
const FILE = join(ROOT, 'llms.txt');

interface Docs {
  readonly summary?: string;
  readonly default?: string;
}

interface TypeReference {
  readonly primitive?: string;
  readonly fqn?: string;
  readonly collection?: { readonly kind: 'array' | 'map'; readonly elementtype: TypeReference };
  readonly union?: { readonly types: TypeReference[] };
}

interface Value {
  readonly name: string;
  readonly type?: TypeReference;
  readonly optional?: boolean;
  readonly variadic?: boolean;
  readonly static?: boolean;
  readonly docs?: Docs;
}

interface Method extends Value {
  readonly parameters?: Value[];
  readonly returns?: { readonly type: TypeReference };
}

export interface Type {
  readonly fqn: string;
  readonly name: string;
  readonly kind: 'class' | 'interface' | 'enum';
  readonly datatype?: boolean;
  readonly abstract?: boolean;
  readonly base?: string;
  readonly interfaces?: string[];
  readonly docs?: Docs;
  readonly initializer?: { readonly parameters?: Value[] };
  readonly properties?: Value[];
  readonly methods?: Method[];
  readonly members?: Value[];
}

export interface Assembly {
  readonly name: string;
  readonly description: string;
  readonly types: Record<string, Type>;
}

/** As it is written in TypeScript, without the package. */
function nameOf({ primitive, fqn, collection, union }: TypeReference): string {
  if (collection !== undefined) {
    const element = nameOf(collection.elementtype);
    return collection.kind === 'array' ? `${element}[]` : `{ [key: string]: ${element} }`;
  }
  if (union !== undefined) {
    return union.types.map(nameOf).join(' | ');
  }
  return fqn?.replace(/^(aws-cdk-lib|cdk-aurora-iam-auth|constructs)\./, '').replace(/^aws_/, '') ?? primitive ?? 'any';
}

const sentence = (docs?: Docs) => [
  ...docs?.summary === undefined ? [] : [docs.summary],
  ...docs?.default === undefined ? [] : [`Default: ${docs.default.replace(/^- /, '')}`],
].join(' ');

const parametersOf = (parameters: Value[] = []) =>
  parameters.map(({ name, type, optional, variadic }) =>
    `${variadic ? '...' : ''}${name}${optional ? '?' : ''}: ${nameOf(type!)}${variadic ? '[]' : ''}`).join(', ');

function line(signature: string, docs?: Docs): string {
  const text = sentence(docs);
  return `- \`${signature}\`${text === '' ? '' : `: ${text}`}`;
}

function linesOf({
  name,
  kind,
  base,
  interfaces = [],
  docs,
  datatype,
  initializer,
  properties = [],
  methods = [],
  members = [],
}: Type): string[] {
  const parents = [...base === undefined ? [] : [base], ...interfaces].map(fqn => nameOf({ fqn }));
  const sort = kind === 'interface' ? datatype ? 'properties' : 'interface' : kind;
  return [
    `### ${name}`,
    '',
    `${sort}${parents.length > 0 ? `, extends ${parents.join(', ')}` : ''}. ${docs?.summary ?? ''}`.trim(),
    '',
    ...initializer === undefined ? [] : [line(`new ${name}(${parametersOf(initializer.parameters)})`)],
    ...properties.map(({ name: property, type, optional, static: isStatic, docs: own }) =>
      line(`${isStatic ? `${name}.` : ''}${property}${optional ? '?' : ''}: ${nameOf(type!)}`, own)),
    ...methods.map(({ name: method, parameters, returns, static: isStatic, docs: own }) =>
      line(
        `${isStatic ? `${name}.` : ''}${method}(${parametersOf(parameters)})${returns === undefined ? '' : `: ${nameOf(returns.type)}`}`,
        own,
      ),
    ),
    ...members.map(({ name: member, docs: own }) => line(`${name}.${member}`, own)),
    '',
  ];
}

export function llmsOf({ name, description, types }: Assembly, samples: Sample[]): string {
  return [
    `# ${name}`,
    '',
    `> ${description}.`,
    '',
    'Everything is exported by the package. Names of AWS CDK are those of aws-cdk-lib, without `aws_`. '
    + 'The samples are compiled in the build: those without imports stand in the constructor of a stack.',
    '',
    '## API',
    '',
    ...Object.values(types).sort((a, b) => a.name < b.name ? -1 : 1).flatMap(linesOf),
    '## Samples',
    '',
    ...samples.flatMap(({ page, code }) => [`From ${page}:`, '', `\`\`\`ts\n${code}\`\`\``, '']),
  ].join('\n');
}

function main([option]: string[]): void {
  const assembly = JSON.parse(readFileSync(join(ROOT, '.jsii'), 'utf8')) as Assembly;
  const text = llmsOf(assembly, typescriptOfPages());
  if (option !== '--check') {
    writeFileSync(FILE, text);
  } else if (readFileSync(FILE, 'utf8') !== text) {
    throw new Error('llms.txt is not what the source generates; run npx projen llms');
  }
}

if (require.main === module) {
  main(process.argv.slice(2));
}
