import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as ts from 'typescript';

const LIB = resolve(__dirname, '../../lib');

interface Declared {
  /** Such as ConnectGrants.connect. */
  readonly name: string;
  readonly node: ts.ClassElement | ts.TypeElement;
}

const DECLARED = readFileSync(join(LIB, 'index.ts'), 'utf8').split('\n')
  .flatMap(line => /from '(.*)'/.exec(line)?.[1] ?? []).flatMap(file => declaredIn(`${file}.ts`));

/** The members of the classes and interfaces of a file that users see. */
function declaredIn(file: string): Declared[] {
  const source = ts.createSourceFile(file, readFileSync(join(LIB, file), 'utf8'), ts.ScriptTarget.Latest, true);
  return source.statements
    .filter(statement => ts.isClassDeclaration(statement) || ts.isInterfaceDeclaration(statement))
    .filter(statement => has(statement, ts.SyntaxKind.ExportKeyword))
    .flatMap(
      ({ name, members }) => [...members].map(
        node => ({ name: `${name!.text}.${node.name?.getText() ?? 'constructor'}`, node }),
      ),
    )
    .filter(
      ({ name, node }) =>
        !/\._/.test(name) && !has(node, ts.SyntaxKind.PrivateKeyword) && !has(node, ts.SyntaxKind.ProtectedKeyword),
    );
}

function has(node: ts.Node, kind: ts.SyntaxKind): boolean {
  return ts.canHaveModifiers(node) && ts.getModifiers(node)?.some(modifier => modifier.kind === kind) === true;
}

const methods = DECLARED.flatMap(
  ({ name, node }) => ts.isMethodDeclaration(node) || ts.isMethodSignature(node) ? [{ name, node }] : [],
);
const options = DECLARED.flatMap(({ name, node }) => ts.isPropertySignature(node) ? [{ name, node }] : []);

test('finds what users see', () => {
  expect(DECLARED.map(({ name }) => name)).toEqual(expect.arrayContaining([
    'ConnectGrants.connect', 'IDatabaseUser.grantConnect', 'DatabaseRoleOptions.exclusive', 'DatabaseUser.constructor',
  ]));
  expect(DECLARED.filter(({ name }) => /_reach|accessLines/.test(name))).toEqual([]);
});

test('every method that returns something says what', () => {
  const silent = methods.filter(
    ({ node }) => node.type?.kind !== ts.SyntaxKind.VoidKeyword && !ts.getJSDocReturnTag(node)?.comment,
  );
  expect(silent.map(({ name }) => name)).toEqual([]);
});

test('every parameter of a method or constructor is documented', () => {
  const constructors = DECLARED.flatMap(({ name, node }) => ts.isConstructorDeclaration(node) ? [{ name, node }] : []);
  const silent = [...methods, ...constructors].flatMap(({ name, node }) =>
    node.parameters.filter(
      parameter => !ts.getJSDocParameterTags(parameter)[0]?.comment,
    ).map(parameter => `${name}: ${parameter.name.getText()}`));
  expect(silent).toEqual([]);
});

test('every option that may be left out says what it is then, and one that is a boolean is false', () => {
  const optional = options.filter(({ node }) => node.questionToken);
  const defaultOf = ({ node }: typeof options[number]) => ts.getJSDocTags(node).find(
    ({ tagName }) => tagName.text === 'default',
  )?.comment;
  expect(optional.filter(option => !defaultOf(option)).map(({ name }) => name)).toEqual([]);
  const booleans = optional.filter(({ node }) => node.type?.kind === ts.SyntaxKind.BooleanKeyword);
  expect(booleans.length).toBeGreaterThan(0);
  expect(booleans.filter(option => defaultOf(option) !== 'false').map(({ name }) => name)).toEqual([]);
});
