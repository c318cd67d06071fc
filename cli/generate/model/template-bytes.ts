/** How much of a template a declaration takes, as `cdk synth` writes it. */
import { Factory, PrivilegesCall } from './factories';
import { GeneratedRoles, referencesOf } from './groups';

type Tree = readonly string[] | { readonly [key: string]: Tree };

const DATA: { readonly [name in Factory]?: { readonly Tables: string[]; readonly Sequences: string[] } } = {
  readOnly: { Tables: ['SELECT'], Sequences: ['SELECT'] },
  readWrite: { Tables: ['DELETE', 'INSERT', 'SELECT', 'UPDATE'], Sequences: ['SELECT', 'USAGE'] },
};

const ON_OBJECTS: { readonly [name in Factory]?: string } = {
  onTables: 'Tables', onColumns: 'Columns', onSequences: 'Sequences', onFunctions: 'Functions', onTypes: 'Types',
};

/** Service token, resource id, removal and other properties that each has; metadata. */
const BYTES_OF_RESOURCE = 1_000;

/** Of a privilege in words, in the metadata of the resource and of the stack, beside the names of objects. */
const BYTES_OF_WORDS = 150;

const BYTES_BETWEEN_NAMES = 6;

/** Of a logical id in a list of dependencies, which has the path of the construct. */
const BYTES_OF_REFERENCE = 100;

/** `Resources`, the logical id and `Properties` are around it, and `Schemas` is within it. */
const DEPTH = 4;

/** At least what the resources of it have. */
export function templateBytes(role: GeneratedRoles): number {
  const { kind, names, memberOf, privileges, settings } = role;
  const tree: Tree = {
    names,
    memberOf,
    settings: Object.entries(settings).map(([name, value]) => `${name} ${JSON.stringify(value)}`),
    privileges: wireForm(privileges),
  };
  const each
    = BYTES_OF_RESOURCE
      + bytesOf(tree)
      + bytesInWords(privileges)
      + BYTES_OF_REFERENCE * new Set(referencesOf(role)).size;
  return kind === 'role' ? each * names.length : each;
}

/** In UTF-8, with an indentation of one space. */
function bytesOf(tree: Tree): number {
  const lines = JSON.stringify(tree, undefined, 1);
  return Buffer.byteLength(lines) + DEPTH * lines.split('\n').length;
}

function bytesInWords(calls: PrivilegesCall[]): number {
  return calls.reduce(
    (sum, { schemas = ['public'], names = [] }) =>
      sum
      + schemas.length
      * (BYTES_OF_WORDS + names.reduce((all, name) => all + Buffer.byteLength(name) + BYTES_BETWEEN_NAMES, 0)),
    0,
  );
}

/** As the custom resource has them; names that several calls have are there once. */
function wireForm(calls: PrivilegesCall[]): Tree {
  const tree = new Map<string, string[]>();
  for (const {
    factory,
    database,
    schemas = ['public'],
    schema,
    table,
    names = ['*'],
    privileges = ['EXECUTE'],
    objectsCreatedBy = [],
  } of calls) {
    for (const where of schema === undefined ? schemas : [schema]) {
      const add = (words: readonly string[], ...path: string[]) => {
        const key = JSON.stringify([database, where, ...path]);
        tree.set(key, [...new Set([...tree.get(key) ?? [], ...words])]);
      };
      const kinds = DATA[factory] ?? (ON_OBJECTS[factory] === undefined ? {} : { [ON_OBJECTS[factory]]: privileges });
      for (const [kind, words] of Object.entries(kinds)) {
        names.forEach(name => add(words, kind, ...table === undefined ? [] : [table], name));
        objectsCreatedBy.forEach(creator => add(words, 'FutureObjects', creator, kind));
      }
      add(factory in ON_OBJECTS ? [] : ['CREATE', 'USAGE'], 'Schema');
    }
  }
  return nested([...tree].map(([key, words]) => ({ path: JSON.parse(key) as string[], words })));
}

function nested(leaves: { readonly path: string[]; readonly words: string[] }[]): Tree {
  const [first] = leaves;
  if (first?.path.length === 0) {
    return first.words;
  }
  const below = new Map<string, typeof leaves>();
  for (const { path: [key, ...path], words } of leaves) {
    const parts = below.get(key) ?? [];
    below.set(key, parts);
    parts.push({ path, words });
  }
  return Object.fromEntries([...below].map(([key, parts]) => [key, nested(parts)]));
}
