import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as rds from 'aws-cdk-lib/aws-rds';
import ts from 'typescript';
import {
  AuroraIamAuth,
  ColumnPrivilege,
  ConnectGrants,
  DatabaseRole,
  DatabaseUser,
  DatabaseUsers,
  FunctionPrivilege,
  InstanceIamAuth,
  OnRemoval,
  Privileges,
  SequencePrivilege,
  TablePrivilege,
  TypePrivilege,
} from '../../lib';
import { Case } from './case';
import { newCluster, newInstance } from './support';
import { NOTHING, SENTENCE, told } from './told';
import { FULL } from '../full';

/**
 * Each option of the public API, given a value of a wrong type, as JavaScript lets one do. One that is added later is
 * found here, too.
 */

interface Prop {
  readonly struct: string;
  readonly name: string;
  readonly type: string;
  /** Not of an interface that it extends, which is looked at itself. */
  readonly own: boolean;
}

const LIB = join(__dirname, '../../lib');

/**
 * The interfaces of options in the source, as the exports have them; constructs and their interfaces are no options.
 */
const STRUCTS = new Map(
  readdirSync(LIB)
    .filter(file => file.endsWith('.ts') && file !== 'index.ts')
    .flatMap(
      file => ts.createSourceFile(file, readFileSync(join(LIB, file), 'utf8'), ts.ScriptTarget.Latest, true).statements,
    )
    .filter(statement => ts.isInterfaceDeclaration(statement))
    .filter(
      ({ name, modifiers }) =>
        !/^I[A-Z]/.test(name.text) && modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword),
    )
    .map(declaration => [declaration.name.text, declaration]),
);

function propsOf(struct: string): Prop[] {
  const { heritageClauses = [], members } = STRUCTS.get(struct)!;
  const own = members
    .filter(member => ts.isPropertySignature(member))
    .map(({ name, type }) => ({ struct, name: name.getText(), type: type!.getText(), own: true }));
  const inherited = heritageClauses
    .flatMap(({ types }) => types)
    .flatMap(({ expression }) => propsOf(expression.getText()));
  return [...own, ...inherited.map(prop => ({ ...prop, struct, own: false }))];
}

type Site = (one: Case, props: never) => unknown;
const any = (value: unknown) => value as never;
const withPrivileges = (make: (props: never) => Privileges, base: object): Site => ({ iamAuth }, props) =>
  iamAuth.addUser('a', { privileges: [make(any({ ...base, ...props as object }))] });
const inDatabase = { database: 'shop' };
const inSchema = { ...inDatabase, schema: 'public' };

/** Where each struct goes, beside values that are right. */
const SITES: Record<string, Site> = {
  AddAlarmsOptions: ({ iamAuth }, props) => iamAuth.addAlarms({ withoutProvisioner: true, ...props as object }),
  AddDatabaseRoleOptions: ({ iamAuth }, props) => iamAuth.addRole('r', props),
  AddDatabaseUserOptions: ({ iamAuth }, props) => iamAuth.addUser('a', props),
  AuroraIamAuthProps: ({ stack }, props) =>
    new AuroraIamAuth(stack, 'A', any({ cluster: newCluster(stack, 'Other'), ...(props as object) })),
  CheckDriftOptions: ({ iamAuth }, props) => [
    iamAuth.addUser('a'),
    iamAuth.checkDrift({ schedule: events.Schedule.rate(Duration.days(1)), ...(props as object) }),
  ],
  CommonIamAuthProps: ({ stack }, props) =>
    new AuroraIamAuth(stack, 'A', { cluster: newCluster(stack, 'Other'), ...(props as object) }),
  ConnectGrantsOptions: ({ stack, role }, props) =>
    ConnectGrants.fromCluster(imported({ stack } as Case), props).connect(role, 'a'),
  ConnectStatementOptions: ({ cluster, iamAuth }, props) => [
    iamAuth,
    ConnectGrants.fromCluster(cluster).connectStatement('a', props),
  ],
  ConnectionEnvironmentOptions: ({ iamAuth }, props) => iamAuth.addUser('a').connectionEnvironment(props),
  CreateObjectsPrivilegesOptions: withPrivileges(props => Privileges.createObjects(props), inDatabase),
  DatabaseLocationOptions: (one, props) => ConnectGrants.fromCluster(imported(one), props).connect(one.role, 'a'),
  DatabaseRoleOptions: ({ iamAuth }, props) => iamAuth.addRole('r', props),
  DatabaseRoleProps: ({ stack, iamAuth }, props) =>
    new DatabaseRole(stack, 'R', any({ iamAuth, roleName: 'r', ...(props as object) })),
  DatabaseUserAttributes: ({ stack, cluster }, props) =>
    DatabaseUser.fromUsername(
      stack,
      'U',
      any({
        username: 'a',
        ...(['iamAuth', 'instance'].some(name => name in Object(props)) ? {} : { cluster }),
        ...(props as object),
      }),
    ),
  DatabaseUserOptions: ({ iamAuth }, props) => iamAuth.addUser('a', props),
  DatabaseUserProps: ({ stack, iamAuth }, props) =>
    new DatabaseUser(stack, 'U', any({ iamAuth, username: 'a', ...(props as object) })),
  DatabaseUserSettings: ({ iamAuth }, props) => iamAuth.addUser('a', props),
  DatabaseUsersOptions: ({ iamAuth }, props) => iamAuth.addUsers('U', { usernames: ['a'], ...props as object }),
  DatabaseUsersProps: ({ stack, iamAuth }, props) =>
    new DatabaseUsers(stack, 'U', any({ iamAuth, usernames: ['a'], ...(props as object) })),
  GrantConnectOptions: ({ iamAuth, role }, props) => iamAuth.addUser('a').grantConnect(role, props),
  InstanceIamAuthProps: ({ stack }, props) =>
    new InstanceIamAuth(stack, 'A', any({ instance: newInstance(stack, 'Other'), ...(props as object) })),
  MemberOfPrivilegesOptions: ({ iamAuth }, props) =>
    iamAuth.addUser('a', { privileges: [Privileges.memberOf(iamAuth.addRole('r'), props)] }),
  OnColumnsPrivilegesOptions: withPrivileges(props => Privileges.onColumns(props), {
    ...inSchema,
    table: 't',
    columns: ['c'],
    privileges: [ColumnPrivilege.SELECT],
  }),
  OnDatabasePrivilegesOptions: withPrivileges(props => Privileges.onDatabase(props), inDatabase),
  OnFunctionsPrivilegesOptions: withPrivileges(props => Privileges.onFunctions(props), {
    ...inSchema,
    privileges: [FunctionPrivilege.EXECUTE],
    objectsCreatedBy: [],
  }),
  OnRemovalDropOptions: ({ iamAuth }, props) => iamAuth.addRole('r', { onRemoval: OnRemoval.drop(props) }),
  OnSchemaPrivilegesOptions: withPrivileges(props => Privileges.onSchema(props), inSchema),
  OnSequencesPrivilegesOptions: withPrivileges(props => Privileges.onSequences(props), {
    ...inSchema,
    privileges: [SequencePrivilege.USAGE],
    objectsCreatedBy: [],
  }),
  OnTablesPrivilegesOptions: withPrivileges(props => Privileges.onTables(props), {
    ...inSchema,
    privileges: [TablePrivilege.SELECT],
    objectsCreatedBy: [],
  }),
  OnTypesPrivilegesOptions: withPrivileges(props => Privileges.onTypes(props), {
    ...inSchema,
    privileges: [TypePrivilege.USAGE],
    objectsCreatedBy: [],
  }),
  ProvisionerOptions: ({ stack }, provisioner) =>
    new AuroraIamAuth(stack, 'A', { cluster: newCluster(stack, 'Other'), provisioner }).addUser('a'),
  PsqlCommandOptions: ({ iamAuth }, props) => iamAuth.addUser('a').psqlCommand(props),
  ReadOnlyPrivilegesOptions: withPrivileges(props => Privileges.readOnly(props), {
    ...inDatabase,
    objectsCreatedBy: [],
  }),
  ReadWritePrivilegesOptions: withPrivileges(props => Privileges.readWrite(props), {
    ...inDatabase,
    objectsCreatedBy: [],
  }),
  RestrictPublicOptions: ({ iamAuth }, props) => [
    iamAuth.addUser('a'),
    iamAuth.restrictPublic({ ...inDatabase, connect: true, ...(props as object) }),
  ],
  SchemaOwnerPrivilegesOptions: withPrivileges(props => Privileges.schemaOwner(props), inSchema),
};

function imported({ stack }: Case) {
  return rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Imported', {
    clusterIdentifier: 'shop',
    clusterResourceIdentifier: 'cluster-ABCDEFGHIJKL01234',
  });
}

/** Values that a prop cannot have, as they come from a context of the CDK CLI, or from another API. */
function wrongFor(type: string): unknown[] {
  switch (type) {
    case 'string': return [5, {}, ['a']];
    case 'number': return ['5', {}];
    case 'boolean': return ['false', 1];
  }
  return type.endsWith('[]') ? ['a', [5], {}, 5, [null], [{}]] : ['a', 5, {}, [], true];
}

/** Empty options, and settings, say nothing. */
const isRight = (type: string, value: unknown) =>
  JSON.stringify(value) === '{}' && /^(ec2\.SubnetSelection|ProvisionerOptions|\{)/.test(type);

test('each struct of the public API is looked at', () => {
  expect(Object.keys(SITES).sort()).toEqual([...STRUCTS.keys()].sort());
  expect([...STRUCTS.keys()].flatMap(propsOf).length).toBeGreaterThan(150);
});

describe.each([...STRUCTS.keys()].sort())('%s', (struct) => {
  test.each(propsOf(struct).filter(({ own }) => own || FULL))(
    '$name of a wrong type is refused in a sentence',
    ({ name, type }) => {
      const wrong = wrongFor(type).filter(value => !isRight(type, value));
      const answers = wrong
        .slice(0, FULL ? undefined : 1)
        .map(value => [JSON.stringify(value), told(one => SITES[struct](one, any({ [name]: value })))]);
      expect(answers.filter(([, text]) => !SENTENCE.test(text))).toEqual([]);
    },
  );

  test('null counts as left out, or is refused in a sentence', () => {
    const answers = propsOf(struct)
      .filter(({ own }) => own && FULL)
      .map(({ name }) => [name, told(one => SITES[struct](one, any({ [name]: null })))]);
    expect(answers.filter(([, text]) => text !== NOTHING && !/; /.test(text))).toEqual([]);
  });
});
