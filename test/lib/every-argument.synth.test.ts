import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Construct } from 'constructs';
import ts from 'typescript';
import * as library from '../../lib';
import { Case } from './case';
import { newInstance } from './support';
import { NOTHING, SENTENCE, told } from './told';
import { FULL } from '../full';

/**
 * Each argument of the public API, given a value of a wrong type, as JavaScript lets one do. One that is added later is
 * found here, too.
 */

interface Argument {
  readonly owner: string;
  readonly method: string;
  readonly kind: 'constructor' | 'static' | 'method';
  readonly index: number;
  readonly name: string;
  readonly type: string;
  readonly isOptional: boolean;
  readonly isRest: boolean;
  /** Types of all arguments of the method. */
  readonly types: string[];
}

const LIB = join(__dirname, '../../lib');

/** Classes, and interfaces with methods, as the exports have them. */
const DECLARATIONS = [...readFileSync(join(LIB, 'index.ts'), 'utf8').matchAll(/'(.+)'/g)]
  .map(([, module]) => join(LIB, `${module}.ts`))
  .flatMap(file => ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true).statements)
  .filter(statement => ts.isClassDeclaration(statement) || ts.isInterfaceDeclaration(statement))
  .filter(({ modifiers }) => modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword));

const NOT_PUBLIC: ts.SyntaxKind[] = [ts.SyntaxKind.PrivateKeyword, ts.SyntaxKind.ProtectedKeyword];

function argumentsOf(owner: string, member: ts.ClassElement | ts.TypeElement): Argument[] {
  if (!ts.isMethodSignature(member) && !ts.isMethodDeclaration(member) && !ts.isConstructorDeclaration(member)) {
    return [];
  }
  const modifiers = (member.modifiers ?? []).map(({ kind }) => kind);
  const types = member.parameters.map(({ type }) => type?.getText() ?? 'string');
  const kind = ts.isConstructorDeclaration(member)
    ? 'constructor'
    : modifiers.includes(ts.SyntaxKind.StaticKeyword)
      ? 'static'
      : 'method';
  return modifiers.some(modifier => NOT_PUBLIC.includes(modifier))
    ? []
    : member.parameters.map(({ name, questionToken, initializer, dotDotDotToken }, index) => ({
        owner,
        method: member.name?.getText() ?? 'constructor',
        kind,
        index,
        name: name.getText(),
        type: types[index],
        isOptional: (questionToken ?? initializer) !== undefined,
        isRest: dotDotDotToken !== undefined,
        types,
      }));
}

/** CDK checks the place of a construct, and it calls the plugin of the checks itself. */
const isOfCdk = ({ types, index }: Argument) =>
  (types[0] === 'Construct' && index < 2) || types[0] === 'IPolicyValidationContext';

const ARGUMENTS = DECLARATIONS.flatMap(({ name, members }) =>
  [...members].flatMap(member => argumentsOf(name!.text, member)),
).filter(argument => !isOfCdk(argument));

/** What has the methods of a class or an interface. */
const RECEIVERS: Record<string, (one: Case) => object> = {
  ClusterIamAuthEnabled: () => new library.ClusterIamAuthEnabled(),
  ConnectGrants: ({ cluster, iamAuth }) => [iamAuth, library.ConnectGrants.fromCluster(cluster)][1],
  DatabaseRole: ({ iamAuth }) => iamAuth.addRole('r'),
  DatabaseUser: ({ iamAuth }) => iamAuth.addUser('a'),
  DatabaseUserGrants: ({ iamAuth }) => iamAuth.addUser('a').grants,
  DatabaseUsers: ({ iamAuth }) => iamAuth.addUsers('Users', { usernames: ['a'] }),
  IamAuthBase: ({ iamAuth }) => [iamAuth.addUser('a'), iamAuth][1],
  IDatabaseUser: ({ iamAuth }) => iamAuth.addUsers('Users', { usernames: ['a'] }).user('a'),
  InstanceIamAuthEnabled: () => new library.InstanceIamAuthEnabled(),
  IProvisioner: ({ iamAuth }) => iamAuth.addUser('a').provisioner,
};

/** What the other arguments are; options have a default, or are the last one. */
const RIGHT: Record<string, (one: Case) => unknown> = {
  'Construct': ({ stack }) => stack,
  'DatabaseUsersOptions': () => ({ usernames: ['b'] }),
  'iam.IGrantable': ({ role }) => role,
  'IDatabaseRole': ({ iamAuth }) => iamAuth.addRole('group'),
  'rds.IDBClusterRef': ({ cluster, iamAuth }) => [iamAuth, cluster][1],
  'rds.IDBInstanceRef': ({ stack }) => newInstance(stack),
  'string': () => 'New',
};

type Callable = Record<string, (...args: unknown[]) => unknown>;

function call(one: Case, { owner, method, kind, index, types, isRest }: Argument, wrong: unknown): unknown {
  const values = types.map((type, other) => other === index ? wrong : RIGHT[type]?.(one));
  const exported = (library as unknown as Record<string, new (...args: unknown[]) => unknown>)[owner];
  return kind === 'constructor'
    ? new exported(...values)
    : (kind === 'static' ? (exported as unknown as Callable) : (RECEIVERS[owner](one) as Callable))[method](
        ...values,
        ...(isRest ? [wrong] : []),
      );
}

/** The class of another library, or of the app. */
class Other {
  public readonly value = 1;
}

const WRONG: Record<string, (one: Case) => unknown> = {
  'undefined': () => undefined,
  'null': () => null,
  'a number': () => 5,
  'a text': () => 'text',
  'true': () => true,
  'a list': () => ['text'],
  'an object': () => ({ value: 1 }),
  'a function': () => () => ({}),
  'a construct of another class': ({ stack }) => new Construct(stack, 'Wrong'),
  'an instance of another class': () => new Other(),
};

/** Options may be of any class, and where there is a default, undefined and null mean it. */
function isRight({ type, isOptional, method }: Argument, wrong: string): boolean {
  return (type === 'string' && wrong === 'a text')
    || (isOptional && ['undefined', 'null'].includes(wrong))
    || (/(Options|Props|Attributes)$/.test(type) && ['an object', 'an instance of another class'].includes(wrong))
    || (['supports', 'applyTo'].includes(method) && wrong === 'a construct of another class')
    || method === 'supports';
}

test('the public API is looked at', () => {
  expect(ARGUMENTS.length).toBeGreaterThan(80);
});

test.each(ARGUMENTS.map(argument => [`${argument.owner}.${argument.method}: ${argument.name}`, argument] as const))(
  '%s of a wrong type is refused in a sentence',
  (_, argument) => {
    const answers = Object.keys(WRONG).map((wrong) => {
      const right = isRight(argument, wrong);
      return {
        wrong,
        right,
        text: told(one => call(one, argument, WRONG[wrong](one)), { withSynthesis: FULL || !right }),
      };
    });
    expect(
      answers
        .filter(({ text, right }) => !SENTENCE.test(text) && !(right && text === NOTHING))
        .map(({ wrong, text }) => `${wrong}: ${text}`),
    ).toEqual([]);
  },
);
